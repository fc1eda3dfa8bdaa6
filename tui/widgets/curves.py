"""Accuracy and loss over the epochs as lines of text: training within the epoch, testing by epoch, the best marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, log10, nan

from engines.events import EpochEnded
from engines.series import Series
from tui import axes, formats
from tui.drawing import QUADRANTS, Curve, draw_chart
from tui.lines import Line
from tui.view import View
from tui.widgets.pane import draw_waiting

TRAIN_MARK, TEST_MARK, BEST_MARK = "─", "●", "◆"
_COLUMNS_PER_MARK = 2.5
"""With fewer columns to an epoch, the marks would hide the line."""

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Metric:
    """A metric by epoch: within training, in each test, at the best epoch; `describe` says a value in words."""

    trained: Points
    tested: Points
    best: Points
    describe: Callable[[float], str]

    def values(self) -> list[float]:
        """Give all values; NaN where one is missing."""
        return [y for _, y in self.trained + self.tested]


def draw_accuracy(view: View, width: int, height: int) -> list[Line]:
    """Draw training and test accuracy, with the last values at the ends of their lines."""
    state = view.state
    metric = Metric(
        _trained(view, state.train_accuracy, [epoch.train_accuracy for epoch in state.epochs], width),
        [(float(epoch.epoch), _or_nan(epoch.test_accuracy)) for epoch in state.epochs],
        [(float(state.best.epoch), _or_nan(state.best.test_accuracy))] if state.best else [],
        formats.percent,
    )
    return draw_metric(view, metric, axes.accuracy_axis(metric.values(), height - 1), width, height)


def draw_loss(view: View, width: int, height: int, *, is_log: bool) -> list[Line]:
    """Draw training and test loss, with the last values at the ends of their lines."""
    state = view.state
    trained = _trained(view, state.train_loss, [epoch.train_loss for epoch in state.epochs], width)
    tested = [(float(epoch.epoch), _or_nan(epoch.test_loss)) for epoch in state.epochs]
    if is_log:
        metric = Metric(_logarithms(trained), _logarithms(tested), [], lambda y: formats.loss(10**y))
        return draw_metric(view, metric, axes.log_loss_axis(metric.values()), width, height)
    metric = Metric(trained, tested, [], formats.loss)
    return draw_metric(view, metric, axes.loss_axis(metric.values(), height - 1), width, height)


def draw_metric(view: View, metric: Metric, y_axis: axes.Axis, width: int, height: int) -> list[Line]:
    """Draw a metric over the epochs, or say what is waited for."""
    if all(isnan(y) for y in metric.values()):
        return draw_waiting(view, width)
    train_mark, test_mark, best_mark = marks_of(view)
    trained, tested = metric.trained, metric.tested
    line, test_line = (".", "-") if view.ascii_only else (QUADRANTS, QUADRANTS)
    curves = [
        Curve(trained, "train", line, end=_end(train_mark, trained, metric.describe)),
        Curve(tested, "test", test_line, end=_end(test_mark, tested, metric.describe)),
    ]
    if len(tested) * _COLUMNS_PER_MARK <= width:
        curves.append(Curve(tested, "test", test_mark, joined=False))
    curves.append(Curve(metric.best, "test", best_mark, joined=False))
    return draw_chart(curves, _epoch_axis(view), y_axis, width, height)


def by_column(series: Series, high: float, columns: int) -> Points:
    """Give the means of `series` in `columns` equal parts of 0 to `high`, a part without any value left out.

    The parts stay where they are while the series grows, so that what was drawn stays as it is.
    """
    sums: dict[int, tuple[float, float, int]] = {}
    for point in series:
        column = min(columns - 1, int(point.x / high * columns))
        _, total, count = sums.get(column, (0.0, 0.0, 0))
        weight = 0 if isnan(point.mean) else point.count
        sums[column] = point.x, total + (point.mean * weight if weight else 0.0), count + weight
    return [(x, total / count if count else nan) for x, total, count in sums.values()]


def accuracy_gap(epoch: EpochEnded) -> float | None:
    """Give by how much an epoch's training accuracy is above its test accuracy; None where one is missing."""
    if epoch.train_accuracy is None or epoch.test_accuracy is None:
        return None
    return epoch.train_accuracy - epoch.test_accuracy


def rising_since(epochs: Sequence[EpochEnded]) -> int | None:
    """Give the epoch of the lowest test loss where the two after it, at least, were higher: overfitting has begun."""
    losses = [(epoch.test_loss, epoch.epoch) for epoch in epochs if epoch.test_loss is not None]
    lowest = min(losses, default=None)
    return lowest[1] if lowest and losses[-2:] and lowest not in losses[-2:] else None


def marks_of(view: View) -> tuple[str, str, str]:
    """Give what stands for training, for testing, and for the best epoch."""
    return (".", "o", "*") if view.ascii_only else (TRAIN_MARK, TEST_MARK, BEST_MARK)


def _end(mark: str, points: Points, describe: Callable[[float], str]) -> str:
    last = next((y for _, y in reversed(points) if not isnan(y)), None)
    return "" if last is None else f"{mark} {describe(last)}"


def _epoch_axis(view: View) -> axes.Axis:
    return axes.epoch_axis(view.state.position, view.spec.epochs if view.spec else 1)


def _trained(view: View, series: Series, of_epochs: Sequence[float | None], width: int) -> Points:
    """Give the line within the epochs, a point a column; where no batch was told of, the epochs' own means."""
    if len(series):
        return by_column(series, _epoch_axis(view).high, width)
    return [(float(epoch.epoch), _or_nan(value)) for epoch, value in zip(view.state.epochs, of_epochs, strict=True)]


def _logarithms(points: Points) -> Points:
    return [(x, log10(y) if y > 0 else nan) for x, y in points]


def _or_nan(value: float | None) -> float:
    return nan if value is None else value
