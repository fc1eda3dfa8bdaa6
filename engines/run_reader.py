"""Follows one run's directory: its events as a state, and what the run is doing now. Live or finished alike."""

import time
from math import inf
from pathlib import Path
from typing import Literal

from engines import run_lock
from engines.event_tail import EventTail
from engines.folders import is_there
from engines.last_pause import is_paused
from engines.run_state import RunState

RunStatus = Literal["running", "paused", "stalled", "completed", "stopped", "failed", "crashed"]

ALIVE: frozenset[RunStatus] = frozenset({"running", "paused", "stalled"})
STALLED_AFTER_SECONDS = 10.0
STARTING_SECONDS = 10.0
"""A directory without events that is younger than this belongs to a worker that is just starting."""

LOCKING_SECONDS = 0.5
"""A worker holds its lock at most this long after it made the file."""

WHOLE_FILE_BYTES = 32 << 20
"""Up to this, `read_ends` reads a file whole; beyond, no more than the next two.

All batches that a run may tell of have 10 MB, and a day of telemetry 5. What a run took, how often it went on and which
epoch was its best are known for sure only where all of it is read; a megabyte takes a millisecond or two.
"""

HEAD_BYTES = 1 << 18
TAIL_BYTES = 1 << 20


class RunReader:
    """Reads what is new in a run's directory, a bounded bite at a time; `exact` decodes every batch of a huge file."""

    def __init__(self, directory: Path, *, exact: bool = False) -> None:
        self.directory = directory
        self.state = RunState()
        self._tail = EventTail(directory / "events.jsonl", thin=not exact)
        self._restarts = 0

    @property
    def run_id(self) -> str:
        """The run's name, which is its directory's."""
        return self.directory.name

    @property
    def is_at_end(self) -> bool:
        """Tell whether the last `advance` came to the end of what is written."""
        return self._tail.at_end

    @property
    def bad_lines(self) -> int:
        """How many lines of the file are no events."""
        return self._tail.bad_lines

    def advance(self, seconds: float = 0.02) -> bool:
        """Read for about `seconds`; True where something changed, so that a caller may draw and come again."""
        until = time.monotonic() + seconds
        changed = False
        while True:
            events = self._tail.read()
            if self._tail.restarts != self._restarts:
                self._restarts = self._tail.restarts
                self.state = RunState()
                changed = True
            self.state.apply_all(events)
            changed = changed or bool(events)
            if self._tail.at_end or time.monotonic() >= until:
                return changed

    def read_all(self) -> RunState:
        """Read to the end of the file as it is now."""
        while self.advance(seconds=1.0) or not self._tail.at_end:
            pass
        return self.state

    def read_ends(self) -> RunState:
        """Read to the end, of a huge file no more than its beginning and its end: enough for a row in a list."""
        path = self.directory / "events.jsonl"
        size = _size_of(path)
        self._tail = EventTail(path, skim=True)
        if size > WHOLE_FILE_BYTES:
            self.state.apply_all(self._tail.read(HEAD_BYTES))
            self._tail.close()
            self._tail = EventTail(path, size - TAIL_BYTES, skim=True)
            self.state.finished = None  # That much more comes after it only where another attempt has begun.
            self.read_all()
            self.state.paused = self.has_worker() and is_paused(path)
        return self.read_all()

    def status(self) -> RunStatus:
        """Say what the run is doing now, from its events, its lock and the clock."""
        if not self.state.finished and not self.has_worker():
            self.advance()  # Its last words may have come since the last look.
            if not self.state.finished:
                return "running" if self._is_starting() or not self._tail.at_end else "crashed"
        if self.state.finished:
            return self.state.finished.state
        if self.state.paused:
            return "paused"
        return "stalled" if self._silence() > STALLED_AFTER_SECONDS else "running"

    def has_worker(self) -> bool:
        """Tell whether a worker holds the run's lock now."""
        return run_lock.holder(self.directory / "lock") is not None

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()

    def _silence(self) -> float:
        """Give the seconds since something was written: an event, or, before the first, the lock."""
        last = self.state.last_time
        return _age_of(self.directory / "lock") if last is None else _age(last)

    def _is_starting(self) -> bool:
        if self.state.last_time is not None:
            return False
        lock = self.directory / "lock"
        made, seconds = (lock, LOCKING_SECONDS) if is_there(lock) else (self.directory, STARTING_SECONDS)
        return _age_of(made) < seconds


def _age(moment: float) -> float:
    # A clock that was put back makes what is old seem to come; it is as far from now either way.
    return abs(time.time() - moment)


def _age_of(path: Path) -> float:
    """Give the seconds since `path` was written; without end where it is not there."""
    try:
        return _age(path.stat().st_mtime)
    except OSError:
        return inf


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
