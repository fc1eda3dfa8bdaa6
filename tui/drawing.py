"""Curves as lines of text. The one file that uses plotext, and only to draw: axes and values are set around it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from rich.cells import cell_len

from tui.axes import Axis
from tui.lines import Line, fit, merge

QUADRANTS = "hd"
"""Four points in a cell, from blocks that terminal fonts have; where one lacks braille, there would be boxes."""

_ROLE_AND_TEXT = re.compile(r"\x1b\[(?:0|38;5;(\d+))m([^\x1b]*)")
_GRID_DOT = "·"
_MIN_CANVAS = (8, 3)


@dataclass(frozen=True)
class Curve:
    """A curve: points by rising x; a y that is no finite number breaks it.

    `marker` is `QUADRANTS`, or the character that stands for a point. `end` is what its last point says, in words.
    """

    points: Sequence[tuple[float, float]]
    role: str
    marker: str = QUADRANTS
    joined: bool = True
    end: str = ""


def import_plotext() -> None:
    """Import plotext now, a quarter of a second, so that the first curve need not wait for it."""
    import plotext

    plotext.terminal.limit(False, False)


def draw_chart(curves: Sequence[Curve], x_axis: Axis, y_axis: Axis, width: int, height: int) -> list[Line]:
    """Draw `curves` in `height` lines of `width` cells: tick labels left and below, each curve's end on the right.

    What lies outside of the axes is clipped. Ticks of y are evenly apart, so a few lines may stay empty.
    """
    label_width = max(len(label) for label in y_axis.labels)
    end_width = max((cell_len(curve.end) for curve in curves), default=0)
    columns = width - label_width - end_width - 2
    y_gap = max(1, (height - 2) // (len(y_axis.labels) - 1))
    rows = min(height - 1, y_gap * (len(y_axis.labels) - 1) + 1)
    if columns < _MIN_CANVAS[0] or rows < _MIN_CANVAS[1]:
        return [fit([("too small for a curve", "muted")], width)] + [fit([], width)] * (height - 1)
    canvas = draw_canvas(curves, (x_axis.low, x_axis.high), (y_axis.low, y_axis.high), columns, rows)
    ends = _place_ends(curves, y_axis, rows)
    lines = []
    for row, drawn in enumerate(canvas):
        label = y_axis.labels[-1 - row // y_gap] if row % y_gap == 0 else ""
        left: Line = [(label.rjust(label_width) + " ", "muted")]
        lines.append(fit([*left, *(_with_grid(drawn) if label else drawn), (" ", "text"), *ends.get(row, [])], width))
    below = _x_labels(x_axis.labels, columns)
    lines.append(fit([(" " * (label_width + 1), "text"), (below, "muted")], width))
    return lines + [fit([], width)] * (height - len(lines))


def draw_canvas(
    curves: Sequence[Curve], x_range: tuple[float, float], y_range: tuple[float, float], width: int, height: int
) -> list[Line]:
    """Draw `curves`, the last on top, in `height` lines of `width` cells, the ranges' ends in the outermost cells."""
    import plotext

    roles = sorted({curve.role for curve in curves})
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear.data()
    figure.plot_size(width, height).axes(False).canvas("default")
    for axis, limits in (("x", x_range), ("y", y_range)):
        figure.ruler(axis).ticks([])
        figure.ruler(axis).lim(*limits)
    for curve in curves:
        marker = plotext.marker(curve.marker, roles.index(curve.role))
        for stretch in _unbroken(curve.points):
            xs, ys = zip(*stretch, strict=True)
            signal = figure.signal(_near(xs, x_range), _near(ys, y_range), marker=marker)
            figure.draw(signal.lines(curve.joined))
    text: str = figure.build().string()
    return [_parse(line, roles, width) for line in text.split("\n")[:height]]


def _unbroken(points: Sequence[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """Give the stretches between gaps; plotext aborts the process on a NaN and raises on an infinity."""
    stretch: list[tuple[float, float]] = []
    for x, y in points:
        if isfinite(x) and isfinite(y):
            stretch.append((x, y))
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _near(values: Sequence[float], limits: tuple[float, float]) -> list[float]:
    """Bring what is far outside nearer; plotext walks a line cell by cell, visible or not."""
    low, high = limits
    span = high - low
    return [min(high + span, max(low - span, value)) for value in values]


def _parse(line: str, roles: list[str], width: int) -> Line:
    runs = [(text, roles[int(color)] if color else "text") for color, text in _ROLE_AND_TEXT.findall(line) if text]
    return fit(merge(runs), width)


def _with_grid(line: Line) -> Line:
    """Put a faint dot in every second cell that is free."""
    runs, at = [], 0
    for text, role in line:
        if role == "text":
            runs.append(("".join(" " if (at + i) % 2 else _GRID_DOT for i in range(len(text))), "grid"))
        else:
            runs.append((text.replace(" ", _GRID_DOT), role))
        at += len(text)
    return runs


def _x_labels(labels: Sequence[str], columns: int) -> str:
    """Set each label around its place; one that would touch the one before is left out."""
    text = ""
    for at, label in enumerate(labels):
        start = max(0, round(at * (columns - 1) / (len(labels) - 1)) - len(label) // 2)
        if not text or start > len(text):
            text = text.ljust(start) + label
    return text


def _place_ends(curves: Sequence[Curve], y_axis: Axis, rows: int) -> dict[int, Line]:
    """Give each curve's end the row of its last value, or the nearest that is free."""
    taken: dict[int, Line] = {}
    for curve in reversed(curves):
        last = next((y for _, y in reversed(curve.points) if isfinite(y)), None)
        if last is None or not curve.end:
            continue
        wanted = round((y_axis.high - last) / (y_axis.high - y_axis.low) * (rows - 1))
        wanted = min(rows - 1, max(0, wanted))
        free = [row for row in range(rows) if row not in taken]
        taken[min(free, key=lambda row: abs(row - wanted))] = [(curve.end, curve.role)]
    return taken
