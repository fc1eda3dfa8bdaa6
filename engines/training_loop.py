"""The one training loop, for every engine: order of images, events, requests, checkpoints, and when to stop."""

import math
import time
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engines.batch_tally import BatchTally
from engines.best_epoch import is_patience_lost, is_target_reached, take_in
from engines.checkpoints import CheckpointStore, Kind, Progress
from engines.engine import Engine
from engines.events import AnyEvent, CheckpointSaved, ControlApplied, EpochEnded, Log
from engines.filters import find_filters
from engines.mistakes import WorstMistakes
from engines.pace import ChunkPace, EventPace, is_milestone
from engines.problems import NonFiniteLoss, StorageProblem
from engines.requests import Requests
from engines.sample_images import SampleImages
from engines.schedule import rate_factor
from engines.spec import RunSpec, lengthen

CHECKPOINT_SECONDS = 60.0
PAUSE_POLL_SECONDS = 0.05
MAX_BATCH_EVENTS = 50_000
MAX_SAMPLE_EVENTS = 5_000

Outcome = Literal["completed", "stopped"]


def epoch_order(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """Give the order (a permutation of `size` indices, int64) in which `epoch` of a run with `seed` sees the images."""
    return np.random.default_rng((seed, epoch)).permutation(size)


class TrainingLoop:
    """Trains from `progress` to the last epoch of `spec`, or until it is asked to stop.

    Epochs asked for meanwhile are added to `spec`, which `keep_spec` keeps; that may raise `StorageProblem`.

    Figures do not depend on how steps fall into calls of the engine, so that a run
    that was stopped anywhere and went on ends with the numbers of one that was not.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        samples: SampleImages,
        mistakes: WorstMistakes,
        train_size: int,
        spec: RunSpec,
        progress: Progress,
        checkpoints: CheckpointStore,
        requests: Requests,
        write: Callable[[AnyEvent], None],
        keep_spec: Callable[[RunSpec], None],
        batch_events: int = 0,
    ) -> None:
        self._engine = engine
        self._spec = spec
        self._progress = progress
        self._checkpoints = checkpoints
        self._requests = requests
        self._write = write
        self._keep_spec = keep_spec
        self._samples = samples
        self._mistakes = mistakes
        self._train_size = train_size
        self._steps = math.ceil(train_size / spec.batch_size)
        self._chunk = ChunkPace()
        self._batch_pace = EventPace(0.1, halving=5_000, limit=MAX_BATCH_EVENTS, count=batch_events)
        self._sample_pace = EventPace(1.0, halving=500, limit=MAX_SAMPLE_EVENTS)
        self._unreported = BatchTally()
        self._saved_at = (progress.epoch, progress.step)
        self._saved_time = time.monotonic()
        self._stop: Literal["stop", "stop-now"] | None = None

    @property
    def progress(self) -> Progress:
        """Where training is now."""
        return self._progress

    @property
    def epochs_done(self) -> int:
        """How many whole epochs are done."""
        return self._progress.epoch - (self._progress.step < self._steps)

    def run(self) -> Outcome:
        """Train; raises `NonFiniteLoss` where the loss is no finite number and `on_nan` is `stop`."""
        self._engine.set_learning_rate(self._progress.lr)
        self._write(self._samples.shown())
        self._show_filters(self.epochs_done)
        self._obey()
        while self._stop is None and self.epochs_done < self._spec.epochs and not self._is_enough():
            if self._progress.step == self._steps:
                self._progress = self._next_epoch()
            self._train_epoch()
        if self._stop == "stop":
            self._save("last")
        return "stopped" if self._stop else "completed"

    def _next_epoch(self) -> Progress:
        done = self._progress
        return Progress(
            epoch=done.epoch + 1,
            lr=done.lr,
            best_epoch=done.best_epoch,
            best_test_accuracy=done.best_test_accuracy,
            best_validation_accuracy=done.best_validation_accuracy,
            patient_since=done.patient_since,
        )

    def _train_epoch(self) -> None:
        progress = self._progress
        began = time.monotonic() - progress.epoch_seconds
        self._engine.begin_epoch(epoch_order(self._spec.seed, progress.epoch, self._train_size))
        while progress.step < self._steps:
            self._train_chunk(min(self._chunk.steps, self._steps - progress.step))
            if progress.step < self._steps:
                self._obey()
                if self._stop:
                    return
                if time.monotonic() - self._saved_time >= CHECKPOINT_SECONDS:
                    self._save("last")
        self._end_epoch(began)
        self._obey()

    def _train_chunk(self, count: int) -> None:
        progress, began = self._progress, time.monotonic()
        first = progress.step
        if self._has_schedule:
            for step in range(first, first + count):
                self._engine.set_learning_rate(self._rate(step))
                self._engine.train(step, 1)
        else:
            self._engine.train(first, count)
        losses, right = self._engine.read_steps(first, count)  # The one wait for the device.
        seconds = time.monotonic() - began
        self._chunk.learn(count, seconds)
        sizes = self._step_sizes(first, count)
        # One by one, so that the sum is the same however the steps fall into chunks.
        for loss, size in zip(losses.tolist(), sizes, strict=True):
            progress.loss_sum += loss * size
        progress.correct += int(right.sum())
        progress.images += sum(sizes)
        progress.step += count
        progress.epoch_seconds += seconds
        self._unreported.add(losses, right, sizes, seconds)
        self._check_finite(first, losses)
        at_epoch_end = progress.step == self._steps
        if self._batch_pace.is_due(milestone=at_epoch_end):
            self._report_batch()
            if not at_epoch_end and self._sample_pace.is_due():
                self._write(self._samples.predicted(self._engine, progress.epoch, progress.step))

    @property
    def _has_schedule(self) -> bool:
        return self._spec.schedule != "constant" or self._spec.warmup > 0

    def _rate(self, step: int) -> float:
        """Give the rate of a step (from 0) of this epoch."""
        return self._progress.lr * self._rate_factor(step)

    def _rate_factor(self, step: int) -> float:
        before = (self._progress.epoch - 1) * self._steps
        return rate_factor(self._spec.schedule, self._spec.warmup, before + step, self._spec.epochs * self._steps)

    def _step_sizes(self, first: int, count: int) -> list[int]:
        size = self._spec.batch_size
        return [min(size, self._train_size - step * size) for step in range(first, first + count)]

    def _report_batch(self) -> None:
        self._write(self._unreported.take(self._progress, self._steps, self._rate(self._progress.step - 1)))

    def _check_finite(self, first: int, losses: NDArray[np.float64]) -> None:
        bad = np.flatnonzero(~np.isfinite(losses))
        if not len(bad) or self._spec.on_nan == "continue":
            return
        self._report_batch()  # The curve ends in the gap.
        step = first + int(bad[0])
        norm = self._engine.gradient_norm(step)
        kept = "The last checkpoint before it is kept." if self._checkpoints.names() else "No checkpoint was saved yet."
        raise NonFiniteLoss(
            f"the loss is {losses[bad[0]]} at step {step + 1} of epoch {self._progress.epoch}, with learning rate "
            f"{self._rate(step):g} and gradient norm {norm:g}. {kept}",
            "Try a lower --lr, or --on-nan continue.",
        )

    def _end_epoch(self, began: float) -> None:
        progress = self._progress
        evaluated = time.monotonic()
        test = self._engine.evaluate("test")
        held_out = self._engine.evaluate("validation") if self._spec.validation else None
        evaluate_seconds = time.monotonic() - evaluated
        self._write(
            EpochEnded(
                epoch=progress.epoch,
                epochs=self._spec.epochs,
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
            )
        )
        self._write(self._samples.predicted(self._engine, progress.epoch, progress.step))
        if is_milestone(progress.epoch) or progress.epoch == self._spec.epochs:
            self._write(self._mistakes.found(test, progress.epoch))
            self._show_filters(progress.epoch)
        is_best = take_in(progress, test, held_out)
        # The best first: what is saved as the last knows which was the best, so that one must be there before it.
        if is_best:
            self._save("best")
        self._save("last")

    def _show_filters(self, epoch: int) -> None:
        if filters := find_filters(self._engine.state(), epoch):
            self._write(filters)

    @property
    def has_lost_patience(self) -> bool:
        """Whether as many epochs as `patience` says have ended without a better one."""
        return is_patience_lost(self._progress, self._spec, self.epochs_done)

    def _is_enough(self) -> bool:
        return is_target_reached(self._progress, self._spec) or self.has_lost_patience

    def _obey(self) -> None:
        """Do what has been asked; while paused, wait here for what is asked next."""
        paused = False
        while self._stop is None:
            request = self._requests.take()
            if request is None:
                if not paused:
                    return
                time.sleep(PAUSE_POLL_SECONDS)
                continue
            match request.action:
                case "pause" | "resume":
                    paused = request.action == "pause"
                case "stop" | "stop-now":
                    self._stop = request.action
                case "lr":
                    if request.value is None or not (math.isfinite(request.value) and request.value > 0):
                        self._write(Log(level="warning", message=f"learning rate {request.value} asked for; kept."))
                        continue
                    # What is asked for is the rate from the next step on; the schedule goes on from there.
                    self._progress.lr = request.value / self._rate_factor(self._progress.step)
                    self._engine.set_learning_rate(request.value)
                case "epochs":
                    if not self._lengthen(request.value):
                        continue
                case "checkpoint":
                    self._save("last")
            self._write(ControlApplied(action=request.action, value=request.value, id=request.id, by=request.by))

    def _lengthen(self, more: float | None) -> bool:
        """Train for `more` epochs than was asked; False, and said, where that is no number of epochs."""
        longer = lengthen(self._spec, more)
        if longer is None:
            self._write(Log(level="warning", message=f"{more} epochs more asked for; kept."))
            return False
        self._spec = longer
        try:
            self._keep_spec(longer)
        except StorageProblem as problem:
            self._write(Log(level="error", message=f"{problem.message} Once continued, the run knows no more of them."))
        return True

    def _save(self, kind: Kind) -> None:
        """Save a checkpoint of here, unless it is saved or not all finite; a refusing disk is told about."""
        progress = self._progress
        here = (progress.epoch, progress.step)
        if kind == "last" and here == self._saved_at:
            return
        self._saved_time = began = time.monotonic()
        state = self._engine.state()
        # A loss is of the weights before its step: they may have left the finite numbers since.
        if not (math.isfinite(progress.loss_sum) and all(np.isfinite(array).all() for array in state.values())):
            return
        try:
            path = self._checkpoints.save(kind, progress, state)
        except OSError as error:
            self._write(
                Log(level="error", message=f"no checkpoint could be saved: {error.strerror}. Training goes on.")
            )
            return
        if kind == "last":
            self._saved_at = here
        seconds = time.monotonic() - began
        self._write(CheckpointSaved(path=path, epoch=progress.epoch, step=progress.step, kind=kind, seconds=seconds))
