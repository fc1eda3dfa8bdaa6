"""Spare workers for the runs that come next, where a GPU trains and the processor has time to import for them."""

from collections.abc import Sequence

from engines.launch import Spare, spare_if_room
from engines.spec import RunSpec


class SpareWorkers:
    """Holds spares, which import alone and so take nothing of a GPU; each is given away once, or ended."""

    def __init__(self) -> None:
        self._spares: list[Spare] = []

    def get_ready(self, specs: Sequence[RunSpec]) -> None:
        """Have a spare for each run of `specs` and no other."""
        kept, others = [], self._spares
        for spec in specs:
            spare = next((one for one in others if one.fits(spec)), None) or spare_if_room(spec.framework)
            if spare:
                kept.append(spare)
                others = [one for one in others if one is not spare]
        for spare in others:
            spare.end()
        self._spares = kept

    def take(self, spec: RunSpec) -> Spare | None:
        """Give a spare that a run of `spec` can begin with at once, if there is one; whoever takes it uses or ends it.

        One that still imports stays here: whoever begins a run waits for its answer, and others wait for their turn.
        """
        spare = next((one for one in self._spares if one.fits(spec) and one.is_ready()), None)
        self._spares = [one for one in self._spares if one is not spare]
        return spare
