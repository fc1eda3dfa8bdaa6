"""A sweep in words and numbers, as its screen shows it. Pure functions of how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from engines.catalog import FRAMEWORK_TITLES
from engines.runs import RunSummary
from engines.spec import RunSpec
from engines.sweep import Group, Sweep, is_chosen_on_validation, ranking
from engines.sweep_progress import LiveRun, SweepProgress
from engines.text import clean_text
from tui import formats
from tui.plain import length_of
from tui.view import dataset_title

_FIRST_PART = 0.02
"""Before so much of a run is done, its pace tells nothing of how long one takes."""

_TITLE_CHARACTERS = 80


@dataclass(frozen=True)
class SweepView:
    """A sweep at one moment, `elapsed` seconds after its screen was opened, of which so many runs train `at_once`."""

    sweep: Sweep
    progress: SweepProgress
    elapsed: float
    at_once: int

    @cached_property
    def groups(self) -> list[Group]:
        """What the runs of each combination have come to."""
        return self.sweep.groups(self.progress.rows)

    @cached_property
    def names(self) -> list[str]:
        """What tells each combination from the others."""
        return [name_of(group) for group in self.groups]

    @cached_property
    def live(self) -> dict[RunSpec, LiveRun]:
        """The runs in training, by their specs."""
        return {run.spec: run for run in self.progress.training}

    @property
    def part(self) -> float:
        """How much of the work is done, in 0..1: of a run that is not at work, what its epochs come to."""
        at_rest = [_part_of(spec, row) for spec, row in self.progress.rows.items() if spec not in self.live]
        training = [run.part for run in self.live.values()]
        return sum(at_rest + training) / len(self.sweep.specs)

    @property
    def is_whole(self) -> bool:
        """Tell whether all runs are completed."""
        return self.progress.completed == len(self.sweep.specs)

    def seconds_left(self) -> float | None:
        """Give the seconds until the last run ends, from what runs of the same kind took; None where nothing tells."""
        if self.progress.is_over:
            return None
        whole = self._seconds_of_a_run()
        to_come = [whole[self.sweep.place[spec]] for spec in self.progress.to_come]
        training = [self._seconds_left_of(run, whole) for run in self.progress.training]
        known = [seconds for seconds in (*to_come, *training) if seconds is not None]
        if len(known) < len(to_come) + len(training):
            return None
        return max(sum(known) / self.at_once, *(seconds for seconds in training if seconds is not None), 0.0)

    def _seconds_of_a_run(self) -> list[float | None]:
        """Give what a run of each combination takes: as those did that are done, or as others do."""
        paces = [(self.sweep.place[run.spec], pace) for run in self.live.values() if (pace := _pace_of(run))]
        known = [
            group.seconds or (fmean(own) if (own := [pace for at, pace in paces if at == place]) else None)
            for place, group in enumerate(self.groups)
        ]
        told = [seconds for seconds in known if seconds is not None]
        return [seconds if seconds is not None else fmean(told) if told else None for seconds in known]

    def _seconds_left_of(self, run: LiveRun, whole: Sequence[float | None]) -> float | None:
        seconds = whole[self.sweep.place[run.spec]]
        return run.seconds_left if seconds is None else seconds * (1 - run.part)


def name_of(group: Group) -> str:
    """Say what tells a combination from the others: `PyTorch lenet lr 0.001`; of the only one, that it is all."""
    told = [_words(name, value) for name, value in group.varied.items() if value is not None]
    return " ".join(told) or "all runs"


def name_of_run(view: SweepView, spec: RunSpec) -> str:
    """Say what tells a run from the others: `lr 0.001 seed 3`."""
    seed = f"seed {spec.seed}"
    return f"{view.names[view.sweep.place[spec]]} {seed}" if view.sweep.varied else seed


def common_words(sweep: Sweep) -> str:
    """Say what is the same in all runs: `PyTorch lenet on MNIST, 5 epochs`."""
    spec, varied = sweep.specs[0], set(sweep.varied)
    what = [
        *([FRAMEWORK_TITLES[spec.framework]] if "framework" not in varied else []),
        *([spec.model] if "model" not in varied else []),
        *([f"on {dataset_title(spec)}"] if "dataset" not in varied else []),
    ]
    lengths = {length_of(one) for one in sweep.specs}
    return clean_text(" ".join(what) + (f", {lengths.pop()}" if len(lengths) == 1 else ""))


def verdict(view: SweepView) -> list[str]:
    """Say which combination is best so far, and then how far the next is behind."""
    ranked = ranking(view.groups)
    if not ranked:
        return ["no run is done yet" if not view.progress.is_over else "no run was completed"]
    best = view.groups[ranked[0]]
    by_validation = is_chosen_on_validation(view.groups)
    mean, spread = (best.validation_mean, best.validation_spread) if by_validation else (best.mean, best.spread)
    figure = f"{'validation ' if by_validation else ''}{formats.percent(mean)}"
    figure += f" +- {formats.spread(spread)}" if spread is not None else ""
    figure += f" over {formats.counted(best.completed, 'run')}"
    if len(view.groups) == 1:
        return [figure]
    words = f"{'best' if view.progress.is_over else 'best so far'}: {view.names[ranked[0]]}, {figure}"
    if len(ranked) == 1:
        return [words]
    second = view.groups[ranked[1]]
    behind = 100 * ((mean or 0.0) - ((second.validation_mean if by_validation else second.mean) or 0.0))
    name = view.names[ranked[1]]
    return [words, f"{name} is {behind:.2f} points behind" if f"{behind:.2f}" != "0.00" else f"{name} is as good"]


def title_of(view: SweepView) -> str:
    """Say how the sweep stands in the few words of a window's title: `35 % sweep, 97.2 %`."""
    mark = "✓" if view.is_whole else "■" if view.progress.is_over else f"{min(99, int(100 * view.part))} %"
    ranked = ranking(view.groups)
    best = f", {formats.percent(view.groups[ranked[0]].mean, 1)}" if ranked else ""
    return clean_text(f"{mark} sweep{best}")[:_TITLE_CHARACTERS]


def end_of(view: SweepView) -> str:
    """Say that the sweep has ended, and how."""
    return clean_text(f"sweep: {view.progress.completed} of {len(view.sweep.specs)} runs, {verdict(view)[0]}")


def _part_of(spec: RunSpec, row: RunSummary) -> float:
    """Give how much of a run that is not at work is done, in 0..1; by what would have ended it first."""
    if row.state == "completed":
        return 1.0
    by_epochs = row.epochs_done / spec.epochs if spec.epochs else 0.0
    by_time = row.epochs_done * (row.epoch_seconds or 0.0) / spec.budget if spec.budget else 0.0
    return min(1.0, max(by_epochs, by_time))


def _pace_of(run: LiveRun) -> float | None:
    """Give what all of a run would take at the pace that it has had, in seconds; None before that tells anything."""
    return run.seconds / run.part if run.seconds is not None and run.part > _FIRST_PART else None


def _words(name: str, value: Any) -> str:  # noqa: ANN401 - any field of a spec
    if name == "framework":
        return FRAMEWORK_TITLES.get(value, str(value))
    if name == "budget":
        return formats.span(value)
    text = formats.number(value) if isinstance(value, float) else str(value)
    return clean_text(text if name in ("model", "dataset") else f"{name.replace('_', '-')} {text}", 60)
