"""Follows one run's directory: its events as a state, and what the run is doing now. Live or finished alike."""

import time
from pathlib import Path
from typing import Literal

from engines import run_lock
from engines.event_log import EventTail
from engines.run_state import RunState

RunStatus = Literal["running", "paused", "stalled", "completed", "stopped", "failed", "crashed"]

ALIVE: frozenset[RunStatus] = frozenset({"running", "paused", "stalled"})
STALLED_AFTER_SECONDS = 10.0
STARTING_SECONDS = 10.0
"""A directory without events that is younger than this belongs to a worker that is just starting."""


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
            for event in events:
                self.state.apply(event)
            changed = changed or bool(events)
            if self._tail.at_end or time.monotonic() >= until:
                return changed

    def read_all(self) -> RunState:
        """Read to the end of the file as it is now."""
        while self.advance(seconds=1.0) or not self._tail.at_end:
            pass
        return self.state

    def status(self) -> RunStatus:
        """Say what the run is doing now, from its events, its lock and the clock."""
        if self.state.finished:
            return self.state.finished.state
        now = time.time()
        if not self.has_worker():
            return "running" if self._is_starting(now) else "crashed"
        if self.state.paused:
            return "paused"
        last = self.state.last_time
        return "stalled" if last is not None and now - last > STALLED_AFTER_SECONDS else "running"

    def has_worker(self) -> bool:
        """Tell whether a worker holds the run's lock now."""
        return run_lock.holder(self.directory / "lock") is not None

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()

    def _is_starting(self, now: float) -> bool:
        if self.state.last_time is not None:
            return False
        try:
            return now - self.directory.stat().st_mtime < STARTING_SECONDS
        except OSError:
            return False
