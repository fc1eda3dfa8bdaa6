"""The end of an epoch: evaluation, what is told of it, and what is saved."""

import time
from collections.abc import Callable

from msgspec import UNSET

from engines.best_epoch import take_in
from engines.engine import Engine, Evaluation, State
from engines.events import AnyEvent, EpochEnded
from engines.filters import find_filters
from engines.mistakes import WorstMistakes
from engines.pace import is_milestone
from engines.run_plan import RunPlan
from engines.sample_images import SampleImages
from engines.saving import Saver


class EpochEnd:
    """Evaluates, tells and saves, with one copy of the engine's state for all that is made of it."""

    def __init__(
        self,
        *,
        engine: Engine,
        plan: RunPlan,
        samples: SampleImages,
        mistakes: WorstMistakes,
        saver: Saver,
        write: Callable[[AnyEvent], None],
    ) -> None:
        self._engine = engine
        self._plan = plan
        self._samples = samples
        self._mistakes = mistakes
        self._saver = saver
        self._write = write

    def tell_start(self, epochs_done: int) -> None:
        """Tell of the samples and of the filters as they are before the first step."""
        self._write(self._samples.shown())
        self._tell_filters(self._engine.state(), epochs_done)

    def reach(self, began: float) -> None:
        """Do all that an epoch ends with, be it in its middle; it `began` at that moment of the monotonic clock."""
        progress, spec = self._plan.progress, self._plan.spec
        evaluated = time.monotonic()
        test = self._engine.evaluate("test")
        held_out = self._engine.evaluate("validation") if spec.validation else None
        self._tell(test, held_out, began, time.monotonic() - evaluated)
        self._write(self._samples.predicted(self._engine, progress.epoch, progress.step))
        state = self._engine.state()
        if is_milestone(progress.epoch) or self._plan.is_over:
            self._write(self._mistakes.found(test, progress.epoch))
            self._tell_filters(state, progress.epoch)
        self._saver.save_epoch(state, is_best=take_in(progress, test, held_out))

    def _tell(self, test: Evaluation, held_out: Evaluation | None, began: float, evaluate_seconds: float) -> None:
        progress, steps = self._plan.progress, self._plan.steps_per_epoch
        self._write(
            EpochEnded(
                epoch=progress.epoch,
                epochs=self._plan.epochs,
                train_loss=progress.loss_sum / progress.images,
                train_accuracy=progress.correct / progress.images,
                test_loss=test.loss,
                test_accuracy=test.accuracy,
                confusion=test.confusion.tolist(),
                seconds=time.monotonic() - began,
                train_seconds=progress.epoch_seconds,
                evaluate_seconds=evaluate_seconds,
                images_per_second=progress.images / max(progress.epoch_seconds, 1e-9),
                validation_loss=held_out.loss if held_out else None,
                validation_accuracy=held_out.accuracy if held_out else None,
                part=progress.step / steps if progress.step < steps else UNSET,
            )
        )

    def _tell_filters(self, state: State, epoch: int) -> None:
        if filters := find_filters(state, epoch):
            self._write(filters)
