"""Spare workers for the runs that come next, where a GPU trains and the processor has time to import for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from engines.launch import Spare
from engines.problems import Problem
from engines.spec import RunSpec


class SpareWorkers:
    """Holds spares, which import alone and so take nothing of a GPU; each is given away once, or ended."""

    def __init__(self) -> None:
        self._spares: list[Spare] = []

    def get_ready(self, specs: Sequence[RunSpec]) -> None:
        """Have a spare for each run of `specs` and no other."""
        kept, others = [], self._spares
        for spec in specs:
            spare = next((one for one in others if one.fits(spec)), None) or _spawn(spec)
            if spare:
                kept.append(spare)
                others = [one for one in others if one is not spare]
        for spare in others:
            spare.end()
        self._spares = kept

    @contextmanager
    def given_to(self, spec: RunSpec) -> Iterator[Spare | None]:
        """Give a spare that a run of `spec` can begin with at once, if there is one; ended where the run cannot begin.

        One that still imports stays here: whoever begins a run waits for its answer, and others wait for their turn.
        """
        spare = next((one for one in self._spares if one.fits(spec) and one.is_ready()), None)
        self._spares = [one for one in self._spares if one is not spare]
        try:
            yield spare
        except Problem:
            if spare:
                spare.end()
            raise


def _spawn(spec: RunSpec) -> Spare | None:
    # No room for a spare is no trouble yet; where it is still so, the run itself will say it.
    with suppress(Problem):
        return Spare(spec.framework)
    return None
