"""The table of runs: of thousands, only the rows that are seen are ever drawn."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from engines.runs import RunSummary
from tui.lines import Line
from tui.run_rows import Look, column_at, column_called, columns_for, heading_line, in_order, run_lines
from tui.widgets.picture import Picture

_WHEEL_ROWS = 3


class RunTable(Picture, can_focus=True):
    """Rows under headings, a cursor that stays on its run, and marks; says what happens to it in messages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "sort", "sort", show=False, tooltip="sort by the next column"),
        Binding("O", "reverse", "reverse", show=False, tooltip="turn the order round"),
        Binding("space", "mark", "mark", tooltip="mark a run for a race"),
        Binding("up", "move(-1)", "row above", show=False),
        Binding("down", "move(1)", "row below", show=False),
        Binding("pageup", "page(-1)", "page above", show=False),
        Binding("pagedown", "page(1)", "page below", show=False),
        Binding("home", "move(-1000000)", "first row", show=False),
        Binding("end", "move(1000000)", "last row", show=False),
    ]

    class Highlighted(Message):
        """The cursor stands on another run."""

    class Selected(Message):
        """The run under the cursor was clicked once more."""

    def __init__(self) -> None:
        super().__init__()
        self.look = Look()
        self._runs: Sequence[RunSummary] = ()
        self._rows: list[RunSummary] = []
        self._at = 0
        self._top = 0

    @property
    def chosen(self) -> RunSummary | None:
        """The run under the cursor; None in an empty table."""
        return self._rows[self._at] if self._rows else None

    @property
    def marked(self) -> list[RunSummary]:
        """The runs that are marked and shown, as they stand in the table."""
        return [run for run in self._rows if run.run_id in self.look.marked]

    def show(self, runs: Sequence[RunSummary]) -> None:
        """Show `runs`, which come newest first."""
        self._runs = runs
        self._sort()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away, and go on to the next."""
        if run := self.chosen:
            self.look = replace(self.look, marked=frozenset(self.look.marked) ^ {run.run_id})
            self.action_move(1)

    def action_sort(self) -> None:
        """Sort by the next column that is seen."""
        names = [column.name for column, _ in columns_for(self.size.width)]
        at = names.index(self.look.column) if self.look.column in names else -1
        self.sort_by(names[(at + 1) % len(names)])

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.look = replace(self.look, is_descending=not self.look.is_descending)
        self._sort()

    def sort_by(self, column: str) -> None:
        """Sort by a column, numbers from the highest down."""
        self.look = replace(self.look, column=column, is_descending=column_called(column).is_right)
        self._sort()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go_to(self._at + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by as many rows as are seen."""
        self._go_to(self._at + by * max(1, self._room))

    def draw(self, width: int, height: int) -> list[Line]:
        """Give the headings and the rows around the cursor."""
        self._top = max(min(self._top, self._at), self._at - self._room + 1, 0)
        seen = self._rows[self._top : self._top + self._room]
        return [heading_line(self.look, width), *run_lines(seen, self.look, time.time(), width)]

    def on_click(self, event: events.Click) -> None:
        """Sort by the heading that was clicked, or go to the row; a click on the row of the cursor selects it."""
        if event.y == 0:
            column = column_at(event.x, self.size.width)
            if column == self.look.column:
                self.action_reverse()
            elif column:
                self.sort_by(column)
            return
        at = self._top + event.y - 1
        if at >= len(self._rows):
            return
        if at == self._at:
            self.post_message(self.Selected())
        self._go_to(at)

    def on_mouse_scroll_down(self) -> None:
        """Go down a few rows."""
        self._go_to(self._at + _WHEEL_ROWS)

    def on_mouse_scroll_up(self) -> None:
        """Go up a few rows."""
        self._go_to(self._at - _WHEEL_ROWS)

    @property
    def _room(self) -> int:
        return self.size.height - 1

    def _sort(self) -> None:
        chosen = self.chosen
        self._rows = in_order(self._runs, self.look.column, is_descending=self.look.is_descending)
        ids = [run.run_id for run in self._rows]
        self._go_to(ids.index(chosen.run_id) if chosen and chosen.run_id in ids else self._at)

    def _go_to(self, at: int) -> None:
        self._at = max(0, min(at, len(self._rows) - 1))
        self.look = replace(self.look, chosen=self.chosen.run_id if self.chosen else "")
        self.redraw()
        self.post_message(self.Highlighted())
