"""Sums over the steps since the last batch event, and the event that they make."""

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from engines.events import Batch
from engines.run_plan import RunPlan


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

    def take(self, plan: RunPlan, lr: float) -> Batch:
        """Give the event for where training is now, after at least one step at the rate `lr`, and begin anew."""
        progress = plan.progress
        event = Batch(
            epoch=progress.epoch,
            step=progress.step,
            steps_per_epoch=plan.steps_per_epoch,
            loss=self._loss_sum / self._steps,
            accuracy=self._correct / self._images,
            images_per_second=self._images / max(self._seconds, 1e-9),
            lr=lr,
            trained_seconds=UNSET if plan.spec.budget is None else progress.seconds,
        )
        self._clear()
        return event

    def _clear(self) -> None:
        self._steps = 0
        self._images = 0
        self._loss_sum = 0.0
        self._correct = 0
        self._seconds = 0.0
