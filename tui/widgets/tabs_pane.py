"""One line that names the panes with their keys: which are shown, which was asked for last."""

from collections.abc import Hashable, Sequence

from tui.lines import Line, width_of
from tui.view import View
from tui.widgets.bench import PANE_NAMES
from tui.widgets.pane import Pane


class TabsPane(Pane):
    """Draws the names."""

    DEFAULT_CSS = "TabsPane { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[str, ...] = ()
        self._chosen = ""

    def show(self, shown: Sequence[str], chosen: str) -> None:
        """Name what is shown from now on."""
        self._shown, self._chosen = tuple(shown), chosen
        self.redraw()

    def key_of(self, view: View) -> Hashable:
        """Nothing in a run changes the names."""
        return None

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the line."""
        return [draw_tabs(self._shown, self._chosen, width)]


def draw_tabs(shown: Sequence[str], chosen: str, width: int) -> Line:
    """Name the panes, the chosen one in brackets; where there is no room, numbers stand for the others."""
    roomy = _name(shown, chosen, [f" {name}" for name in PANE_NAMES], " ")
    close = _name(shown, chosen, list(PANE_NAMES), "")
    short = _name(shown, chosen, [f" {name}" if name == chosen else "" for name in PANE_NAMES], " ")
    return next((line for line in (roomy, close) if width_of(line) <= width), short)


def _name(shown: Sequence[str], chosen: str, labels: Sequence[str], margin: str) -> Line:
    line: Line = []
    for at, (name, label) in enumerate(zip(PANE_NAMES, labels, strict=True), start=1):
        before, after = ("[", "]") if name == chosen else (margin, margin)
        role = "chosen" if name == chosen else "text" if name in shown else "muted"
        line += [
            (" " if at > 1 and not margin else "", "text"),
            (before, role),
            (str(at), "key"),
            (label + after, role),
        ]
    return line
