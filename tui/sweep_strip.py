"""The accuracies of a combination's runs on one line: each run a dot, their mean a bar, between lowest and highest."""

from collections.abc import Sequence

from tui.axes import Axis, fitted_axis
from tui.formats import percent
from tui.lines import Line, fit, justify, merge

_RUN, _LIVE, _MEAN, _BETWEEN = "•", "○", "┃", "─"


def strip_axis(accuracies: Sequence[float]) -> Axis | None:
    """Give an axis of accuracies on which all of these are; None where there are none."""
    if not accuracies:
        return None
    axis = fitted_axis(accuracies, 2, percent)
    return Axis(min(axis.low, *accuracies), max(axis.high, *accuracies), axis.labels)


def draw_strip_heading(axis: Axis | None, width: int) -> Line:
    """Name the two ends of the axis."""
    if axis is None or not width:
        return fit([], width)
    return justify([(percent(axis.low, 1), "muted")], [(percent(axis.high, 1), "muted")], width)


def draw_strip(done: Sequence[float], mean: float | None, live: Sequence[float], axis: Axis | None, width: int) -> Line:
    """Draw the runs that are `done`, their `mean`, and those that are `live` as they are now; all are fractions."""
    if axis is None or not width:
        return fit([], width)
    cells: list[tuple[str, str]] = [(" ", "text")] * width

    def put(value: float, glyph: str, role: str) -> None:
        cells[_cell(value, axis, width)] = (glyph, role)

    if done:
        for at in range(_cell(min(done), axis, width), _cell(max(done), axis, width) + 1):
            cells[at] = (_BETWEEN, "rule")
    for value in done:
        put(value, _RUN, "test")
    for value in live:
        if axis.low <= value <= axis.high:
            put(value, _LIVE, "right")
    if mean is not None and len(done) > 1:
        put(mean, _MEAN, "chosen")
    return merge(cells)


def _cell(value: float, axis: Axis, width: int) -> int:
    return round((value - axis.low) / (axis.high - axis.low) * (width - 1))
