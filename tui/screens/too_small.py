"""What is shown in place of everything else while the terminal is too small for it."""

from textual import events
from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from tui.screens.fresh_size import FreshSize

SMALLEST = Size(60, 16)


class TooSmallScreen(FreshSize, Screen[None]):
    """Says what size is needed; the screen under it is there again as soon as there is room."""

    DEFAULT_CSS = """
    TooSmallScreen { align: center middle; }
    TooSmallScreen Static { width: 100%; text-align: center; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the one line."""
        yield Static()

    def on_resize(self, _: events.Resize) -> None:
        """Name the size that there is beside the one that is needed."""
        needed = f"{SMALLEST.width}x{SMALLEST.height}"
        self.query_one(Static).update(f"mnist-tui needs {needed}, this is {self.app.size.width}x{self.app.size.height}")

    def on_screen_resume(self) -> None:
        """Give way where there is room by now: what was opened over this screen has been left since."""
        if self.app.screen is self and not is_too_small(self.app.size):
            self.app.pop_screen()


def is_too_small(size: Size) -> bool:
    """Tell whether a terminal of `size` has no room for the screens."""
    return size.width < SMALLEST.width or size.height < SMALLEST.height
