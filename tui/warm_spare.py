"""The one spare worker that imports a framework while a person is still choosing, so that a run begins at once."""

import threading
from contextlib import suppress

from engines.launch import Spare
from engines.problems import Problem


class WarmSpare:
    """Holds at most one spare: it is taken by the run that it fits, or ended. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spare: Spare | None = None
        self._wanted = ""

    def want(self, framework: str) -> None:
        """Say of which framework a spare would be welcome, of none where it is empty; `adjust` makes it so."""
        self._wanted = framework

    def adjust(self) -> None:
        """Have the spare that is wanted and no other; starts and ends processes, so it belongs into a thread."""
        with self._lock:
            wanted, spare = self._wanted, self._spare
            if spare and (spare.framework != wanted or not spare.is_alive()):
                spare.end()
                self._spare = None
            if wanted and not self._spare:
                # No room for a spare is no trouble yet; where it is still so, the run itself will say it.
                with suppress(Problem):
                    self._spare = Spare(wanted)

    def take(self) -> Spare | None:
        """Give the spare away: whoever takes it uses it or ends it. None is wanted any more."""
        with self._lock:
            self._wanted = ""
            spare, self._spare = self._spare, None
            return spare

    def end(self) -> None:
        """End the spare, if there is one, and want none."""
        self.want("")
        self.adjust()
