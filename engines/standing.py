"""Where a run stands when an attempt begins: what it was asked, what is done, what can be gone on from."""

import math
from pathlib import Path

import msgspec

from engines.atomic_file import write_atomically
from engines.best_epoch import is_patience_lost, is_target_reached
from engines.catalog import DATASETS
from engines.checkpoints import CheckpointStore, Progress
from engines.engine import State
from engines.launch import Order
from engines.models import find_model
from engines.problems import CheckpointProblem, StorageProblem, UsageProblem
from engines.run_plan import RunPlan
from engines.run_state import RunState
from engines.runs import read_spec
from engines.spec import RunSpec, encode_spec


class Standing:
    """The run as its directory tells it; only for the holder of its lock.

    Raises `CheckpointProblem` where nothing whole is left to go on from, `UsageProblem` where nothing is left to do,
    `StorageProblem` where `spec.json` cannot be replaced.
    """

    def __init__(self, directory: Path, earlier: RunState, order: Order) -> None:
        spec = read_spec(directory)
        if spec is None or spec.dataset not in DATASETS or not find_model(spec.model):
            raise CheckpointProblem(f"{directory / 'spec.json'} is missing, or is none of ours.", "Start the run anew.")
        self.directory = directory
        self.run_id = directory.name
        self.spec: RunSpec = spec
        self.device = order.device
        self.attempt = earlier.started.attempt + 1 if earlier.started else 1
        self.batch_events = earlier.batch_count
        self.checkpoints = CheckpointStore(directory, spec)
        self.progress = Progress(lr=spec.lr)
        self.state: State | None = None
        self.warnings: list[str] = []
        train_size = DATASETS[spec.dataset].train_size - spec.validation
        self._steps_per_epoch = math.ceil(max(1, train_size) / spec.batch_size)
        self.checkpoints.remove_temporaries()
        if order.go_on:
            self._go_on(earlier, order)

    @property
    def placed_spec(self) -> RunSpec:
        """What the run was asked, on the GPU that it was given where it left that to others."""
        return msgspec.structs.replace(self.spec, device=self.device or self.spec.device)

    @property
    def epochs_done(self) -> int:
        """How many whole epochs are done."""
        return self.progress.epoch - (self.progress.step < self._steps_per_epoch)

    @property
    def steps_done(self) -> int:
        """How many steps of the next epoch are done."""
        return self.progress.step % self._steps_per_epoch

    def _go_on(self, earlier: RunState, order: Order) -> None:
        was_completed = earlier.finished is not None and earlier.finished.state == "completed"
        newest = self.checkpoints.newest()
        if newest:
            manifest, self.state, complaints = newest
            self.warnings = [f"A damaged checkpoint was passed over: {complaint}" for complaint in complaints]
            self.progress = manifest.progress
        elif earlier.checkpoints:
            raise CheckpointProblem(
                f"the checkpoints of run {self.run_id} are gone.", "Bring them back from a copy, or start the run anew."
            )
        elif was_completed:
            raise CheckpointProblem(f"run {self.run_id} was completed without a checkpoint.", "Start the run anew.")
        elif earlier.batch_count:
            self.warnings = ["No checkpoint of this run was ever saved: it begins again."]
        wanted = self._lengthened(order)
        plan = RunPlan(wanted, self.progress, self._steps_per_epoch)
        done = self._what_is_done(plan)
        # A run that died after its last step still lacks its results.
        if done and (was_completed or (wanted.epochs is not None and wanted.epochs < self.epochs_done)):
            raise UsageProblem(f"run {self.run_id} has {done}.", "Say how much more with --epochs or --budget.")
        if wanted is not self.spec:
            self.progress.patient_since = self.epochs_done
            self.progress.lift = 1.0
        self.keep(wanted)

    def _lengthened(self, order: Order) -> RunSpec:
        """Give the run's spec with as much more as is asked, by epochs, by time or by both, and by nothing else.

        A target that was reached before would leave nothing to train.
        """
        if not order.more_epochs and not order.more_seconds:
            return self.spec
        return msgspec.structs.replace(
            self.spec,
            target_accuracy=None if is_target_reached(self.progress, self.spec) else self.spec.target_accuracy,
            epochs=self.epochs_done + order.more_epochs if order.more_epochs else None,
            budget=self.progress.seconds + order.more_seconds if order.more_seconds else None,
        )

    def _what_is_done(self, plan: RunPlan) -> str:
        """Say what leaves nothing to do; empty where something is left."""
        if plan.is_time_up:
            return "spent its budget"
        if plan.is_over:
            return "done its one epoch" if self.epochs_done == 1 else f"done all its {self.epochs_done} epochs"
        if plan.spec is not self.spec:  # More is asked.
            return ""
        if is_target_reached(self.progress, plan.spec):
            return "reached its target accuracy"
        if is_patience_lost(self.progress, plan.spec, self.epochs_done):
            return f"done {plan.spec.patience} epoch{'s' * (plan.spec.patience != 1)} without a better one"
        return ""

    def keep(self, spec: RunSpec) -> None:
        """Have `spec` be what the run is asked, also for the next attempt; raises `StorageProblem`."""
        self.spec = spec
        try:
            write_atomically(self.directory / "spec.json", encode_spec(spec), durable=True)
        except OSError as error:
            raise StorageProblem(f"cannot write to {self.directory}: {error.strerror}.", "Check the disk.") from error
