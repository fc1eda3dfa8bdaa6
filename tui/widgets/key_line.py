"""The last line of a screen: its keys and what each does, pressed by a click too.

Textual's own footer has a widget for each key: a quarter of what laying out a screen cost.
"""

from textual import events
from textual.screen import Screen

from tui.lines import Line, width_of
from tui.widgets.picture import Picture


class KeyLine(Picture):
    """Names the keys that work now."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; color: $footer-foreground; background: $footer-background; }
    """

    def on_mount(self) -> None:
        """Follow what works."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def draw(self, width: int, height: int) -> list[Line]:
        """Give the line."""
        return [[run for label, _ in self._labels() for run in label]]

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key whose name the mouse is on."""
        end = 0
        for label, key in self._labels():
            end += width_of(label)
            if event.x < end:
                if key:
                    self.app.simulate_key(key)
                else:
                    self.app.bell()
                return

    def _follow(self, _: Screen[object]) -> None:
        self.call_after_refresh(self.redraw)

    def _labels(self) -> list[tuple[Line, str]]:
        """Give each action's label and its key, which is empty where it does not work now."""
        labels, named = [], set()
        for _, binding, is_enabled, _ in self.screen.active_bindings.values():
            if binding.show and binding.action not in named:
                named.add(binding.action)
                key, words = ("key name", "text") if is_enabled else ("unavailable", "unavailable")
                label = [(self.app.get_key_display(binding), key), (f" {binding.description} ", words)]
                labels.append((label, binding.key if is_enabled else ""))
        return labels
