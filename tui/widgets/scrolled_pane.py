"""A pane with more rows than it has room for: it shows the newest, and older ones by keys or the wheel."""

from collections.abc import Sequence
from typing import TypeVar

from textual import events

from tui.lines import Line
from tui.view import View
from tui.widgets.pane import TitledPane

_WHEEL_ROWS = 3

Row = TypeVar("Row")


class ScrolledPane(TitledPane):
    """A subclass draws those of its rows that `window` gives; once a person has gone back, they stand still."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._count = 0
        self._room = 1
        self._below = 0

    @property
    def is_back(self) -> bool:
        """Tell whether the newest rows are not shown."""
        return self._below > 0

    def move_rows(self, by: int) -> None:
        """Show rows that are newer by so many, or older with a negative `by`."""
        below = max(0, min(self._count - self._room, self._below - by))
        if below != self._below:
            self._below = below
            self.redraw()

    def move_pages(self, by: int) -> None:
        """Move by as many rows as are shown."""
        self.move_rows(by * self._room)

    def window(self, rows: Sequence[Row], room: int) -> Sequence[Row]:
        """Give those of `rows`, the newest last, that are shown where there is `room` for so many."""
        if self._below:
            self._below += len(rows) - self._count
        self._count, self._room = len(rows), max(0, room)
        self._below = max(0, min(self._count - self._room, self._below))
        end = self._count - self._below
        return rows[max(0, end - self._room) : end]

    def legend(self, view: View, width: int) -> Line:
        """Say how many rows are not shown, and the keys to them."""
        above = max(0, self._count - self._room - self._below)
        words = [f"{count:,} {where}" for count, where in ((above, "above"), (self._below, "below")) if count]
        return [("↑↓ ", "key"), (", ".join(words), "muted")] if words else []

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
