"""One attempt at a run, from its first event to its last: import, data, build, train, save, evaluate."""

import contextlib
import time
import traceback
from collections.abc import Callable
from typing import Literal, TextIO, TypeVar

from engines import datasets
from engines.catalog import DATASETS
from engines.checkpoints import Progress
from engines.control import STOPS
from engines.engine import Engine, Evaluation
from engines.engine_maker import import_framework, make_engine
from engines.event_writer import EventWriter
from engines.events import ControlApplied, Log, RunError, RunFinished, RunStarted
from engines.interruptible import broken_off_by
from engines.mistakes import WorstMistakes
from engines.phases import PhaseReporter, StopAsked
from engines.precision import warn_of_slowness
from engines.preparation import Preparation
from engines.problems import (
    STOPPED_EXIT_CODE,
    TARGET_NOT_REACHED_EXIT_CODE,
    CheckpointProblem,
    OutOfMemory,
    Problem,
    StorageProblem,
    exit_code_of,
)
from engines.requests import Requests
from engines.sample_images import SampleImages
from engines.standing import Standing
from engines.telemetry import TelemetryThread
from engines.training_loop import TrainingLoop

Found = TypeVar("Found")
Figures = tuple[Evaluation, Evaluation]
"""Of the whole training set, and of the whole test set."""


