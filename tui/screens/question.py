"""A question and its answers, each a button with a key, over whatever screen asked it."""

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.screens.fresh_size import FreshSize

Answer = TypeVar("Answer")


class QuestionScreen(FreshSize, ModalScreen[Answer]):
    """Shows `question` as plain text over a button for each of `answers`, each with its label; a subclass has keys."""

    DEFAULT_CSS = """
    QuestionScreen { align: center middle; }
    QuestionScreen #box {
        width: auto; max-width: 90%; height: auto; max-height: 90%;
        padding: 1 2; border: round $primary; background: $surface;
    }
    QuestionScreen #question { width: auto; max-width: 100%; min-width: 30; height: auto; }
    QuestionScreen #answers { width: 100%; height: 1; margin-top: 1; align-horizontal: center; }
    QuestionScreen Button { min-width: 11; margin: 0 1; background: $panel; color: $foreground; }
    QuestionScreen Button:focus { background: $primary; color: $background; background-tint: $primary 0%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, answers: Sequence[tuple[str, Answer]]) -> None:
        super().__init__()
        self._question = question
        self._answers = answers

    def compose(self) -> ComposeResult:
        """Lay out the question over its answers; the first has the focus."""
        with Vertical(id="box"):
            yield Static(self._question, id="question", markup=False)
            with Horizontal(id="answers"):
                for at, (label, _) in enumerate(self._answers):
                    yield Button(label, id=f"answer{at}", compact=True)

    def action_answer(self, answer: Answer) -> None:
        """Give the answer to whoever asked."""
        self.dismiss(answer)

    @on(Button.Pressed)
    def _press(self, event: Button.Pressed) -> None:
        at = int((event.button.id or "").removeprefix("answer"))
        self.dismiss(self._answers[at][1])
