"""Where the time of an attempt's training goes, as its events tell: nothing in it is guessed."""

from math import isfinite

from msgspec import UnsetType

from engines.events import CheckpointSaved, EpochEnded


class TimeSpent:
    """Sums of seconds: of training steps, of evaluations on the test set, of saved checkpoints."""

    def __init__(self) -> None:
        self.training = 0.0
        self.evaluation = 0.0
        self.checkpoints = 0.0

    def add_epoch(self, event: EpochEnded) -> None:
        """Add the training and the evaluation of an epoch."""
        self.training += _known(event.train_seconds)
        self.evaluation += _known(event.evaluate_seconds)

    def add_checkpoint(self, event: CheckpointSaved) -> None:
        """Add the saving of a checkpoint."""
        self.checkpoints += _known(event.seconds)


def _known(seconds: float | UnsetType | None) -> float:
    return seconds if isinstance(seconds, float) and isfinite(seconds) and seconds > 0 else 0.0
