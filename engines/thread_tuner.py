"""How many threads share a step: as many as make it fastest, as measured, for others want the cores now and then."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from math import ceil

_FEW_STEPS = 4
_TRIAL_SECONDS = 0.05
_BURST_SECONDS = 0.02
"""Between two looks at how fast several threads are."""

_SHORTEST_SECONDS, _LONGEST_SECONDS = 1.0, 20.0
"""Between two trials: the first once something has changed, the last while nothing does."""

_SHARE = 0.3
"""Of what is remembered, the part of the latest measurement."""

_SLOWED, _GAIN = 1.5, 0.95


class ThreadTuner:
    """Chooses among `counts` of threads, any of which gives the same numbers; `use` sets one for the process.

    Threads that wait for one another at each operation are fast while each has a core to itself, and several times
    slower than one alone where another process takes one of them.
    """

    def __init__(
        self, counts: Sequence[int], use: Callable[[int], None], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.counts = tuple(counts)
        self.count = self.counts[0]
        self._use = use
        self._clock = clock
        self._step_seconds: float | None = None
        self._is_slow = False
        self._untried = list(self.counts[1:])
        self._trial: int | None = None
        self._trial_steps, self._trial_seconds = 0, 0.0
        self._has_changed = False
        self._pause = _SHORTEST_SECONDS
        self._next_trial = clock()
        use(self.count)

    def bursts(self, steps: int) -> Iterator[int]:
        """Split `steps`: give how many to do at once, and measure the time until the next are asked for."""
        while steps:
            if self._is_trial_due():
                self._trial, self._trial_steps, self._trial_seconds = self._untried.pop(0), 0, 0.0
            self._use(self._trial or self.count)
            burst = min(steps, self._longest_burst())
            began = self._clock()
            yield burst
            seconds = self._clock() - began
            if self._trial:
                self._judge(self._trial, burst, seconds)
            else:
                self._remember(seconds / burst)
            steps -= burst
        self._use(self.count)

    def _longest_burst(self) -> int:
        """Give how many steps may pass before another process on one of the threads' cores would be noticed."""
        if len(self.counts) == 1:
            return sys.maxsize
        if self._trial or not self._step_seconds:
            return _FEW_STEPS
        return sys.maxsize if self.count == 1 else _FEW_STEPS * ceil(_BURST_SECONDS / _FEW_STEPS / self._step_seconds)

    def _is_trial_due(self) -> bool:
        is_known = self._trial is None and self._step_seconds is not None
        return is_known and bool(self._untried) and self._clock() >= self._next_trial

    def _judge(self, trial: int, steps: int, seconds: float) -> None:
        self._trial_steps += steps
        self._trial_seconds += seconds
        mean, known = self._trial_seconds / self._trial_steps, self._step_seconds or 0.0
        if self._trial_seconds < _TRIAL_SECONDS and mean < _SLOWED * known:
            return
        self._trial = None
        if mean < _GAIN * known:
            self.count, self._step_seconds, self._has_changed = trial, mean, True
        if not self._untried:
            self._pause = _SHORTEST_SECONDS if self._has_changed else min(2 * self._pause, _LONGEST_SECONDS)
            self._next_trial = self._clock() + self._pause
            self._untried, self._has_changed = [count for count in self.counts if count != self.count], False

    def _remember(self, seconds: float) -> None:
        known = self._step_seconds or seconds
        was_slow, self._is_slow = self._is_slow, seconds > _SLOWED * known
        # What held up one burst may be gone with the next; two in a row tell that someone has come, who may stay.
        counted = seconds if was_slow else min(seconds, _SLOWED * known)
        self._step_seconds = known + _SHARE * (counted - known)
        if self._is_slow:
            self._pause, self._next_trial = _SHORTEST_SECONDS, self._clock()
