"""Where the time of an attempt's training goes, as its events tell: nothing in it is guessed."""

from math import isfinite

from msgspec import UnsetType

from engines.events import CheckpointSaved, EpochEnded


class TimeSpent:
    """Sums of seconds: of training steps, of evaluations on the test set, of saved checkpoints.

    The first epoch that ends tells of what earlier attempts trained of it too, which took `before`.
    """

    def __init__(self, before: float = 0.0) -> None:
        self._before = _known(before)
        self.training = 0.0
        self.evaluation = 0.0
        self.checkpoints = 0.0

    def add_epoch(self, event: EpochEnded) -> None:
        """Add the training and the evaluation of an epoch."""
        self.training += max(0.0, _known(event.train_seconds) - self._before)
        self._before = 0.0
        self.evaluation += _known(event.evaluate_seconds)

    def add_checkpoint(self, event: CheckpointSaved) -> None:
        """Add the saving of a checkpoint."""
        self.checkpoints += _known(event.seconds)


def _known(seconds: float | UnsetType | None) -> float:
    return seconds if isinstance(seconds, float) and isfinite(seconds) and seconds > 0 else 0.0
