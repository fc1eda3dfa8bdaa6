"""How far a sweep is: what its driver has found at one moment, for whoever shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engines import outlook
from engines.events import PhaseName
from engines.places import gpu_in
from engines.run_reader import RunReader, RunStatus
from engines.runs import RunSummary
from engines.spec import RunSpec


@dataclass(frozen=True)
class LiveRun:
    """A run in training as it is at one moment; accuracies are fractions, `phase` what it does before its first step.

    `part` is how much of the run is done, in 0..1, after so many `seconds` in all of its attempts. `is_ours` is false
    of one that somebody else has started.
    """

    spec: RunSpec
    directory: Path
    status: RunStatus
    is_ours: bool
    gpu: str | None
    phase: PhaseName | None
    epoch: int
    epochs: int
    part: float
    seconds: float | None
    train_accuracy: float | None
    test_accuracy: float | None
    seconds_left: float | None


@dataclass(frozen=True)
class SweepProgress:
    """A sweep as it is at one moment: what is known of its runs, which are in training, which are still to come.

    `reasons` say why runs that failed did, or could not be begun.
    """

    rows: Mapping[RunSpec, RunSummary]
    reasons: Mapping[RunSpec, str]
    training: tuple[LiveRun, ...]
    to_come: tuple[RunSpec, ...]
    is_stopping: bool

    @property
    def is_over(self) -> bool:
        """Tell whether nothing trains, and nothing more will by itself."""
        return not self.training and (not self.to_come or self.is_stopping)

    @property
    def completed(self) -> int:
        """How many runs are."""
        return sum(row.state == "completed" for row in self.rows.values())

    @property
    def failed(self) -> int:
        """How many runs failed, died or could not be begun."""
        return len(self.reasons)


def look_at(spec: RunSpec, reader: RunReader, *, is_ours: bool) -> LiveRun:
    """Give the run of `spec` as far as `reader` has read it."""
    state = reader.state
    batch, last = state.batch, state.epochs[-1] if state.epochs else None
    unfinished = [phase.name for phase in state.phases.values() if phase.state != "finished"]
    return LiveRun(
        spec=spec,
        directory=reader.directory,
        status=reader.status(),
        is_ours=is_ours,
        gpu=gpu_in(state.started.device) if state.started else None,
        phase=unfinished[-1] if unfinished else None,
        epoch=batch.epoch if batch else 0,
        epochs=outlook.epochs_in_all(state, spec),
        part=outlook.part_done(state),
        seconds=state.seconds,
        train_accuracy=batch.accuracy if batch else None,
        test_accuracy=last.test_accuracy if last else None,
        seconds_left=outlook.seconds_left(state),
    )