class Attempt:
    """Trains a run from where it stands to its end, whatever comes, and tells of it in events."""

    def __init__(
        self, standing: Standing, writer: EventWriter, requests: Requests, log: TextIO, preparation: Preparation
    ) -> None:
        self._standing = standing
        self._spec = standing.spec
        self._writer = writer
        self._requests = requests
        self._log = log
        self._preparation = preparation
        self._log_path = standing.directory / "worker.log"
        self._phases = PhaseReporter(writer.write, requests)
        self._loop: TrainingLoop | None = None
        self._began = time.monotonic()

    def run(self) -> int:
        """Do the work; gives the exit code that tells how it ended."""
        telemetry = TelemetryThread(self._writer.write)
        try:
            finished = self._work()
        except StopAsked:
            self._acknowledge_stop()
            finished = self._finish("stopped")
        except Problem as problem:
            if problem.__cause__:  # It says in a line what a library said at length.
                _print_traceback(self._log)
            finished = self._finish("failed", problem=problem)
        except MemoryError:
            out = OutOfMemory("the machine ran out of memory.", "Try a smaller --batch-size.")
            finished = self._finish("failed", problem=out)
        except BaseException as error:  # noqa: BLE001 - the last place to tell the readers; Rust's panics are no Exception
            _print_traceback(self._log)
            bug = Problem(f"{type(error).__name__}: {error}.", f"The traceback is in {self._log_path}.")
            finished = self._finish("failed", problem=bug)
        telemetry.close()
        self._writer.write(finished)
        self._writer.close()
        return self._exit_code(finished)

    def _work(self) -> RunFinished:
        engine, samples, mistakes, sizes = self._get_ready()
        self._writer.write(self._started(engine, *sizes))
        if warning := warn_of_slowness(self._spec.precision, engine.device_name):
            self._writer.write(Log(level="warning", message=warning))
        standing = self._standing
        self._loop = TrainingLoop(
            engine=engine,
            samples=samples,
            mistakes=mistakes,
            train_size=sizes[0],
            spec=self._spec,
            progress=standing.progress,
            checkpoints=standing.checkpoints,
            requests=self._requests,
            write=self._writer.write,
            keep_spec=standing.keep,
            batch_events=standing.batch_events,
        )
        with self._phases.phase("train", self._spec.epochs, "epochs") as report:
            outcome = self._loop.run()
            report(self._loop.epochs_done, standing.spec.epochs, "epochs")
        if outcome == "stopped":
            return self._finish("stopped")
        if self._spec.patience:
            self._restore_best(engine, self._loop)
        else:
            self._load_back(engine, self._loop.progress)
        return self._finish("completed", figures=self._evaluate(engine, *sizes))

    def _get_ready(self) -> tuple[Engine, SampleImages, WorstMistakes, tuple[int, int]]:
        """Import, load the data and build; also gives how many images are trained on, and tested."""
        spec, standing = self._spec, self._standing
        with self._phases.phase("import", 1, "frameworks") as report:
            for warning in standing.warnings:
                self._writer.write(Log(level="warning", message=warning))
            with broken_off_by(self._requests.is_stop_asked):
                module = import_framework(spec.framework)
            report(1, 1, "frameworks")
        with self._phases.phase("data", None, "bytes") as report:
            data = self._preparation.take_data(spec) or datasets.load(spec.dataset, spec.data_dir, report)
            data = datasets.hold_out(data, spec.validation, spec.seed)
        with self._phases.phase("build", None, "tensors") as report:
            placed = standing.placed_spec
            engine = self._preparation.take_engine(placed) or make_engine(module, spec, placed, data)
            if standing.state is not None:
                engine.load_state(standing.state)
                standing.state = None
            report(len(engine.parameters), len(engine.parameters), "tensors")
        # The engine has its own images; to hold on to these would be 55 MB for nothing.
        return engine, SampleImages(data), WorstMistakes(data), (len(data.train_labels), len(data.test_labels))

    def _started(self, engine: Engine, train_size: int, test_size: int) -> RunStarted:
        standing = self._standing
        return RunStarted(
            run_id=standing.run_id,
            attempt=standing.attempt,
            epochs_done=standing.epochs_done,
            steps_done=standing.steps_done,
            spec=self._spec,
            device=engine.device_name,
            framework_version=engine.framework_version,
            parameter_count=sum(parameter.count for parameter in engine.parameters),
            parameters=engine.parameters,
            train_size=train_size,
            test_size=test_size,
            class_names=list(DATASETS[self._spec.dataset].class_names),
            epoch_seconds=standing.progress.epoch_seconds if standing.steps_done else 0.0,
        )

    def _load_back(self, engine: Engine, progress: Progress) -> None:
        """Load what was saved at the end, so that the figures are those of the file."""
        with self._phases.phase("save", 1, "checkpoints") as report:
            newest = self._whole(self._standing.checkpoints.newest)
            if newest and (newest[0].epoch, newest[0].step) == (progress.epoch, progress.step):
                engine.load_state(newest[1])
            else:
                self._writer.write(
                    Log(level="warning", message="The end could not be saved; what is in memory is evaluated.")
                )
            report(1, 1, "checkpoints")

    def _restore_best(self, engine: Engine, loop: TrainingLoop) -> None:
        """Go back to the weights of the best epoch, and say so; and that it is over early, where it is."""
        why = f"Stopped early: {self._spec.patience} epochs without a better one. " if loop.has_lost_patience else ""
        which = f"{why}The weights of epoch {loop.progress.best_epoch}, best on the {self._chosen_on} images,"
        with self._phases.phase("save", 1, "checkpoints") as report:
            best = self._whole(self._standing.checkpoints.best)
            if best:
                engine.load_state(best[1])
                self._writer.write(Log(level="info", message=f"{which} are restored."))
            else:
                self._writer.write(Log(level="warning", message=f"{which} were not saved; those of the end stay."))
            report(1, 1, "checkpoints")

    def _whole(self, find: Callable[[], Found | None]) -> Found | None:
        """Give the checkpoint that `find` finds; where none is whole, say so and give None."""
        try:
            return find()
        except CheckpointProblem as problem:
            self._writer.write(Log(level="warning", message=problem.message))
            return None

    @property
    def _chosen_on(self) -> Literal["test", "validation"]:
        return "validation" if self._spec.validation else "test"

    def _evaluate(self, engine: Engine, train_size: int, test_size: int) -> Figures:
        with self._phases.phase("evaluate", train_size + test_size, "images") as report:
            test = engine.evaluate("test")
            report(test_size, train_size + test_size, "images")
            train = engine.evaluate("train")
            report(train_size + test_size, train_size + test_size, "images")
            return train, test

    def _acknowledge_stop(self) -> None:
        """Say that a stop is in force which came while no training was there to say it, or to do what came before."""
        while request := self._requests.take():
            if request.action in STOPS:
                self._writer.write(ControlApplied(action=request.action, value=None, id=request.id, by=request.by))
                return

    def _finish(
        self,
        state: Literal["completed", "stopped", "failed"],
        *,
        problem: Problem | None = None,
        figures: Figures | None = None,
    ) -> RunFinished:
        train, test = figures or (None, None)
        progress = self._loop.progress if self._loop else self._standing.progress
        return RunFinished(
            state=state,
            epochs=self._loop.epochs_done if self._loop else self._standing.epochs_done,
            seconds=time.monotonic() - self._began,
            train_accuracy=train.accuracy if train else None,
            train_loss=train.loss if train else None,
            test_accuracy=test.accuracy if test else None,
            test_loss=test.loss if test else None,
            best_epoch=progress.best_epoch,
            best_test_accuracy=progress.best_test_accuracy,
            chosen_on=self._chosen_on,
            best_validation_accuracy=progress.best_validation_accuracy,
            highest_test_accuracy=progress.highest_test_accuracy,
            error=RunError(kind=problem.kind, message=problem.message, hint=problem.hint) if problem else None,
        )

    def _exit_code(self, finished: RunFinished) -> int:
        if self._writer.error is not None:
            return StorageProblem.exit_code
        if finished.error is not None:
            return exit_code_of(finished.error.kind)
        if finished.state == "stopped":
            number = self._requests.stop_signal
            return 128 + number if number else STOPPED_EXIT_CODE
        target, highest = self._spec.target_accuracy, finished.highest_test_accuracy
        return TARGET_NOT_REACHED_EXIT_CODE if target is not None and (highest is None or highest < target) else 0


def _print_traceback(log: TextIO) -> None:
    with contextlib.suppress(OSError):  # Where the disk is full, the error itself must still be told.
        traceback.print_exc(file=log)
