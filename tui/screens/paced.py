"""Screens that are drawn at the pace that the terminal takes, and at once where a key is to be answered."""

from typing import TYPE_CHECKING, Any

from textual import events, messages
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tui.frame_pace import FramePace

if TYPE_CHECKING:
    _Screen = Screen[Any]
else:
    _Screen = object


class Paced(_Screen):
    """Mixed into a screen, before Textual's class, which by itself draws 60 times a second, whoever can take it.

    Where nothing of it is seen it is not even laid out: Textual does that once it is seen again.
    """

    _rested: Timer | None = None

    @property
    def is_seen(self) -> bool:
        """Tell whether anything of the screen is seen: it is on top, or a question is.

        Textual's `is_current` is true of the screen below the topmost too, however opaque that is; what is drawn there
        has all of the terminal painted anew, and the frames that it takes are missing where a key is answered.
        """
        return self.is_current and (self.app.screen is self or self.app.screen.is_modal)

    async def _message_loop_exit(self) -> None:
        """Let go of what was shown: Textual remembers who drew it, for a hundred screens or more."""
        shown = self.walk_children(Widget, with_self=True)
        await super()._message_loop_exit()
        for widget in shown:
            widget._styles_cache.clear()

    async def _on_idle(self, event: events.Idle) -> None:
        if not self.is_seen:
            event.prevent_default()
            await self._invoke_and_clear_callbacks()
            return
        await super()._on_idle(event)
        pace = self._pace
        if pace and pace.is_hurried and self._has_news and pace.is_due():
            self._on_timer_update()

    def _on_timer_update(self) -> None:
        if not self.is_seen:
            self._update_timer.pause()
            return
        pace = self._pace
        if pace and self._has_news:
            if not pace.is_due():
                self._rest(pace.seconds_left())
                return
            pace.draw()
            self._collect_dirty_widgets()
        super()._on_timer_update()

    def _rest(self, seconds: float) -> None:
        """Ask again in `seconds`: Textual's own timer would, 60 times a second, at the price of a frame in all."""
        self._update_timer.pause()
        if self._rested:
            self._rested.stop()
        self._rested = self.set_timer(seconds, self._update_timer.resume)

    async def _on_update(self, message: messages.Update) -> None:
        if message.widget in self._compositor.visible_widgets and not message.widget._repaint_regions:
            message.stop()
            message.prevent_default()  # A frame has shown it already.

    def _collect_dirty_widgets(self) -> None:
        """Have this frame show also what the screen has not been told of yet, or the answer to a key takes two."""
        self._dirty_widgets.update(widget for widget in self._compositor.visible_widgets if widget._repaint_regions)

    @property
    def _pace(self) -> FramePace | None:
        """The pace, where it is this screen that draws; what is new below a question is drawn by the question."""
        return getattr(self.app, "pace", None) if self.app.screen is self else None

    @property
    def _has_news(self) -> bool:
        return bool(self._dirty_widgets) or self._layout_required or self._repaint_required
