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
