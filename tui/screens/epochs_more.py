"""How many epochs a run is to train more than it was asked, or than it has done, over its live screen."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.continuation import MORE_EPOCHS
from tui.screens.fresh_size import FreshSize

_MOST_DIGITS = 6


class EpochsMoreScreen(FreshSize, ModalScreen[int | None]):
    """Asks for a number of epochs to add to `epochs`, and is dismissed with it, or with None."""

    DEFAULT_CSS = """
    EpochsMoreScreen { align: center middle; background: $background 40%; }
    EpochsMoreScreen Vertical {
        width: 46; max-width: 90%; height: auto; padding: 0 1; border: round $primary; background: $surface;
    }
    EpochsMoreScreen Input { width: 12; margin: 1 0; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(1)", show=False),
        Binding("down", "step(-1)", show=False),
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs

    def compose(self) -> ComposeResult:
        """Lay out the question, the number, and what the keys do."""
        with Vertical():
            yield Static(f"How many epochs more than {self._epochs:,}?", markup=False)
            yield Input(str(MORE_EPOCHS), type="integer", restrict="[0-9]*", max_length=_MOST_DIGITS, compact=True)
            yield Static("[$accent]Enter[/] ask for them   [$accent]Esc[/] back")

    def action_step(self, by: int) -> None:
        """Make the number larger or smaller."""
        field = self.query_one(Input)
        field.value = str(max(1, int(field.value or 0) + by))

    def action_leave(self) -> None:
        """Go back; nothing was chosen."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _choose(self, event: Input.Submitted) -> None:
        self.dismiss(int(event.value or 0) or None)
