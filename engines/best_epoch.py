"""Which epoch is the best so far, on what it is chosen, and when that is good enough or no longer hoped for."""

from engines.checkpoints import Progress
from engines.engine import Evaluation
from engines.spec import RunSpec


def take_in(progress: Progress, test: Evaluation, held_out: Evaluation | None) -> bool:
    """Tell whether the epoch that `progress` stands at is the best so far, and note it there if it is.

    It is chosen on the images that are held out, where there are any, else on the test images; the first of equals.
    The highest accuracy on the test images is noted too, which another epoch may have.
    """
    progress.highest_test_accuracy = max(test.accuracy, progress.highest_test_accuracy or 0.0)
    best = progress.best_validation_accuracy if held_out else progress.best_test_accuracy
    if best is not None and (held_out or test).accuracy <= best:
        return False
    progress.best_epoch, progress.best_test_accuracy = progress.epoch, test.accuracy
    progress.best_validation_accuracy = held_out.accuracy if held_out else None
    return True


def is_target_reached(progress: Progress, spec: RunSpec) -> bool:
    """Tell whether an epoch's test accuracy, be it the best epoch's or not, is what the run was to reach."""
    target, highest = spec.target_accuracy, progress.highest_test_accuracy
    return target is not None and highest is not None and highest >= target


def is_patience_lost(progress: Progress, spec: RunSpec, epochs_done: int) -> bool:
    """Tell whether as many epochs as the run's patience have ended without a better one."""
    if spec.patience is None or progress.best_epoch is None:
        return False
    return epochs_done - max(progress.best_epoch, progress.patient_since) >= spec.patience
