"""The last line of a screen: its keys and what each does, pressed by a click too.

Textual's own footer has a widget for each key: a quarter of what laying out a screen cost.
"""

import msgspec
from textual import events
from textual.screen import Screen

from tui.lines import Line, width_of
from tui.widgets.picture import Picture

_NEVER_LEFT_OUT = ("leave", "back", "help")
"""Actions of the app; without the keys of these a person would be lost."""


class Label(msgspec.Struct, frozen=True):
    """A key's name and what it does; `key` is empty where it does not work now. One that `stays` is never left out."""

    line: Line
    key: str
    stays: bool = False


class KeyLine(Picture):
    """Names the keys that work now, as many as there is room for."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; color: $footer-foreground; background: $footer-background; }
    """

    def on_mount(self) -> None:
        """Follow what works."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def draw(self, width: int, height: int) -> list[Line]:
        """Give the line."""
        return [[run for label in fit_labels(self._labels(), width) for run in label.line]]

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key whose name the mouse is on."""
        end = 0
        for label in fit_labels(self._labels(), self.size.width):
            end += width_of(label.line)
            if event.x < end:
                if label.key:
                    self.app.simulate_key(label.key)
                else:
                    self.app.bell()
                return

    def _follow(self, _: Screen[object]) -> None:
        self.call_after_refresh(self.redraw)

    def _labels(self) -> list[Label]:
        """Give each action's label."""
        labels, named = [], set()
        for _, binding, is_enabled, _ in self.screen.active_bindings.values():
            name = self.app.get_key_display(binding)
            if binding.show and binding.action not in named and not self._is_typed(name):
                named.add(binding.action)
                key, words = ("key name", "text") if is_enabled else ("unavailable", "unavailable")
                line = [(name, key), (f" {binding.description} ", words)]
                stays = binding.action.removeprefix("app.") in _NEVER_LEFT_OUT
                labels.append(Label(line, binding.key if is_enabled else "", stays))
        return labels

    def _is_typed(self, name: str) -> bool:
        """Tell whether the field that has the focus takes a key for itself, as one that is a single character."""
        field = self.screen.focused
        return field is not None and len(name) == 1 and field.check_consume_key(name, name)


def fit_labels(labels: list[Label], width: int) -> list[Label]:
    """Leave out whole what there is no room for: first what does not work now, then what is named last."""
    left_out = sorted((label for label in reversed(labels) if not label.stays), key=lambda label: bool(label.key))
    kept = list(labels)
    while left_out and sum(width_of(label.line) for label in kept) > width:
        kept.remove(left_out.pop(0))
    return kept
