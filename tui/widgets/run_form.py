"""The form of a run: rows that are walked with up and down, changed with left and right or by typing."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.form import LONGEST_NUMBER, NONE, NUMBER_CHARACTERS, Form, Number, Row
from tui.form_lines import form_lines
from tui.headings import titled
from tui.lines import Line, fit
from tui.widgets.picture import Picture


class RunForm(Picture, can_focus=True):
    """Edits a `Form` in place; the first character typed into a row replaces what stood there.

    `change_count` is how often that was done, also where `Changed` is still on its way.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,shift+tab", "move(-1)", "row above", show=False),
        Binding("down,tab", "move(1)", "row below", show=False),
        Binding("left", "step(-1)", "value before", show=False),
        Binding("right,space", "step(1)", "next value", show=False),
        Binding("home,pageup", "move(-99)", "first row", show=False),
        Binding("end,pagedown", "move(99)", "last row", show=False),
        Binding("backspace", "erase", "erase a character", show=False),
        Binding("delete", "clear", "empty the row", show=False),
    ]

    class Changed(Message):
        """What stands in the row called `name` is another."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        self._at = 0
        self._typing = False
        self.change_count = 0

    def draw(self, width: int, height: int) -> list[Line]:
        """Give a heading and the rows; where they do not all fit, those around the cursor, and which they are."""
        lines = form_lines(self.form, self._at, self._typing, width)
        shown = lines[self._first : self._first + height - 1]
        heading: Line = [("Run", "title")]
        if len(shown) < len(lines):
            heading += [(f" {self._first + 1} to {self._first + len(shown)} of {len(lines)} rows", "muted")]
        return [fit(titled(heading, width), width), *shown]

    def step_row(self, name: str, by: int = 1) -> None:
        """Put the cursor on the row called `name` and the next value into it."""
        self._go_to([row.name for row in self.form.rows].index(name))
        self.action_step(by)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go_to(max(0, min(len(self.form.rows) - 1, self._at + by)))

    def action_step(self, by: int) -> None:
        """Put the next value into the row."""
        self.form.step(self._row, by)
        self._typing = False
        self._tell()

    def action_erase(self) -> None:
        """Take the last character away."""
        if isinstance(self._row, Number):
            self._put(self.form.texts[self._row.name][:-1] if self._row_has_number else "")

    def action_clear(self) -> None:
        """Empty the row."""
        if isinstance(self._row, Number):
            self._put("")

    def on_key(self, event: events.Key) -> None:
        """Take what a number is made of."""
        if event.character in NUMBER_CHARACTERS and isinstance(self._row, Number):
            event.stop()
            self._type(event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take a number that was copied elsewhere."""
        text = event.text.strip()
        if text and NUMBER_CHARACTERS.issuperset(text) and isinstance(self._row, Number):
            event.stop()
            self._type(text)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row that was clicked; where it is already, take the next value."""
        if 1 <= event.y <= len(self.form.rows) - self._first:
            row = self._first + event.y - 1
            if row == self._at:
                self.action_step(1)
            else:
                self._go_to(row)

    @property
    def _first(self) -> int:
        """Which row is the uppermost that is shown."""
        return max(0, self._at - (self.size.height - 2))

    @property
    def _row(self) -> Row:
        return self.form.rows[self._at]

    @property
    def _row_has_number(self) -> bool:
        return self.form.texts[self._row.name] != NONE

    def _type(self, text: str) -> None:
        typed = self.form.texts[self._row.name] if self._typing else ""
        self._put((typed + text)[:LONGEST_NUMBER])

    def _put(self, text: str) -> None:
        self.form.put(self._row, text)
        self._typing = True
        self._tell()

    def _go_to(self, at: int) -> None:
        self._at, self._typing = at, False
        self.redraw()

    def _tell(self) -> None:
        self.change_count += 1
        self.redraw()
        self.post_message(self.Changed(self._row.name))
