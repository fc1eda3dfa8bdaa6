"""Sums over the steps since the last batch event, and the event that they make."""

import numpy as np
from numpy.typing import NDArray

from engines.checkpoints import Progress
from engines.events import Batch


class BatchTally:
    """What has been trained since the last `batch` event."""

    def __init__(self) -> None:
        self._clear()

    def add(self, losses: NDArray[np.float64], right: NDArray[np.int64], sizes: list[int], seconds: float) -> None:
        """Add steps with their mean losses, right answers and images, which took `seconds` in all."""
        self._steps += len(losses)
        self._images += sum(sizes)
        self._loss_sum += float(losses.sum())
        self._correct += int(right.sum())
        self._seconds += seconds

    def take(self, progress: Progress, steps_per_epoch: int, lr: float) -> Batch:
        """Give the event for where training is now, after at least one step at the rate `lr`, and begin anew."""
        event = Batch(
            epoch=progress.epoch,
            step=progress.step,
            steps_per_epoch=steps_per_epoch,
            loss=self._loss_sum / self._steps,
            accuracy=self._correct / self._images,
            images_per_second=self._images / max(self._seconds, 1e-9),
            lr=lr,
        )
        self._clear()
        return event

    def _clear(self) -> None:
        self._steps = 0
        self._images = 0
        self._loss_sum = 0.0
        self._correct = 0
        self._seconds = 0.0
