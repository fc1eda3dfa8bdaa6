"""Runs side by side on one clock: what each reached, after how many seconds of training. Pure functions of states."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any, Literal

from engines.catalog import FRAMEWORK_TITLES
from engines.run_reader import ALIVE
from engines.run_state import RunState
from engines.series import Series
from engines.spec import RunSpec
from engines.text import clean_text
from tui import formats
from tui.curve_points import Points
from tui.plain import wish
from tui.status_marks import Status

Clock = Literal["seconds", "epochs"]
Metric = Literal["accuracy", "loss"]

MILESTONES = (0.90, 0.95, 0.97, 0.98, 0.99)
"""Test accuracies whose moment is told."""

_TOLD_APART_BY = ("framework", "model", "dataset", "batch_size", "lr", "seed", "device", "epochs", "budget")
_UNITS = {"batch_size": "batch {}", "lr": "lr {}", "seed": "seed {}", "budget": "{} s"}
_SELDOM_TOLD_APART_BY = tuple(name for name in RunSpec.__struct_fields__ if name not in (*_TOLD_APART_BY, "data_dir"))


@dataclass(frozen=True)
class Lane:
    """A run in a race, under its letter."""

    letter: str
    directory: Path
    spec: RunSpec | None
    state: RunState
    status: Status

    @property
    def is_over(self) -> bool:
        """Tell whether no more is to come."""
        return self.status not in ALIVE and self.status != "queued"

    @property
    def best_accuracy(self) -> float | None:
        """The test accuracy of the best epoch, in 0..1."""
        return self.state.best.test_accuracy if self.state.best else None

    @property
    def is_chosen_on_validation(self) -> bool:
        """Tell whether the best epoch is chosen on held out images: another may have had a higher test accuracy."""
        return self.state.best is not None and self.state.best.validation_accuracy is not None


def training_seconds(state: RunState) -> list[tuple[int, float]]:
    """Give each epoch with the seconds of training up to its end: imports, tests and checkpoints do not count."""
    total, ends = 0.0, []
    for epoch in state.epochs:
        total += max(0.0, epoch.train_seconds or 0.0)
        ends.append((epoch.epoch, total))
    return ends


def seconds_to(lane: Lane, accuracy: float) -> float | None:
    """Give after how many seconds of training an epoch's test accuracy was there; None while none was."""
    for epoch, (_, seconds) in zip(lane.state.epochs, training_seconds(lane.state), strict=True):
        if epoch.test_accuracy is not None and epoch.test_accuracy >= accuracy:
            return seconds
    return None


def results(lane: Lane, metric: Metric, clock: Clock) -> Points:
    """Give the test results by epoch, on `clock`; NaN where one is missing."""
    points = []
    for epoch, (_, seconds) in zip(lane.state.epochs, training_seconds(lane.state), strict=True):
        value = epoch.test_accuracy if metric == "accuracy" else epoch.test_loss
        points.append((seconds if clock == "seconds" else epoch.place, nan if value is None else value))
    return points


def training(lane: Lane, metric: Metric, clock: Clock) -> Points:
    """Give the means in training of a run that has not been tested yet: a sign of life on the way to the first test."""
    state = lane.state
    if state.epochs or state.batch is None or state.started is None:
        return []
    series: Series = state.train_accuracy if metric == "accuracy" else state.train_loss
    rate = state.batch.images_per_second
    an_epoch = state.started.train_size / rate if rate is not None and rate > 0 else 0.0
    return [(point.x * an_epoch if clock == "seconds" else point.x, point.mean) for point in series]


def names_of(lanes: Sequence[Lane]) -> list[str]:
    """Give each run the words in which it differs from another; where it differs in none, the end of its id.

    What is seldom asked for is told only as far as the rest leaves runs alike.
    """
    telling, seldom = _differing(lanes, _TOLD_APART_BY), _differing(lanes, _SELDOM_TOLD_APART_BY)
    names = _told_apart(lanes, telling)
    while seldom and len(set(names)) < len(names):
        telling.append(seldom.pop(0))
        names = _told_apart(lanes, telling)
    return [
        name if name and names.count(name) == 1 else f"{name} {lane.directory.name[-4:]}".strip()
        for name, lane in zip(names, lanes, strict=True)
    ]


def common_words(lanes: Sequence[Lane]) -> str:
    """Say in what all runs are alike: `lenet on mnist, seed 0`."""
    alike = [name for name in _TOLD_APART_BY if len({_value(lane, name) for lane in lanes}) == 1]
    words = [_words(lanes[0], name) for name in alike if name != "device"] if lanes[0].spec else []
    return ", ".join(filter(None, words))


def verdict(lanes: Sequence[Lane]) -> str:
    """Say who came first to the highest milestone that any reached: `98 % first by B nn after 12.4 s; A not yet`."""
    for milestone in reversed(MILESTONES):
        reached = [(seconds, lane) for lane in lanes if (seconds := seconds_to(lane, milestone)) is not None]
        if not reached:
            continue
        (first, winner), *others = sorted(reached, key=lambda pair: pair[0])
        name = names_of(lanes)[lanes.index(winner)]
        left = [lane for lane in lanes if all(lane is not there for _, there in reached)]
        told = [f"{lane.letter} after {formats.duration(seconds)}" for seconds, lane in others]
        told += [f"{_letters(left, is_over=False)} not yet"] if _letters(left, is_over=False) else []
        told += [f"{_letters(left, is_over=True)} never"] if _letters(left, is_over=True) else []
        won = f"{_percent(milestone)} first by {winner.letter} {name} after {formats.duration(first)}"
        return "; ".join([won, *([", ".join(told)] if told else [])])
    if all(lane.is_over for lane in lanes):
        return f"none reached {_percent(MILESTONES[0])}"
    if all(lane.status == "queued" for lane in lanes):
        return "waiting for a turn: another run is at work"
    return f"none is at {_percent(MILESTONES[0])} yet"


def _letters(lanes: Sequence[Lane], *, is_over: bool) -> str:
    return " ".join(lane.letter for lane in lanes if lane.is_over == is_over)


def _percent(milestone: float) -> str:
    return formats.percent(milestone, 0)


def _differing(lanes: Sequence[Lane], fields: Sequence[str]) -> list[str]:
    return [name for name in fields if len({_value(lane, name) for lane in lanes}) > 1]


def _told_apart(lanes: Sequence[Lane], telling: Sequence[str]) -> list[str]:
    return [" ".join(filter(None, (_words(lane, name) for name in telling))) for lane in lanes]


def _value(lane: Lane, name: str) -> Any:  # noqa: ANN401 - any field of a spec
    return getattr(lane.spec, name) if lane.spec else None


def _words(lane: Lane, name: str) -> str:
    value = _value(lane, name)
    if name in _SELDOM_TOLD_APART_BY:
        return clean_text(wish(name, value), 40) if lane.spec else ""
    if value is None:
        return ""
    if name == "framework":
        return FRAMEWORK_TITLES.get(str(value), str(value))
    if name == "epochs":
        return formats.counted(value, "epoch")
    text = formats.number(value) if isinstance(value, float) else str(value)
    return clean_text(_UNITS.get(name, "{}").format(text), 40)
