"""How often things happen: how many steps go into one call of the engine, and when an event is due."""

import time

CHUNK_SECONDS = 0.1
"""About how long one call of the engine takes: how soon a request is in force, how often a batch is told of."""

MAX_CHUNK_STEPS = 4096


def is_milestone(epoch: int) -> bool:
    """Tell whether `epoch` is one of those after which pictures are told: all up to 31, then 16 of each doubling."""
    return epoch % (1 << max(0, epoch.bit_length() - 5)) == 0


class ChunkPace:
    """Finds the number of steps that take about `CHUNK_SECONDS`; `step_seconds` is what one took at the last look."""

    def __init__(self) -> None:
        self.steps = 1
        self.step_seconds = CHUNK_SECONDS

    def learn(self, steps: int, seconds: float) -> None:
        """Take in that `steps` took `seconds`; at most doubles, so that one odd measurement costs little."""
        self.step_seconds = seconds / steps
        if seconds > 0 and steps >= self.steps // 2:
            fitting = int(steps * CHUNK_SECONDS / seconds)
            self.steps = max(1, min(fitting, self.steps * 2, MAX_CHUNK_STEPS))


class EventPace:
    """Says when an event is due: every `seconds`, half as often after each `halving` of them, never past `limit`."""

    def __init__(self, seconds: float, halving: int, limit: int, count: int = 0) -> None:
        self._seconds = seconds
        self._halving = halving
        self._limit = limit
        self._count = count
        self._last = -float("inf")

    def is_due(self, *, milestone: bool = False) -> bool:
        """Tell whether to report now, and count it; a `milestone` does not wait in the first half of `limit`."""
        now = time.monotonic()
        waited = now - self._last >= self._seconds * 2 ** (self._count // self._halving)
        if self._count >= self._limit or not (waited or (milestone and self._count < self._limit // 2)):
            return False
        self._last = now
        self._count += 1
        return True
