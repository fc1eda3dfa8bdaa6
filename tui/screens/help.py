"""Every key, screen by screen, read from the screens themselves."""

from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.lines import wrap
from tui.screens.fresh_size import FreshSize

_WIDTH, _AROUND, _INDENT, _GAP = 76, 7, 2, 2


class HelpScreen(FreshSize, ModalScreen[None]):
    """Lists the keys of `sections`, each a heading with the classes whose bindings stand under it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 1 0 2; border: round $primary; background: $surface;
        scrollbar-size-vertical: 1; scrollbar-background: $surface; scrollbar-color: $foreground 30%;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss", "back"),
    ]

    def __init__(self, sections: list[tuple[str, list[type[DOMNode]]]]) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        """Lay out all sections in one text that scrolls."""
        box = VerticalScroll(Static(Content("\n").join(self._lines())))
        box.border_title = "Keys"
        box.border_subtitle = "Escape: back"
        yield box

    def _lines(self) -> Iterator[Content]:
        rows = [(heading, [row for owner in owners for row in keys_of(owner)]) for heading, owners in self._sections]
        keys_width = max(cell_len(keys) for _, section in rows for keys, _ in section) + _GAP
        room = min(_WIDTH, self.app.size.width) - _AROUND - _INDENT - keys_width
        for at_section, (heading, section) in enumerate(rows):
            yield Content.assemble("\n" if at_section else "", (heading, "bold $primary"))
            for keys, words in section:
                for at, line in enumerate(wrap(words, room)):
                    shown = set_cell_size("" if at else keys, keys_width)
                    yield Content.assemble((" " * _INDENT + shown, "$accent"), line)


def key_name(key: str) -> str:
    """Give a key as a person knows it; many fonts lack Textual's signs for these two."""
    return key if key in ("enter", "backspace") else format_key(key)


def keys_of(owner: type[DOMNode]) -> list[tuple[str, str]]:
    """Give the keys of a screen, widget or app as a person writes them, each with what it does."""
    rows: dict[str, str] = {}
    for binding in owner.BINDINGS:
        if isinstance(binding, Binding) and binding.description:
            keys = " ".join(key_name(key.strip()) for key in binding.key.split(","))
            rows[binding.key_display or keys] = binding.tooltip or binding.description
    return list(rows.items())
