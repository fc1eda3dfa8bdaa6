"""What the panes of the live screen draw from: a run as it is at one moment."""

from pathlib import Path

import msgspec

from engines.catalog import DATASETS, FRAMEWORK_TITLES
from engines.events import Phase, PhaseName
from engines.run_reader import ALIVE, RunStatus
from engines.run_state import RunState
from engines.spec import RunSpec
from engines.text import clean_text
from tui import formats

_DOING = {
    "import": "importing {framework}",
    "data": "loading {dataset}",
    "build": "building {model}",
    "train": "training the first epoch",
    "save": "loading the saved model back",
    "evaluate": "evaluating on the whole sets",
}


class View(msgspec.Struct, frozen=True):
    """A run's state and status at `now` (Unix seconds), and what else of its directory is shown.

    `death` says how a worker ended that did not say so itself, `is_gone` that all of the directory is gone.
    Where `ascii_only`, nothing but ASCII is drawn that matters.
    """

    directory: Path
    state: RunState
    status: RunStatus
    now: float
    spec: RunSpec | None
    log_lines: tuple[str, ...] = ()
    death: str = ""
    is_gone: bool = False
    ascii_only: bool = False

    @property
    def is_alive(self) -> bool:
        """Tell whether more is to come."""
        return self.status in ALIVE

    @property
    def title(self) -> str:
        """Say what is trained on what, as a person would: `PyTorch lenet on MNIST`."""
        return describe_spec(self.spec) if self.spec else self.directory.name

    @property
    def elapsed(self) -> float | None:
        """Seconds that the run was at work in all its attempts, until now or its end."""
        known, last = self.state.seconds, self.state.last_time
        if known is None or last is None:
            return None
        return known + max(0.0, self.now - last) if self.is_alive else known

    def class_name(self, label: int) -> str:
        """Give what a class is called."""
        names = self.state.started.class_names if self.state.started else []
        return names[label] if 0 <= label < len(names) else str(label)

    def waiting_for(self) -> str:
        """Say what has to happen before there is something to show."""
        if not self.is_alive:
            return "the run ended before there was anything to show"
        phase = _current_phase(self.state)
        if phase is None or self.spec is None:
            return "waiting for the worker to say its first word"
        doing = describe_phase(phase.name, self.spec)
        return doing + (f", {describe_progress(phase)}" if describe_progress(phase) else "...")


def describe_spec(spec: RunSpec) -> str:
    """Say what a spec asks for: `PyTorch lenet on MNIST`; a name in it may be anything, and comes out safe to show."""
    return clean_text(f"{FRAMEWORK_TITLES[spec.framework]} {spec.model} on {dataset_title(spec)}")


def describe_phase(name: PhaseName, spec: RunSpec) -> str:
    """Say what a run does in a phase: `importing PyTorch`."""
    names = {"framework": FRAMEWORK_TITLES[spec.framework], "dataset": dataset_title(spec)}
    return clean_text(_DOING[name].format(model=spec.model, **names))


def describe_progress(phase: Phase) -> str:
    """Say how far a phase is: `34 % of 9.5 MiB`, `3 of 5 epochs`; empty while nothing is known."""
    if not phase.done:
        return ""
    if phase.unit == "bytes":
        size = formats.size(phase.total or phase.done)
        return f"{phase.done * 100 // phase.total} % of {size}" if phase.total and phase.done < phase.total else size
    of = f"{phase.done:,} of " if phase.total and phase.total != phase.done else ""
    return of + formats.counted(phase.total or phase.done, phase.unit.removesuffix("s"))


def dataset_title(spec: RunSpec) -> str:
    """Give what the dataset of a spec is called: `MNIST`."""
    dataset = DATASETS.get(spec.dataset)
    return dataset.title if dataset else spec.dataset


def _current_phase(state: RunState) -> Phase | None:
    unfinished = [phase for phase in state.phases.values() if phase.state != "finished"]
    return unfinished[-1] if unfinished else next(reversed(state.phases.values()), None)
