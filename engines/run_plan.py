"""How far a run is, what rate its next steps have, and when it has done what it is asked."""

from engines.checkpoints import Progress
from engines.schedule import rate_factor
from engines.spec import RunSpec, lengthen

LOW = 0.1
"""The part of the highest rate below which nothing is concluded from a rate about the highest one."""


class RunPlan:
    """What is left of `spec` from `progress` on, which the training loop moves along."""

    def __init__(self, spec: RunSpec, progress: Progress, steps_per_epoch: int) -> None:
        self.spec = spec
        self.progress = progress
        self.steps_per_epoch = steps_per_epoch

    @property
    def epochs_done(self) -> int:
        """How many whole epochs are done."""
        return self.progress.epoch - (self.progress.step < self.steps_per_epoch)

    @property
    def is_over(self) -> bool:
        """Whether all is done that is asked."""
        return self.epochs_done >= self.spec.epochs

    @property
    def has_schedule(self) -> bool:
        """Whether steps differ in their rate."""
        return self.spec.schedule != "constant" or self.spec.warmup > 0

    def rate(self, ahead: int = 0) -> float:
        """Give the rate of the step that is `ahead` steps after the next one."""
        return self.progress.lr * self._factor(ahead)

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
        step = (self.progress.epoch - 1) * self.steps_per_epoch + self.progress.step + ahead
        return rate_factor(self.spec.schedule, self.spec.warmup, step, self.spec.epochs * self.steps_per_epoch)
