"""The confusion matrix of the last evaluation, with each class's accuracy beside it."""

from collections.abc import Hashable
from typing import ClassVar

from engines.catalog import CLASS_COUNT
from tui import formats
from tui.lines import Line, fit
from tui.view import View
from tui.widgets.pane import TitledPane, draw_waiting

_HEAT_FROM = ((0.08, "heat4"), (0.04, "heat3"), (0.02, "heat2"), (0.01, "heat1"), (0.0, "muted"))
_CELL_WIDTHS = (7, 6, 5, 4)
_ACCURACY_WIDTH = 8


class ConfusionPane(TitledPane):
    """Ten rows of true classes by ten columns of predictions."""

    HEADING = "confusion"
    PERIOD: ClassVar[float] = 4.0

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        return len(view.state.epochs), view.waiting_for() if not view.state.epochs else ""

    def legend(self, view: View, width: int) -> Line:
        """Say what rows and columns are."""
        if not view.state.epochs:
            return []
        return [(f"rows true, columns predicted, epoch {view.state.epochs[-1].epoch}", "muted")]

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the matrix."""
        if not view.state.epochs:
            return draw_waiting(view, width)
        names = [view.class_name(label) for label in range(CLASS_COUNT)]
        return draw_confusion(view.state.epochs[-1].confusion, names, width, height)


def draw_confusion(counts: list[list[int]], names: list[str], width: int, height: int) -> list[Line]:
    """Draw counts, or, where those do not fit, percent of the row; zero is a dot, errors are shaded."""
    if len(counts) != CLASS_COUNT or any(len(row) != CLASS_COUNT for row in counts):
        return [fit([("this run's matrix is not 10 by 10", "muted")], width)]
    most_for_names = width - _ACCURACY_WIDTH - 1 - CLASS_COUNT * _CELL_WIDTHS[-1]
    name_width = max(1, min(max(map(len, names)), most_for_names))
    room = (width - name_width - 1 - _ACCURACY_WIDTH) // CLASS_COUNT
    cell = next((wide for wide in _CELL_WIDTHS if wide <= room), _CELL_WIDTHS[-1])
    in_percent = len(str(max(map(max, counts)))) >= cell
    headings = "".join(_shorten(name, cell - 1).rjust(cell) for name in names)
    lines: list[Line] = [[(" " * (name_width + 1) + headings, "muted"), ("right".rjust(_ACCURACY_WIDTH), "muted")]]
    for label, row in enumerate(counts):
        total = sum(row)
        line: Line = [(_shorten(names[label], name_width).ljust(name_width + 1), "text")]
        for predicted, number in enumerate(row):
            share = number / total if total else 0.0
            text = "·" if number == 0 else f"{100 * share:.0f}" if in_percent else str(number)
            line.append((text.rjust(cell), _role_of(share, is_right=label == predicted)))
        accuracy = row[label] / total if total else None
        line.append((formats.percent(accuracy, 1).rjust(_ACCURACY_WIDTH), "text"))
        lines.append(line)
    if height > len(lines):
        unit = "in % of the row; " if in_percent else ""
        lines.append(fit([(unit + _describe_worst(counts, names), "muted")], width))
    return lines


def _describe_worst(counts: list[list[int]], names: list[str]) -> str:
    """Say which confusion is the most frequent."""
    number, label, predicted = max(
        (number, -label, -predicted)
        for label, row in enumerate(counts)
        for predicted, number in enumerate(row)
        if label != predicted
    )
    return f"most often: {names[-label]} taken for {names[-predicted]}, {number}x" if number else "no mistakes at all"


def _role_of(share: float, *, is_right: bool) -> str:
    if share == 0:
        return "grid"
    return "hit" if is_right else next(role for least, role in _HEAT_FROM if share > least)


def _shorten(name: str, width: int) -> str:
    return name[:width]
