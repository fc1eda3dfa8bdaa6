"""How far a run is, what rate its next steps have, and when it has done what it is asked, by epochs or by time."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from engines.checkpoints import Progress
from engines.pace import ChunkPace
from engines.schedule import rate_factor
from engines.spec import MAX_EPOCHS, RunSpec, lengthen

LOW = 0.1
"""The part of the highest rate below which nothing is concluded from a rate about the highest one."""

_LAST_MOMENT = 0.9999
"""What a step that begins within the budget is taken at, at the most: it still learns something."""


class RunPlan:
    """What is left of `spec` from `progress` on, which the training loop moves along.

    Where `spec` has a budget, the part of it that is spent takes the place of the part of the steps that is done; where
    it has a number of epochs too, the greater of both counts, so that the rate is at its end whichever ends the run.
    """

    def __init__(self, spec: RunSpec, progress: Progress, steps_per_epoch: int) -> None:
        self.spec = spec
        self.progress = progress
        self.steps_per_epoch = steps_per_epoch
        self.pace = ChunkPace()

    @property
    def epochs_done(self) -> int:
        """How many whole epochs are done."""
        return self.progress.epoch - (self.progress.step < self.steps_per_epoch)

    @property
    def epochs(self) -> int:
        """How many epochs it comes to: what is asked, or what there is time for at the speed so far, the last begun."""
        progress, asked = self.progress, self.spec.epochs or MAX_EPOCHS
        if self.spec.budget is None or progress.seconds <= 0:
            return asked if self.spec.epochs else progress.epoch
        done = progress.epoch - 1 + progress.step / self.steps_per_epoch
        return min(asked, max(progress.epoch, ceil(min(done * self.spec.budget / progress.seconds, MAX_EPOCHS))))

    @property
    def is_time_up(self) -> bool:
        """Whether there is a budget, and it is spent."""
        return self.spec.budget is not None and self.progress.seconds >= self.spec.budget

    @property
    def is_over(self) -> bool:
        """Whether all is done that is asked."""
        return self.is_time_up or (self.spec.epochs is not None and self.epochs_done >= self.spec.epochs)

    def next_steps(self) -> int:
        """Give how many steps to do in one call: no more than this epoch has, and than there should be time for."""
        steps = min(self.pace.steps, self.steps_per_epoch - self.progress.step)
        if self.spec.budget is None:
            return steps
        seconds = self.spec.budget - self.progress.seconds
        return max(1, min(steps, round(seconds / max(self.pace.step_seconds, 1e-9))))

    def took(self, steps: int, seconds: float) -> None:
        """Take in that the next `steps` are done, and what they took."""
        self.progress.step += steps
        self.progress.epoch_seconds += seconds
        self.progress.seconds += seconds
        self.pace.learn(steps, seconds)

    def rate(self, ahead: int = 0) -> float:
        """Give the rate of the step that is `ahead` steps after the next one."""
        return self.progress.lr * self._factor(ahead)

    def rates(self, count: int) -> NDArray[np.float64]:
        """Give the rates of the next `count` steps."""
        return np.array([self.rate(ahead) for ahead in range(count)])

    def ask_rate(self, lr: float) -> None:
        """Have the next step learn at `lr`; the schedule goes on in proportion from there.

        Where it leaves less than `LOW` of its highest rate, that is `lr` / `LOW`, and what is left is lifted for as
        long as it is less: else a rate asked for in the last step would be a millionth of what epochs more begin with.
        """
        factor = self._scheduled(0)
        self.progress.lr = lr / max(factor, LOW)
        self.progress.lift = max(1.0, LOW / factor)

    def lengthen(self, more: float | None) -> bool:
        """Ask for `more` epochs; False where that is no number of epochs."""
        longer = lengthen(self.spec, more)
        if longer is None:
            return False
        self.spec = longer
        self.progress.lift = 1.0
        return True

    def _factor(self, ahead: int) -> float:
        factor = self._scheduled(ahead)
        return factor if factor >= LOW else min(LOW, factor * self.progress.lift)

    def _scheduled(self, ahead: int) -> float:
        at = max(self._part_of_steps(ahead), self._part_of_time(ahead))
        return rate_factor(self.spec.schedule, self.spec.warmup, at)

    def _part_of_steps(self, ahead: int) -> float:
        """Give how far a step is, at its middle, so that none learns nothing; one beyond the last as that."""
        if self.spec.epochs is None:
            return 0.0
        count = self.spec.epochs * self.steps_per_epoch
        step = (self.progress.epoch - 1) * self.steps_per_epoch + self.progress.step + ahead
        return min((step + 0.5) / count, 1 - 0.5 / count)

    def _part_of_time(self, ahead: int) -> float:
        if self.spec.budget is None:
            return 0.0
        seconds = self.progress.seconds + (ahead + 0.5) * self.pace.step_seconds
        return min(seconds / self.spec.budget, _LAST_MOMENT)
