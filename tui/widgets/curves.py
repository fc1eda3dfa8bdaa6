"""Accuracy and loss over the epochs as charts: training, testing, the best epoch, the run before, what happened."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isnan

from tui import axes
from tui.axes import Axis
from tui.chart import Chart, Rule
from tui.curve_lines import Measure, best_point, newest_test, tested_line, trained_line
from tui.curve_points import Points, logarithms, seen_within
from tui.drawing import QUADRANTS, Curve
from tui.ghost import Ghost
from tui.lens import Lens, extent_of
from tui.mark_words import sign_of
from tui.view import View

TRAIN_MARK, TEST_MARK, BEST_MARK, GHOST_MARK = "─", "●", "◆", "┄"
_COLUMNS_PER_MARK = 2.5
"""With fewer columns to an epoch, the marks would hide the line."""


@dataclass(frozen=True)
class Look:
    """How curves are looked at: through a lens, with the run before behind them, on a logarithmic scale."""

    lens: Lens = field(default_factory=Lens)
    ghost: Ghost | None = None
    is_log: bool = False


PLAINLY = Look()


def chart_of(
    view: View, measure: Measure, width: int, height: int, look: Look = PLAINLY, *, fitted: Axis | None = None
) -> Chart | None:
    """Lay out the curves of `measure` for `height` lines of `width` cells; None where there is no value to draw yet.

    `fitted` is the vertical axis so far: a part keeps it as long as it fits, so that the picture stands still.
    """
    axis = look.lens.axis(extent_of(view))
    curves = list(_curves(view, measure, axis, width, look))
    if look.is_log:
        curves = [replace(curve, points=logarithms(curve.points)) for curve in curves]
    rules = list(_rules(view, look.lens, axis))
    rows = height - 1 - any(rule.sign for rule in rules)
    if look.lens.span is not None:
        tick = _logarithmic_tick if look.is_log else measure.tick
        return Chart(curves, axis, _part_axis(curves, axis, rows, tick, fitted), rules)
    values = [y for curve in curves if curve.joined for x, y in curve.points if axis.low <= x <= axis.high]
    if all(map(isnan, values)):
        return None
    return Chart(curves, axis, axes.log_loss_axis(values) if look.is_log else measure.axis(values, rows), rules)


def marks_of(view: View) -> tuple[str, str, str, str]:
    """Give what stands for training, for testing, for the best epoch, and for the run before."""
    return ("+", "o", "*", "'") if view.ascii_only else (TRAIN_MARK, TEST_MARK, BEST_MARK, GHOST_MARK)


def _curves(view: View, measure: Measure, axis: Axis, columns: int, look: Look) -> Iterator[Curve]:
    """Give the curves, those behind the others first."""
    state, smoothing = view.state, look.lens.smoothing
    train_mark, test_mark, best_mark, _ = marks_of(view)
    line, test_line, faint_line, ghost_line = ("+", "-", ",", "'") if view.ascii_only else (QUADRANTS,) * 4
    if look.ghost:
        past = look.ghost.state
        yield Curve(trained_line(past, measure, axis, columns, smoothing), "ghost", ghost_line)
        yield Curve(tested_line(past, measure, axis, columns), "ghost", ghost_line)
    trained = trained_line(state, measure, axis, columns)
    if smoothing:
        yield Curve(trained, "faint", faint_line)
        trained = trained_line(state, measure, axis, columns, smoothing)
    yield Curve(trained, "train", line, end=_end(train_mark, trained, axis, measure.describe))
    tested = tested_line(state, measure, axis, columns)
    yield Curve(
        tested, "test", test_line, end=_end(test_mark, newest_test(state, measure, axis), axis, measure.describe)
    )
    if (axis.high - axis.low) * _COLUMNS_PER_MARK <= columns:
        yield Curve(tested, "test", test_mark, joined=False)
    yield Curve(best_point(state, measure), "test", best_mark, joined=False)


def _end(mark: str, points: Points, axis: Axis, describe: Callable[[float], str]) -> str:
    last = next((y for x, y in reversed(points) if x <= axis.high and not isnan(y)), None)
    return "" if last is None else f"{mark} {describe(last)}"


def _rules(view: View, lens: Lens, axis: Axis) -> Iterator[Rule]:
    dashed, whole = (":", "|") if view.ascii_only else ("┊", "│")
    for mark in view.state.marks:
        if axis.low <= mark.place <= axis.high:
            yield Rule(mark.place, dashed, "mark", sign_of(mark, ascii_only=view.ascii_only))
    if lens.cursor is not None and axis.low <= lens.cursor <= axis.high:
        yield Rule(lens.cursor, whole, "cursor")


def _part_axis(
    curves: Sequence[Curve], axis: Axis, rows: int, tick: Callable[[float], str], fitted: Axis | None
) -> Axis:
    """Give the vertical axis of what is seen along `axis`; it stays `fitted` as long as that fits."""
    tests, others = list[float](), list[float]()
    for curve in curves:
        if curve.joined:
            # Few as they are beside the steps of training, tests would count as outliers, and not be seen at all.
            (tests if curve.role == "test" else others).extend(seen_within(curve.points, axis))
    if fitted and axes.still_fits(fitted, others, kept=tests):
        return fitted
    return axes.fitted_axis(others, rows, tick, kept=tests)


def _logarithmic_tick(y: float) -> str:
    return f"{10**y:.3g}"
