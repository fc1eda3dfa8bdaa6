"""A run played again: the moment that is shown, which goes on by itself or is gone to, and the run as it was then."""

import time
from pathlib import Path

from engines import control
from engines.replay import ReplayReader, Timeline, TimelineReader
from engines.run_reader import RunReader
from tui.view import View
from tui.watch import Watch

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
USUAL_SPEED = 10.0


class Playhead:
    """Where in the run's own time we are, in seconds; goes on at `speed` times the pace of the run while it plays."""

    def __init__(self, speed: float = USUAL_SPEED) -> None:
        self.moment = 0.0
        self.length = 0.0
        self.speed = speed
        self.is_playing = True
        self._ticked_at: float | None = None

    def tick(self, now: float, *, waits: bool = False) -> None:
        """Go on to the time `now` (seconds on any even clock), no further than the run's end; not while it `waits`."""
        before, self._ticked_at = self._ticked_at, now
        if self.is_playing and before is not None and not waits:
            self.go_to(self.moment + (now - before) * self.speed)

    def go_to(self, moment: float) -> None:
        """Be at `moment`, or at the run's nearest end."""
        self.moment = max(0.0, min(moment, self.length))

    def toggle(self) -> None:
        """Play or stand still; at the run's end, play it from its start."""
        at_end = self.length > 0 and self.moment >= self.length
        self.is_playing = at_end or not self.is_playing
        if at_end:
            self.moment = 0.0

    def scale(self, by: int) -> None:
        """Take the next higher speed, or with a negative `by` the next lower one."""
        faster = [speed for speed in SPEEDS if speed > self.speed]
        slower = [speed for speed in SPEEDS if speed < self.speed]
        if by > 0 and faster:
            self.speed = faster[0]
        elif by < 0 and slower:
            self.speed = slower[-1]


class ReplayWatch(Watch):
    """Watches the run in `directory` as it was; there is never a worker to ask."""

    def __init__(self, directory: Path, playhead: Playhead, *, ascii_only: bool) -> None:
        super().__init__(RunReader(directory), None, ascii_only=ascii_only)
        self.playhead = playhead
        self.timeline = Timeline()
        self.directory = directory
        self._replay = self._again = ReplayReader(directory)
        self._is_closed = False
        self._timeline_reader = TimelineReader(directory)

    @property
    def has_worker(self) -> bool:
        """Nobody can be asked anything of the past."""
        return False

    @property
    def is_behind(self) -> bool:
        """Tell whether the moment was gone back to, so that `read_again` is needed."""
        return self._replay.moment > self.playhead.moment

    def look(self, seconds: float) -> View:
        """Go on, read to where we are then for at most about `seconds`, and give the run as it was there."""
        replay = self._replay
        self.playhead.tick(time.monotonic(), waits=self.is_behind)
        if not self.is_behind:
            replay.advance_to(self.playhead.moment, seconds)
        status = replay.status()
        return View(
            directory=self.directory,
            state=replay.state,
            status=status,
            now=replay.now,
            spec=replay.state.spec or self._asked_spec,
            death=self._describe_death(replay.state) if status == "crashed" else "",
            ascii_only=self._ascii_only,
        )

    def measure(self) -> Timeline:
        """Read how long the run is by now; the first time, of a long one, takes a while."""
        return self._timeline_reader.read()

    def set_timeline(self, timeline: Timeline) -> None:
        """Take `timeline` for the run's."""
        self.playhead.length, self.timeline = timeline.length, timeline

    def read_again(self) -> ReplayReader:
        """Read the run from its start to where we are; a long one takes a while. `take` it then."""
        replay = self._again = ReplayReader(self.directory)
        if self._is_closed:  # Asked only now: whoever closes meanwhile closes this one too.
            replay.close()
        replay.advance_to(self.playhead.moment)
        return replay

    def take(self, replay: ReplayReader) -> None:
        """Go on with `replay` in the place of what was read before."""
        self._replay.close()
        self._replay = replay

    def ask(self, action: control.Action, value: float | None = None) -> bool:
        """Ask nothing; the past is as it is."""
        return False

    def close(self) -> None:
        """Let go of the run's file, also where a thread still reads it."""
        super().close()
        self._is_closed = True
        for reader in (self._replay, self._again, self._timeline_reader):
            reader.close()
