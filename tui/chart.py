"""Curves on axes as lines of text: labels left and below, each curve's end on the right, rules with their signs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean

from rich.cells import cell_len

from tui.axes import Axis
from tui.drawing import Curve, draw_canvas
from tui.lines import Line, fit, merge

_GRID_DOT = "·"
_MIN_CANVAS = (8, 3)


@dataclass(frozen=True)
class Rule:
    """A line from top to bottom at `x`, behind the curves; its `sign` stands below it, above the labels."""

    x: float
    glyph: str
    role: str
    sign: str = ""


@dataclass(frozen=True)
class Chart:
    """What is drawn, on which axes."""

    curves: Sequence[Curve]
    x_axis: Axis
    y_axis: Axis
    rules: Sequence[Rule] = ()

    def draw(self, width: int, height: int) -> list[Line]:
        """Draw in `height` lines of `width` cells.

        What lies outside of the axes is clipped. Ticks of y are evenly apart, so a few lines may stay empty.
        """
        columns, intervals = self.columns(width), len(self.y_axis.labels) - 1
        signs = self._signs(columns)
        room = height - 1 - bool(signs)
        rows = (room - 1) // intervals * intervals + 1 if room > intervals else room
        if columns < _MIN_CANVAS[0] or rows < _MIN_CANVAS[1]:
            return [fit([("too small for a curve", "muted")], width)] + [fit([], width)] * (height - 1)
        x_range, y_range = (self.x_axis.low, self.x_axis.high), (self.y_axis.low, self.y_axis.high)
        canvas = draw_canvas(self.curves, x_range, y_range, columns, rows)
        ticks, ends = _place_ticks(self.y_axis.labels, rows), _place_ends(self.curves, self.x_axis, self.y_axis, rows)
        lines = []
        for row, drawn in enumerate(canvas):
            label = ticks.get(row, "")
            left: Line = [(label.rjust(self._first - 1) + " ", "muted")]
            ruled = self._with_rules(_with_grid(drawn) if label else drawn, columns)
            lines.append(fit([*left, *ruled, (" ", "text"), *ends.get(row, [])], width))
        indent = (" " * self._first, "text")
        if signs:
            lines.append(fit([indent, *signs], width))
        lines.append(fit([indent, (_x_labels(self.x_axis.labels, columns), "muted")], width))
        return lines + [fit([], width)] * (height - len(lines))

    def columns(self, width: int) -> int:
        """Give how many of `width` cells the curves have, between the labels and their ends."""
        return width - self._first - max((cell_len(curve.end) for curve in self.curves), default=0) - 1

    def column(self, width: int) -> float:
        """Give what part of the x axis one of `width` cells takes."""
        return 1 / max(1, self.columns(width) - 1)

    def place_of(self, cell: int, width: int) -> float:
        """Give the x that a cell of a line stands for; what is beside the curves stands for the end that is nearer."""
        part = (cell - self._first) * self.column(width)
        return self.x_axis.low + min(1.0, max(0.0, part)) * (self.x_axis.high - self.x_axis.low)

    @property
    def _first(self) -> int:
        return max(len(label) for label in self.y_axis.labels) + 1

    def _column_of(self, x: float, columns: int) -> int:
        return round((x - self.x_axis.low) / (self.x_axis.high - self.x_axis.low) * (columns - 1))

    def _with_rules(self, line: Line, columns: int) -> Line:
        """Draw each rule through the cell that is its own, where nothing but the grid is."""
        cells = [(character, role) for text, role in line for character in text]
        for rule in self.rules:
            at = self._column_of(rule.x, columns)
            if 0 <= at < len(cells) and cells[at][1] in ("text", "grid"):
                cells[at] = rule.glyph, rule.role
        return merge(cells)

    def _signs(self, columns: int) -> Line:
        """Give the line of the rules' signs; empty where there is none to be seen."""
        cells = [(" ", "text")] * columns
        for rule in self.rules:
            at = self._column_of(rule.x, columns)
            if rule.sign and 0 <= at < columns:
                cells[at] = rule.sign, rule.role
        return merge(cells) if any(text != " " for text, _ in cells) else []


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


def _place_ticks(labels: Sequence[str], rows: int) -> dict[int, str]:
    """Give each label the row of its value; where two have the same one, the higher is shown."""
    ticks: dict[int, str] = {}
    for at, label in enumerate(reversed(labels)):
        ticks.setdefault(round(at * (rows - 1) / (len(labels) - 1)), label)
    return ticks


def _place_ends(curves: Sequence[Curve], x_axis: Axis, y_axis: Axis, rows: int) -> dict[int, Line]:
    """Give the curves' ends rows near the last values on the axes, each below higher ones; the first where not all fit.

    Of equal ones the last curve's, which is drawn over the others, stands highest.
    """
    ends = []
    for curve in curves:
        last = next((y for x, y in reversed(curve.points) if x <= x_axis.high and isfinite(y)), None)
        if last is not None and curve.end:
            part = min(1.0, max(0.0, (y_axis.high - last) / (y_axis.high - y_axis.low)))
            ends.append((last, part * (rows - 1), (curve.end, curve.role)))
    kept = sorted(ends[:rows], key=lambda end: end[0])[::-1]
    places = _spread([wanted for _, wanted, _ in kept], rows)
    return {row: [end] for row, (_, _, end) in zip(places, kept, strict=True)}


def _spread(wanted: Sequence[float], rows: int) -> list[int]:
    """Give each of `wanted`, which rise, a row of its own in their order, crowds in the middle of where they belong."""
    crowds: list[list[float]] = []
    for place in wanted:
        crowds.append([place])
        while len(crowds) > 1 and _first_row(crowds[-2], rows) + len(crowds[-2]) > _first_row(crowds[-1], rows):
            last = crowds.pop()
            crowds[-1] += last
    return [_first_row(crowd, rows) + at for crowd in crowds for at in range(len(crowd))]


def _first_row(crowd: Sequence[float], rows: int) -> int:
    middle = fmean(crowd) - (len(crowd) - 1) / 2
    return min(rows - len(crowd), max(0, round(middle)))
