"""A pane with more rows than it has room for: it shows the newest, and older ones by keys or the wheel."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from textual import events

from tui.lines import Line
from tui.view import View
from tui.widgets.pane import TitledPane

_WHEEL_ROWS = 3

Row = TypeVar("Row")
Name = tuple[int, int]
"""What tells a row from the others, in their order: the number of what it tells of, and which of its rows it is."""


class ScrolledPane(TitledPane):
    """A subclass draws those of its rows that `window` gives; once a person has gone back, they stand still.

    `_names` are those of all rows, `_below` counts the rows below the last that is shown, whose name is `_last`.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._names: Sequence[Name] = ()
        self._room = 1
        self._below = 0
        self._last: Name | None = None

    @property
    def is_back(self) -> bool:
        """Tell whether the newest rows are not shown."""
        return self._below > 0

    def move_rows(self, by: int) -> None:
        """Show rows that are newer by so many, or older with a negative `by`."""
        before = self._below
        self._go_to(self._below - by)
        if self._below != before:
            self.redraw()

    def move_pages(self, by: int) -> None:
        """Move by as many rows as are shown."""
        self.move_rows(by * self._room)

    def window(self, rows: Sequence[Row], names: Sequence[Name], room: int) -> Sequence[Row]:
        """Give those of `rows`, the newest last, that are shown where there is `room` for so many.

        By its name the row is found again that a person went back to, whatever came after it or went before it.
        """
        self._names, self._room = names, max(0, room)
        self._go_to(len(names) - bisect_right(names, self._last) if self._last else 0)
        end = len(rows) - self._below
        return rows[max(0, end - self._room) : end]

    def legend(self, view: View, width: int) -> Line:
        """Say how many rows are not shown, and the keys to them."""
        above = max(0, len(self._names) - self._room - self._below)
        words = [f"{count:,} {where}" for count, where in ((above, "above"), (self._below, "below")) if count]
        return [("↑↓ ", "key"), (", ".join(words), "muted")] if words else []

    def _go_to(self, below: int) -> None:
        self._below = max(0, min(len(self._names) - max(1, self._room), below))
        self._last = self._names[-1 - self._below] if self._below else None

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Give the title, which follows from the rows that are shown below it, then those."""
        body = self.draw_body(view, width, height - 1)
        return [self._title(view, width), *body]

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show older rows."""
        event.stop()
        self.move_rows(-_WHEEL_ROWS)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show newer rows."""
        event.stop()
        self.move_rows(_WHEEL_ROWS)
