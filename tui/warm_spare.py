"""The one spare worker that gets ready while a person is still choosing, so that a run begins at once."""

import threading

from engines.launch import Spare, spare_if_room
from engines.spec import RunSpec


class WarmSpare:
    """Holds at most one spare: it is taken by the run that it fits, or ended. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spare: Spare | None = None
        self._wanted: RunSpec | None = None
        self._prepared: RunSpec | None = None

    def want(self, spec: RunSpec | None) -> None:
        """Say for which run a spare would be welcome, None for none; `adjust` makes it so."""
        self._wanted = spec

    def adjust(self) -> None:
        """Have the spare that is wanted and no other; starts and ends processes, so it belongs into a thread."""
        with self._lock:
            wanted, spare = self._wanted, self._spare
            if spare and not (wanted and spare.fits(wanted)):
                spare.end()
                self._spare = None
            if not wanted:
                return
            if not self._spare:
                self._prepared = None
                self._spare = spare_if_room(wanted.framework)
            if self._spare and self._prepared != wanted:
                self._spare.prepare(wanted)
                self._prepared = wanted

    def take(self) -> Spare | None:
        """Give the spare away: whoever takes it uses it or ends it. None is wanted any more."""
        with self._lock:
            self._wanted = None
            spare, self._spare = self._spare, None
            return spare

    def end(self) -> None:
        """End the spare, if there is one, and want none."""
        self.want(None)
        self.adjust()
