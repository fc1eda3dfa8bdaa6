"""A question that is answered with yes or no, over whatever screen asked it."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.screens.fresh_size import FreshSize


class ConfirmScreen(FreshSize, ModalScreen[bool]):
    """Shows `question` as plain text and is dismissed with the answer; Escape is no."""

    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen #box {
        width: auto; max-width: 90%; height: auto; max-height: 90%;
        padding: 1 2; border: round $primary; background: $surface;
    }
    ConfirmScreen #question { width: auto; max-width: 100%; min-width: 30; height: auto; }
    ConfirmScreen #answers { width: 100%; height: 1; margin-top: 1; align-horizontal: center; }
    ConfirmScreen Button { min-width: 11; margin: 0 1; background: $panel; color: $foreground; }
    ConfirmScreen Button:focus { background: $primary; color: $background; background-tint: $primary 0%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape", "answer(False)", "no"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question over its two answers; the first has the focus."""
        with Vertical(id="box"):
            yield Static(self._question, id="question", markup=False)
            with Horizontal(id="answers"):
                yield Button("Yes (y)", id="yes", compact=True)
                yield Button("No (n)", id="no", compact=True)

    def action_answer(self, answer: bool) -> None:
        """Give the answer to whoever asked."""
        self.dismiss(answer)

    @on(Button.Pressed)
    def _press(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")
