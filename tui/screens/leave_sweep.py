"""What is to become of a sweep whose screen is left."""

from typing import ClassVar, Literal

from textual.binding import Binding, BindingType

from tui.formats import counted
from tui.screens.question import QuestionScreen

Leave = Literal["stop", "queue", "stay"]


class LeaveSweepScreen(QuestionScreen[Leave]):
    """Asks how to leave a sweep of which so many runs are `training` and `to_come`; Escape stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "answer('stop')", "stop, and leave"),
        Binding("w", "answer('queue')", "leave, and train on without the screen"),
        Binding("escape,n", "answer('stay')", "stay"),
    ]

    def __init__(self, training: int, to_come: int) -> None:
        words = (
            f"Leave the sweep? {counted(training, 'run')} in training, {to_come:,} to come.\n\n"
            "Stop: each saves a checkpoint, and the same command goes on there.\n"
            "Without me: those in training go on, the others wait in the queue."
        )
        super().__init__(words, (("Stop (s)", "stop"), ("Without me (w)", "queue"), ("Stay (Esc)", "stay")))
