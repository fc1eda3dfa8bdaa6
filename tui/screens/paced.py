"""Screens that are drawn at the pace that the terminal takes, and at once where a key is to be answered."""

from typing import TYPE_CHECKING, Any

from textual import events
from textual.screen import Screen

from tui.frame_pace import FramePace

if TYPE_CHECKING:
    _Screen = Screen[Any]
else:
    _Screen = object


class Paced(_Screen):
    """Mixed into a screen, before Textual's class, which by itself draws 60 times a second, whoever can take it."""

    async def _on_idle(self, event: events.Idle) -> None:
        await super()._on_idle(event)
        pace = self._pace
        if pace and pace.is_hurried and self._has_news and pace.is_due():
            self._on_timer_update()

    def _on_timer_update(self) -> None:
        pace = self._pace
        if pace and self._has_news:
            if not pace.is_due():
                return  # The timer goes on, and asks again.
            pace.draw()
        super()._on_timer_update()

    @property
    def _pace(self) -> FramePace | None:
        return getattr(self.app, "pace", None)

    @property
    def _has_news(self) -> bool:
        return bool(self._dirty_widgets) or self._layout_required or self._repaint_required
