"""How often the terminal is drawn on: so many times a second at most, and more rarely where it is slow to take it."""

from collections.abc import Callable
from time import monotonic

USUAL_RATE, HIGHEST_RATE = 10, 60
ANSWER_SECONDS = 0.15
"""So long after the first frame that answers a key others may: it takes two or three to show and hide panes."""

ANSWER_RATE, ANSWER_BURST = 30, 3
"""Frames that answer keys have a rate of their own, and so many may follow each other at once."""

RESTS_PER_WRITE = 2
"""After a frame that the terminal took its time for comes none for so many times as long: a slow line stays free."""

LONGEST_REST_SECONDS = 1.0

_SOONEST_SECONDS, _WRITING_SECONDS = 0.001, 0.02
"""To ask again before that would find out nothing; the terminal may have taken a frame as soon as the latter."""


class FramePace:
    """Says when the next frame may be drawn. The event loop asks; what writes tells how long the terminal took."""

    def __init__(self, rate: int = USUAL_RATE, clock: Callable[[], float] = monotonic) -> None:
        self._period = 1 / rate
        self._clock = clock
        self._drawn_at = self._rests_until = float("-inf")
        self._is_owed = True  # The first frame answers the command.
        self._answers_until = float("-inf")
        self._answers = float(ANSWER_BURST)
        self._is_writing = False

    def hurry(self) -> None:
        """Have what is drawn next drawn soon: it answers a key."""
        self._is_owed = True

    @property
    def is_hurried(self) -> bool:
        """Tell whether what is drawn now answers a key."""
        return self._is_owed or self._clock() < self._answers_until

    def is_due(self) -> bool:
        """Tell whether a frame may be drawn now: never while the one before is still on its way."""
        return self._wait() <= 0

    def seconds_left(self) -> float:
        """Give how long no frame is due, as far as that is known; until a key comes, there is nothing to ask before."""
        return max(_SOONEST_SECONDS, self._wait())

    def _wait(self) -> float:
        if self._is_writing:
            return _WRITING_SECONDS
        now = self._clock()
        usual = max(self._drawn_at + self._period, self._rests_until) - now
        return min(usual, (1 - self._answers_by(now)) / ANSWER_RATE) if self.is_hurried else usual

    def draw(self) -> None:
        """Take note that a frame is drawn."""
        now = self._clock()
        # What has been saved for answers since the last frame stays saved where this one answers nothing.
        self._answers = max(0.0, self._answers_by(now) - self.is_hurried)
        if self._is_owed:
            self._is_owed, self._answers_until = False, now + ANSWER_SECONDS
        self._drawn_at = now

    def _answers_by(self, now: float) -> float:
        return min(ANSWER_BURST, self._answers + max(0.0, now - self._drawn_at) * ANSWER_RATE)

    def begin_write(self) -> None:
        """Take note that the terminal is given something."""
        self._is_writing = True

    def end_write(self, seconds: float) -> None:
        """Take note that the terminal has taken all, for which we had to wait so many `seconds`."""
        self._rests_until = self._clock() + min(RESTS_PER_WRITE * seconds, LONGEST_REST_SECONDS)
        self._is_writing = False
