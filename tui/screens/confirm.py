"""A question that is answered with yes or no, over whatever screen asked it."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.screens.question import QuestionScreen


class ConfirmScreen(QuestionScreen[bool]):
    """Is dismissed with the answer to `question`; Escape is no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape", "answer(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__(question, (("Yes (y)", True), ("No (n)", False)))
