"""The one training loop, for every engine: order of images, calls of the engine, batches told of, and when to stop."""

import math
import time
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engines.batch_tally import BatchTally
from engines.best_epoch import is_patience_lost, is_target_reached
from engines.checkpoints import CheckpointStore, Progress
from engines.engine import Engine
from engines.epoch_end import EpochEnd
from engines.events import AnyEvent
from engines.mistakes import WorstMistakes
from engines.obedience import Obedience
from engines.pace import EventPace
from engines.problems import NonFiniteLoss
from engines.requests import Requests
from engines.run_plan import RunPlan
from engines.sample_images import SampleImages
from engines.saving import Saver
from engines.spec import RunSpec

MAX_BATCH_EVENTS = 50_000
MAX_SAMPLE_EVENTS = 5_000

Outcome = Literal["completed", "stopped"]


def epoch_order(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """Give the order (a permutation of `size` indices, int64) in which `epoch` of a run with `seed` sees the images."""
    return np.random.default_rng((seed, epoch)).permutation(size)


class TrainingLoop:
    """Trains from `progress` to the last epoch of `spec`, until its budget is spent, or until it is asked to stop.

    Epochs asked for meanwhile are added to `spec`, which `keep_spec` keeps; that may raise `StorageProblem`.

    Figures do not depend on how steps fall into calls of the engine, so that a run
    that was stopped anywhere and went on ends with the numbers of one that was not; those of a run with a budget do, as
    they depend on how fast the machine is.
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
        self.progress = progress
        self._engine = engine
        self._write = write
        self._samples = samples
        self._train_size = train_size
        self._steps = math.ceil(train_size / spec.batch_size)
        self._plan = RunPlan(spec, progress, self._steps)
        self._saver = Saver(engine, progress, checkpoints, write)
        self._obedience = Obedience(
            requests=requests, plan=self._plan, saver=self._saver, write=write, keep_spec=keep_spec
        )
        self._end = EpochEnd(
            engine=engine, plan=self._plan, samples=samples, mistakes=mistakes, saver=self._saver, write=write
        )
        self._batch_pace = EventPace(0.1, halving=5_000, limit=MAX_BATCH_EVENTS, count=batch_events)
        self._sample_pace = EventPace(1.0, halving=500, limit=MAX_SAMPLE_EVENTS)
        self._unreported = BatchTally()
        self._rate = progress.lr

    @property
    def epochs_done(self) -> int:
        """How many whole epochs are done."""
        return self._plan.epochs_done

    @property
    def has_lost_patience(self) -> bool:
        """Whether as many epochs as `patience` says have ended without a better one."""
        return is_patience_lost(self.progress, self._plan.spec, self.epochs_done)

    def run(self) -> Outcome:
        """Train; raises `NonFiniteLoss` where the loss is no finite number and `on_nan` is `stop`."""
        self._end.tell_start(self.epochs_done)
        self._obedience.obey()
        while self._obedience.stop is None and not self._plan.is_over and not self._is_enough():
            if self.progress.step == self._steps:
                self.progress.begin_next_epoch()
            self._train_epoch()
        if self._obedience.stop == "stop":
            self._saver.save()
        return "stopped" if self._obedience.stop else "completed"

    def _is_enough(self) -> bool:
        return is_target_reached(self.progress, self._plan.spec) or self.has_lost_patience

    def _train_epoch(self) -> None:
        progress = self.progress
        # How long it took is without pauses: others conclude from it what is left.
        began = time.monotonic() - progress.epoch_seconds - self._obedience.paused_seconds
        self._engine.begin_epoch(epoch_order(self._plan.spec.seed, progress.epoch, self._train_size))
        while progress.step < self._steps:
            self._train_chunk(self._plan.next_steps())
            if self._plan.is_time_up:
                break
            if progress.step < self._steps:
                self._obedience.obey()
                if self._obedience.stop:
                    return
                if self._saver.is_due:
                    self._saver.save()
        self._end.reach(began + self._obedience.paused_seconds)
        self._obedience.obey()

    def _train_chunk(self, count: int) -> None:
        progress, began = self.progress, time.monotonic()
        first = progress.step
        rates = self._plan.rates(count)
        self._engine.train(first, count, rates)
        self._rate = float(rates[-1])
        losses, right = self._engine.read_steps(first, count)  # The one wait for the device.
        seconds = time.monotonic() - began
        sizes = self._step_sizes(first, count)
        # One by one, so that the sum is the same however the steps fall into chunks.
        for loss, size in zip(losses.tolist(), sizes, strict=True):
            progress.loss_sum += loss * size
        progress.correct += int(right.sum())
        progress.images += sum(sizes)
        self._plan.took(count, seconds)
        self._unreported.add(losses, right, sizes, seconds)
        self._check_finite(first, losses)
        self._tell_chunk()

    def _step_sizes(self, first: int, count: int) -> list[int]:
        size = self._plan.spec.batch_size
        return [min(size, self._train_size - step * size) for step in range(first, first + count)]

    def _tell_chunk(self) -> None:
        at_epoch_end = self.progress.step == self._steps or self._plan.is_time_up
        if self._batch_pace.is_due(milestone=at_epoch_end):
            self._report_batch()
            if not at_epoch_end and self._sample_pace.is_due():
                self._write(self._samples.predicted(self._engine, self.progress.epoch, self.progress.step))

    def _report_batch(self) -> None:
        self._write(self._unreported.take(self._plan, self._rate))

    def _check_finite(self, first: int, losses: NDArray[np.float64]) -> None:
        bad = np.flatnonzero(~np.isfinite(losses))
        if not len(bad) or self._plan.spec.on_nan == "continue":
            return
        self._report_batch()  # The curve ends in the gap.
        step = first + int(bad[0])
        norm = self._engine.gradient_norm(step)
        kept = "The last checkpoint before it is kept." if self._saver.has_saved else "No checkpoint was saved yet."
        raise NonFiniteLoss(
            f"the loss is {losses[bad[0]]} at step {step + 1} of epoch {self.progress.epoch}, with learning rate "
            f"{self._plan.rate(step - self.progress.step):g} and gradient norm {norm:g}. {kept}",
            "Try a lower --lr, or --on-nan continue.",
        )
