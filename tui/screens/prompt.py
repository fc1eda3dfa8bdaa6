"""A line of text asked for, over whatever screen asks for it."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.screens.fresh_size import FreshSize


class PromptScreen(FreshSize, ModalScreen[str | None]):
    """Shows `question` over a line that begins with `text`, and is dismissed with what was typed; Escape is None."""

    DEFAULT_CSS = """
    PromptScreen { align: center middle; }
    PromptScreen #box {
        width: 62; max-width: 90%; height: auto;
        padding: 1 2; border: round $primary; background: $surface;
    }
    PromptScreen Static { width: 100%; height: auto; }
    PromptScreen Input { margin: 1 0; background: $panel; }
    PromptScreen #keys { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, question: str, text: str, limit: int) -> None:
        super().__init__()
        self._question = question
        self._text = text
        self._limit = limit

    def compose(self) -> ComposeResult:
        """Lay out the question over the line."""
        with Vertical(id="box"):
            yield Static(self._question, markup=False)
            yield Input(self._text, max_length=self._limit, compact=True, select_on_focus=False)
            yield Static("Enter: so be it   Escape: back", id="keys", markup=False)

    def action_leave(self) -> None:
        """Go back; nothing was typed."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
