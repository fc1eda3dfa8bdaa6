"""The last few steps of an epoch, told apart only because it ends there: alone they would be a spike made of chance."""

from engines.events import Batch

FEW = 0.25
"""A mean of fewer steps than this part of those before it stands for both."""


class EpochTail:
    """Takes the batches of one attempt in order, from `steps_done` steps of its first epoch on.

    Gives the means that a curve shows of each.
    """

    def __init__(self, steps_done: int = 0) -> None:
        self._before: Batch | None = None
        self._steps_before = 0
        self._steps_done = steps_done

    def take(self, event: Batch) -> tuple[float | None, float | None]:
        """Give loss and accuracy of `event`; of a few last steps together with those before them."""
        before, many = self._before, self._steps_before
        follows = before is not None and before.epoch == event.epoch and before.step < event.step
        done = before.step if before and follows else self._steps_done
        steps = event.step - done if event.step > done else event.step
        self._before, self._steps_before, self._steps_done = event, steps, 0
        if not before or not follows or event.step < event.steps_per_epoch or steps >= FEW * many:
            return event.loss, event.accuracy
        return _mean(before.loss, many, event.loss, steps), _mean(before.accuracy, many, event.accuracy, steps)


def _mean(a: float | None, count_a: int, b: float | None, count_b: int) -> float | None:
    # What is missing stays missing: a gap is news.
    return None if a is None or b is None else (a * count_a + b * count_b) / (count_a + count_b)
