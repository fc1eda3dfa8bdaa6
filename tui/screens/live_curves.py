"""What the screens of live curves have in common: they look at their runs again and again, and draw once they can."""

from typing import ClassVar

from textual import work
from textual.screen import Screen

from tui import drawing
from tui.background import in_background


class LiveCurves(Screen[None]):
    """A screen that looks at its runs every `TICK_SECONDS`, and has no curves before their library is imported."""

    TICK_SECONDS: ClassVar[float]

    def tick(self) -> None:
        """Look at the runs, and show what is new; a subclass does it."""
        raise NotImplementedError

    def begin_curves(self) -> None:
        """Draw curves from now on; a subclass does it."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Begin to look, once the first frame is drawn."""
        self.set_interval(self.TICK_SECONDS, self.tick)
        self.call_after_refresh(self.tick)
        self._import_drawing()

    @work
    async def _import_drawing(self) -> None:
        await in_background(drawing.import_plotext)
        self.begin_curves()
