"""The line under a replay: whether and how fast it plays, where in the run it is, and the ends of the epochs."""

from collections.abc import Hashable
from typing import ClassVar

from textual import events
from textual.message import Message

from engines.replay import Timeline
from tui import formats
from tui.lines import Line, merge, width_of
from tui.replay import Playhead, ReplayWatch
from tui.view import View
from tui.widgets.pane import Pane

EPOCH_MARK, CONTROL_MARK, HEAD = "┴", "◇", "●"


class Scrubber(Pane):
    """Shows the playhead of a replay; a click, or the mouse drawn along it, goes to another moment."""

    PERIOD: ClassVar[float] = 0.1
    DEFAULT_CSS = "Scrubber { height: 1; }"

    class Sought(Message):
        """Somebody wants to see another `moment`."""

        def __init__(self, moment: float) -> None:
            super().__init__()
            self.moment = moment

    def __init__(self, watch: ReplayWatch) -> None:
        super().__init__()
        self._watch = watch

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        head, (first, length) = self._watch.playhead, bar_of(self._watch.playhead, self.size.width)
        where = _column(head.moment, head.length, length) + first
        return head.is_playing, head.speed, int(head.moment), where, self._watch.timeline, self.size.width

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the line."""
        return [draw_scrubber(self._watch.playhead, self._watch.timeline, width)]

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to what the mouse points at."""
        self.capture_mouse()
        self._seek(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse while its button is held."""
        if event.button:
            self._seek(event.x)

    def on_mouse_up(self) -> None:
        """Let go of the mouse."""
        self.release_mouse()

    def _seek(self, x: int) -> None:
        first, length = bar_of(self._watch.playhead, self.size.width)
        fraction = min(1.0, max(0.0, (x - first) / max(1, length - 1)))
        self.post_message(self.Sought(fraction * self._watch.playhead.length))


def draw_scrubber(head: Playhead, timeline: Timeline, width: int) -> Line:
    """Draw the replay's state and speed, and the run from its start to its end with the marks of its epochs."""
    _, length = bar_of(head, width)
    here = _column(head.moment, head.length, length)
    cells = [("━", "bar") if at < here else ("─", "rest") for at in range(length)]
    for moments, mark, role in ((timeline.epochs, EPOCH_MARK, "muted"), (timeline.controls, CONTROL_MARK, "warning")):
        for moment in moments:
            cells[_column(moment, head.length, length)] = (mark, role)
    cells[here] = (HEAD, "chosen")
    left, right = _ends(head)
    return [*left, *merge(cells), *right]


def bar_of(head: Playhead, width: int) -> tuple[int, int]:
    """Give the first cell of the bar, and how many it has, in a line of `width` cells."""
    left, right = _ends(head)
    return width_of(left), max(2, width - width_of(left) - width_of(right))


def _ends(head: Playhead) -> tuple[Line, Line]:
    state = ("▶", "right") if head.is_playing else ("‖", "warning")
    length = formats.clock(head.length)
    speed = f"{head.speed:g}x"
    here = formats.clock(head.moment).rjust(len(length))
    left: Line = [("replay ", "chosen"), state, (f" {speed:<5}", "strong"), (f"{here} ", "text")]
    return left, [(f" {length}", "muted")]


def _column(moment: float, length: float, columns: int) -> int:
    return round(min(1.0, moment / length) * (columns - 1)) if length > 0 else 0
