"""The lines of a measure along a part of a run: what was measured in training and in each test, as points to draw."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from operator import attrgetter

from engines.detailed_series import DetailedSeries
from engines.events import EpochEnded
from engines.run_state import RunState
from engines.series import Point
from tui import axes, formats
from tui.axes import Axis
from tui.curve_points import Points, by_column, points_within

OfEpoch = Callable[[EpochEnded], float | None]


@dataclass(frozen=True)
class Measure:
    """What is measured: its line within training, its figures of an epoch, its axis, and a value in words."""

    series: Callable[[RunState], DetailedSeries]
    trained: OfEpoch
    tested: OfEpoch
    axis: Callable[[Sequence[float], int], Axis]
    tick: Callable[[float], str]
    describe: Callable[[float | None], str]


ACCURACY = Measure(
    series=attrgetter("train_accuracy"),
    trained=attrgetter("train_accuracy"),
    tested=attrgetter("test_accuracy"),
    axis=axes.accuracy_axis,
    tick=lambda y: f"{100 * y:.4g} %",
    describe=formats.percent,
)
LOSS = Measure(
    series=attrgetter("train_loss"),
    trained=attrgetter("train_loss"),
    tested=attrgetter("test_loss"),
    axis=axes.loss_axis,
    tick=lambda y: f"{y:.4g}",
    describe=formats.loss,
)


def trained_line(state: RunState, measure: Measure, axis: Axis, columns: int, smoothing: float = 0.0) -> Points:
    """Give the line within the epochs, a point a column; where no batch was told of, the epochs' own means."""
    series = measure.series(state)
    if len(series):
        return points_within(series, axis, columns, smoothing)
    return _by_epoch(state.epochs, measure.trained, axis, columns)


def tested_line(state: RunState, measure: Measure, axis: Axis, columns: int) -> Points:
    """Give the test figures, a point an epoch, or a column where epochs are narrower."""
    return _by_epoch(state.epochs, measure.tested, axis, columns)


def newest_test(state: RunState, measure: Measure, axis: Axis) -> Points:
    """Give the figure of the last test up to the end of `axis` that has one; there may be none."""
    figures = ((_place_of(epoch), measure.tested(epoch)) for epoch in reversed(state.epochs))
    newest = next(((x, y) for x, y in figures if y is not None and not isnan(y) and x <= axis.high), None)
    return [newest] if newest else []


def best_point(state: RunState, measure: Measure) -> Points:
    """Give the test figure of the best epoch; there may be none."""
    best = state.best
    return [(_place_of(best), _or_nan(measure.tested(best)))] if best else []


def _by_epoch(epochs: Sequence[EpochEnded], figure: OfEpoch, axis: Axis, columns: int) -> Points:
    begin, end = bisect_left(epochs, axis.low, key=_place_of), bisect_right(epochs, axis.high, key=_place_of)
    seen = epochs[max(0, begin - 1) : end + 1]
    figures = ((_place_of(epoch), _or_nan(figure(epoch))) for epoch in seen)
    return by_column((Point(x, y, y, y) for x, y in figures), axis, columns)


def _place_of(epoch: EpochEnded) -> float:
    return epoch.place


def _or_nan(value: float | None) -> float:
    return nan if value is None else value
