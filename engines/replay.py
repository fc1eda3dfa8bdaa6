"""A run as it was at a moment of its own time: its events read up to there, forwards; back is to begin again."""

import time
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from math import inf
from pathlib import Path

from engines.event_tail import EventTail
from engines.events import AnyEvent, ControlApplied, EpochEnded
from engines.run_lock import holder
from engines.run_reader import RunStatus
from engines.run_state import RunState

LONGEST_SILENCE_SECONDS = 3.0
"""What a silence counts at most: a worker speaks every two seconds, so that a longer one had nobody at work."""

READ_BYTES = 1 << 16


class RunClock:
    """The run's own time: seconds of work since its first event, across attempts and clocks that were put back."""

    def __init__(self) -> None:
        self.moment = 0.0
        self._last: float | None = None

    def advance(self, event: AnyEvent) -> float:
        """Take the next event of the file, and give its moment."""
        if self._last is not None:
            self.moment += min(max(0.0, event.time - self._last), LONGEST_SILENCE_SECONDS)
        self._last = event.time
        return self.moment


@dataclass(frozen=True)
class Timeline:
    """How long a run is in its own time, and the moments of its epochs' ends and of what was asked of it."""

    length: float = 0.0
    epochs: tuple[float, ...] = ()
    controls: tuple[float, ...] = ()

    def epoch_beside(self, moment: float, by: int) -> float:
        """Give the end of the next epoch after `moment`, or of the one before it; the run's end or start beyond."""
        at = bisect_right(self.epochs, moment + 1e-6) if by > 0 else bisect_left(self.epochs, moment - 1e-6) - 1
        if 0 <= at < len(self.epochs):
            return self.epochs[at]
        return self.length if by > 0 else 0.0


class TimelineReader:
    """Reads a run's events for their times alone, each once; of a huge file most batches are passed over."""

    def __init__(self, directory: Path) -> None:
        self._tail = EventTail(directory / "events.jsonl", thin=True)
        self._begin()

    def _begin(self) -> None:
        self._clock = RunClock()
        self._epochs: list[float] = []
        self._controls: list[float] = []
        self._restarts = self._tail.restarts

    def read(self) -> Timeline:
        """Read what is new, and give the timeline by now; the first time, of a long run, takes a while."""
        while True:
            events = self._tail.read()
            if self._tail.restarts != self._restarts:
                self._begin()
            for event in events:
                self._add(event)
            if self._tail.at_end:
                return Timeline(self._clock.moment, tuple(self._epochs), tuple(self._controls))

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()

    def _add(self, event: AnyEvent) -> None:
        moment = self._clock.advance(event)
        if isinstance(event, EpochEnded):
            self._epochs.append(moment)
        elif isinstance(event, ControlApplied):
            self._controls.append(moment)


class ReplayReader:
    """Reads a run's events as far as a moment of its own time; `state` is the run as it was then."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._tail = EventTail(directory / "events.jsonl", thin=True)
        self._begin()

    def _begin(self) -> None:
        self.state = RunState()
        self.moment = 0.0
        self._told_at = 0.0
        self._clock = RunClock()
        self._ahead: deque[tuple[float, AnyEvent]] = deque()
        self._restarts = self._tail.restarts

    @property
    def now(self) -> float:
        """What the clock on the wall showed at this moment, in Unix seconds; 0 before the first event."""
        return (self.state.last_time or 0.0) + self.moment - self._told_at

    def advance_to(self, moment: float, seconds: float = inf) -> None:
        """Read on to `moment`, for at most about `seconds`; `self.moment` tells how far it came."""
        until = time.monotonic() + seconds
        while self._ahead or self._read_on():
            due = self._take_until(moment)
            if not due:
                break
            self.state.apply_all(due)
            self._told_at = self.moment
            if time.monotonic() >= until:
                return
        self.moment = max(self.moment, moment)

    def status(self) -> RunStatus:
        """Say what the run was doing at this moment; `crashed` only past the last word of a run without a worker."""
        if self.state.finished:
            return self.state.finished.state
        if self.state.paused:
            return "paused"
        is_over = self._tail.at_end and not self._ahead and holder(self.directory / "lock") is None
        return "crashed" if is_over else "running"

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()

    def _take_until(self, moment: float) -> list[AnyEvent]:
        """Take what was read ahead and is due by `moment`."""
        due: list[AnyEvent] = []
        while self._ahead and self._ahead[0][0] <= moment:
            self.moment, event = self._ahead.popleft()
            due.append(event)
        return due

    def _read_on(self) -> bool:
        """Read events ahead; False at the end of the file as it is now."""
        while not self._ahead:
            events = self._tail.read(READ_BYTES)
            if self._tail.restarts != self._restarts:
                self._begin()
            if self._tail.at_end:
                return False
            self._ahead.extend((self._clock.advance(event), event) for event in events)
        return True
