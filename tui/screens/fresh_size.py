"""Screens that come through a storm of resizes."""

from textual import events
from textual.screen import Screen

from tui.screens.paced import Paced


class FreshSize(Paced):
    """Mixed into a screen, before Textual's class: a resize that another has overtaken is dropped.

    Textual lays out for each, and laying out sends the screen its size once more: two that are on their way at once
    would answer each other for ever.
    """

    def on_resize(self, event: events.Resize) -> None:
        """Let nobody see a size that is no longer the terminal's."""
        if isinstance(self, Screen) and event.size != self.app.size:
            event.prevent_default()

    @property
    def is_seen(self) -> bool:
        """Tell whether anything of the screen is seen: it is on top, or a question is.

        Textual's `is_current` is true of the screen below the topmost too, however opaque that is; what is drawn there
        has all of the terminal painted anew.
        """
        return isinstance(self, Screen) and self.is_current and (self.app.screen is self or self.app.screen.is_modal)
