"""The confusion matrix of the last evaluation, with each class's accuracy beside it."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.message import Message

from engines.catalog import CLASS_COUNT
from tui import formats
from tui.lines import Line, columns, fit, merge, shorten, width_of
from tui.view import View
from tui.widgets.pane import TitledPane, draw_waiting

_HEAT_FROM = ((0.08, "heat4"), (0.04, "heat3"), (0.02, "heat2"), (0.01, "heat1"), (0.0, "muted"))
_CELL_WIDTHS = (7, 6, 5, 4)
_ACCURACY_WIDTH = 8

Counts = Sequence[Sequence[int]]

Cell = tuple[int, int]
"""A cell of the matrix: the true class, and the predicted one."""


class ConfusionPane(TitledPane):
    """Ten rows of true classes by ten columns of predictions."""

    HEADING = "confusion"
    PERIOD: ClassVar[float] = 4.0

    class CellChosen(Message):
        """The images in `cell` are to be shown."""

        def __init__(self, cell: Cell) -> None:
            super().__init__()
            self.cell = cell

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        return len(view.state.epochs), view.waiting_for() if not view.state.epochs else ""

    def on_click(self, event: events.Click) -> None:
        """Have the images in the cell under the mouse shown."""
        if self._view and self._view.state.epochs:
            names = [self._view.class_name(label) for label in range(CLASS_COUNT)]
            if cell := cell_at(names, self.size.width, event.x, event.y - 1):
                self.post_message(self.CellChosen(cell))

    def legend(self, view: View, width: int) -> Line:
        """Say what rows and columns are."""
        if not view.state.epochs:
            return []
        words = f"rows true, columns predicted, epoch {view.state.epochs[-1].epoch}"
        hint: Line = [("   ", "text"), ("enter ", "key"), ("images", "muted")]
        return [(words, "muted"), *(hint if len(words) + width_of(hint) <= width else [])]

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the matrix."""
        if not view.state.epochs:
            return draw_waiting(view, width)
        names = [view.class_name(label) for label in range(CLASS_COUNT)]
        return draw_confusion(view.state.epochs[-1].confusion, names, width, height)


def draw_confusion(counts: Counts, names: list[str], width: int, height: int, cursor: Cell | None = None) -> list[Line]:
    """Draw counts, or, where those do not fit, percent of the row, with a `%` in the corner.

    Zero is a dot, errors are shaded.
    """
    if not is_matrix(counts):
        return [fit([("this run's matrix is not 10 by 10", "muted")], width)]
    name_width, cell = _widths(names, width)
    in_percent = len(str(max(map(max, counts)))) >= cell
    headings: Line = [(("%" if in_percent else "").ljust(name_width + 1), "muted")]
    for predicted, name in enumerate(names):
        headings += columns([(_begin(name, cell - 1), -cell, _role_of_name(cursor and cursor[1] == predicted))])
    lines: list[Line] = [[*merge(headings), ("right".rjust(_ACCURACY_WIDTH), "muted")]]
    for label, row in enumerate(counts):
        total = sum(row)
        is_chosen = cursor is not None and cursor[0] == label
        title = shorten([(names[label], "chosen" if is_chosen else "text")], name_width)
        line = fit(title, name_width + 1)
        for predicted, number in enumerate(row):
            share = number / total if total else 0.0
            text = "·" if number == 0 else f"{100 * share:.0f}" if in_percent else str(number)
            if cursor == (label, predicted):
                line.append((f"▸{text}".rjust(cell), "call"))
            else:
                line.append((text.rjust(cell), _role_of(share, is_right=label == predicted)))
        accuracy = row[label] / total if total else None
        line.append((formats.percent(accuracy, 1).rjust(_ACCURACY_WIDTH), "text"))
        lines.append(line)
    if height > len(lines):
        unit = "in % of the row; " if in_percent else ""
        lines.append(shorten([(unit + _describe_worst(counts, names), "muted")], width))
    return lines


def cell_at(names: list[str], width: int, x: int, y: int) -> Cell | None:
    """Give the cell that lies `x` and `y` cells from the matrix's corner, drawn in `width`; None beside the matrix."""
    name_width, cell = _widths(names, width)
    label, predicted = y - 1, (x - name_width - 1) // cell
    return (label, predicted) if 0 <= label < CLASS_COUNT and 0 <= predicted < CLASS_COUNT else None


def most_frequent(counts: Counts) -> Cell:
    """Give the cell with the most mistakes, the first of equals."""
    mistakes = [(at, to) for at, row in enumerate(counts) for to in range(len(row)) if at != to]
    return max(mistakes, key=lambda cell: counts[cell[0]][cell[1]], default=(0, 0))


def is_matrix(counts: Counts) -> bool:
    """Tell whether there are ten rows of ten."""
    return len(counts) == CLASS_COUNT and all(len(row) == CLASS_COUNT for row in counts)


def _widths(names: list[str], width: int) -> tuple[int, int]:
    """Give how wide the names of the rows are, and a cell of the matrix."""
    most_for_names = width - _ACCURACY_WIDTH - 1 - CLASS_COUNT * _CELL_WIDTHS[-1]
    name_width = max(1, min(max(map(cell_len, names)), most_for_names))
    room = (width - name_width - 1 - _ACCURACY_WIDTH) // CLASS_COUNT
    return name_width, next((wide for wide in _CELL_WIDTHS if wide <= room), _CELL_WIDTHS[-1])


def _describe_worst(counts: Counts, names: list[str]) -> str:
    """Say which confusion is the most frequent."""
    label, predicted = most_frequent(counts)
    number = counts[label][predicted]
    return f"most often: {names[label]} taken for {names[predicted]}, {number}x" if number else "no mistakes at all"


def _role_of_name(is_chosen: bool | None) -> str:
    return "chosen" if is_chosen else "muted"


def _role_of(share: float, *, is_right: bool) -> str:
    if share == 0:
        return "grid"
    return "hit" if is_right else next(role for least, role in _HEAT_FROM if share > least)


def _begin(name: str, width: int) -> str:
    """Give as much of a name as a column has room for; an ellipsis would take a third of it."""
    return name if cell_len(name) <= width else set_cell_size(name, width)
