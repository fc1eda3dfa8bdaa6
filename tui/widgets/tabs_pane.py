"""One line that names the panes with their keys: which are shown, which was asked for last."""

from collections.abc import Hashable, Sequence

from textual import events

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

    async def on_click(self, event: events.Click) -> None:
        """Show the pane whose name was clicked."""
        end = 0
        for name, label in zip(PANE_NAMES, _labels(self._shown, self._chosen, self.size.width), strict=True):
            end += width_of(label)
            if event.x < end:
                await self.run_action(f"screen.choose_pane('{name}')")
                return

    def key_of(self, view: View) -> Hashable:
        """Nothing in a run changes the names."""
        return None

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the line."""
        return [draw_tabs(self._shown, self._chosen, width)]


def draw_tabs(shown: Sequence[str], chosen: str, width: int) -> Line:
    """Name the panes, the chosen one in brackets; where there is no room, numbers stand for the others."""
    return [run for label in _labels(shown, chosen, width) for run in label]


def _labels(shown: Sequence[str], chosen: str, width: int) -> list[Line]:
    """Give what names each pane, the space before it included."""
    roomy = _name(shown, chosen, [f" {name}" for name in PANE_NAMES], " ")
    close = _name(shown, chosen, list(PANE_NAMES), "")
    short = _name(shown, chosen, [f" {name}" if name == chosen else "" for name in PANE_NAMES], " ")
    return next((labels for labels in (roomy, close) if sum(map(width_of, labels)) <= width), short)


def _name(shown: Sequence[str], chosen: str, labels: Sequence[str], margin: str) -> list[Line]:
    lines: list[Line] = []
    for at, (name, label) in enumerate(zip(PANE_NAMES, labels, strict=True), start=1):
        before, after = ("[", "]") if name == chosen else (margin, margin)
        role = "chosen" if name == chosen else "text" if name in shown else "muted"
        space = " " if at > 1 and not margin else ""
        lines.append([(space, "text"), (before, role), (str(at), "key"), (label + after, role)])
    return lines
