"""The runs of a race as their directories tell them, read a bounded bite at a time."""

from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase

from engines.folders import is_folder
from engines.run_queue import RunQueue
from engines.run_reader import RunReader
from engines.runs import RunStore, read_spec
from engines.spec import RunSpec
from tui.race import Lane

MOST_RUNS = 8
"""More on one set of axes could not be told apart."""


class RaceWatch:
    """Follows the runs in `directories`, the first `MOST_RUNS` of them; `lanes` has them as they were last seen."""

    def __init__(self, store: RunStore, directories: Sequence[Path]) -> None:
        self._queue = RunQueue(store)
        self._readers = [RunReader(directory) for directory in directories[:MOST_RUNS]]
        self._specs: dict[Path, RunSpec] = {}
        self._is_new = True
        self.lanes: tuple[Lane, ...] = ()
        self.look(0.0)

    def look(self, seconds: float) -> bool:
        """Read what is new for at most about `seconds`; True where something is that was not told of yet."""
        changed = [reader.advance(seconds / len(self._readers)) for reader in self._readers]
        before = [lane.status for lane in self.lanes]
        waiting = {order.run_id: order.spec for order in self._queue.orders()} if self._is_any_missing() else {}
        self.lanes = tuple(
            self._lane(letter, reader, waiting) for letter, reader in zip(ascii_uppercase, self._readers, strict=False)
        )
        self._is_new |= any(changed) or before != [lane.status for lane in self.lanes]
        return self._is_new

    def told(self) -> None:
        """Take note that what is there has been shown."""
        self._is_new = False

    def close(self) -> None:
        """Let go of the files."""
        for reader in self._readers:
            reader.close()

    def _is_any_missing(self) -> bool:
        return any(reader.state.last_time is None for reader in self._readers)

    def _lane(self, letter: str, reader: RunReader, waiting: dict[str, RunSpec]) -> Lane:
        directory = reader.directory
        if directory not in self._specs and (spec := waiting.get(reader.run_id) or read_spec(directory)):
            self._specs[directory] = spec
        spec = reader.state.spec or self._specs.get(directory)
        if is_folder(directory):
            return Lane(letter, directory, spec, reader.state, reader.status())
        return Lane(letter, directory, spec, reader.state, "queued" if reader.run_id in waiting else "gone")
