"""The race: runs side by side on one clock, live or ended, some perhaps still waiting for their turn."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.lines import Line
from tui.messages import RunChosen
from tui.race import Metric
from tui.race_lines import METRICS, RaceLook, draw_race
from tui.race_watch import RaceWatch
from tui.run_index import RunIndex
from tui.screens.fresh_size import FreshSize
from tui.screens.live_curves import LiveCurves
from tui.streams import output_encoding
from tui.widgets.key_line import KeyLine
from tui.widgets.picture import Picture

READ_SECONDS = 0.04
"""At most so long a tick reads, all runs together."""

DRAW_TICKS = 4
"""The curves are drawn anew once in so many ticks."""


class RaceScreen(FreshSize, LiveCurves):
    """Shows the runs in `directories`, each under a letter; reads their directories and changes nothing."""

    DEFAULT_CSS = """
    RaceScreen _RacePicture { height: 1fr; margin: 0 1; }
    """
    TICK_SECONDS = 0.25
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "step_clock", "clock", tooltip="by seconds of training, or by epochs"),
        Binding("l", "log_scale", "log scale", tooltip="loss on a logarithmic scale"),
        Binding("tab,right,shift+tab,left", "step_chart", "accuracy or loss", show=False, priority=True),
        Binding("1", "choose_chart('accuracy')", "accuracy", show=False),
        Binding("2", "choose_chart('loss')", "loss", show=False),
        Binding("up", "move(-1)", "run above", show=False),
        Binding("down", "move(1)", "run below", show=False),
        Binding("enter", "open", "open", key_display="enter", tooltip="open the run's live screen"),
    ]

    def __init__(self, index: RunIndex, directories: Sequence[Path]) -> None:
        super().__init__()
        self._watch = RaceWatch(index.store, directories)
        self._picture = _RacePicture(self._watch)
        self._ticks = 0

    def compose(self) -> ComposeResult:
        """Lay out the picture over the keys."""
        yield self._picture
        yield KeyLine()

    def on_unmount(self) -> None:
        """Let go of the runs' files."""
        self._watch.close()

    def action_step_clock(self) -> None:
        """Change between seconds of training and epochs."""
        look = self._picture.look
        self._picture.look_at(replace(look, clock="epochs" if look.clock == "seconds" else "seconds"))

    def action_log_scale(self) -> None:
        """Change between a linear and a logarithmic scale of the loss."""
        self._picture.look_at(replace(self._picture.look, is_log=not self._picture.look.is_log))

    def action_step_chart(self) -> None:
        """Show the other chart where there is room for one."""
        self.action_choose_chart(METRICS[1 - METRICS.index(self._picture.look.metric)])

    def action_choose_chart(self, metric: Metric) -> None:
        """Show a chart by its name."""
        self._picture.look_at(replace(self._picture.look, metric=metric))

    def action_move(self, by: int) -> None:
        """Move the cursor to another run."""
        self._picture.choose((self._picture.look.chosen + by) % len(self._watch.lanes))

    def action_open(self) -> None:
        """Open the live screen of the run under the cursor."""
        lane = self._watch.lanes[self._picture.look.chosen]
        if lane.status in ("queued", "gone"):
            self.notify("It waits for its turn." if lane.status == "queued" else "It is no longer there.", timeout=3)
        else:
            self.post_message(RunChosen(lane.directory))

    def begin_curves(self) -> None:
        """See `LiveCurves`."""
        self._picture.look_at(replace(self._picture.look, has_curves=True))

    def tick(self) -> None:
        """See `LiveCurves`; nothing is read where nothing is seen."""
        if not self.is_seen:
            return
        self._ticks += 1
        changed = self._watch.look(READ_SECONDS)
        if changed and self._ticks % DRAW_TICKS == 1:
            self._picture.redraw()
            self._watch.told()


class _RacePicture(Picture):
    def __init__(self, watch: RaceWatch) -> None:
        super().__init__()
        self._watch = watch
        self.look = RaceLook(has_curves=False, ascii_only=output_encoding() == "ascii")

    def look_at(self, look: RaceLook) -> None:
        """Look at the race in another way."""
        self.look = look
        self.redraw()

    def choose(self, at: int) -> None:
        """Put the cursor on a run, by its place in the table."""
        self.look_at(replace(self.look, chosen=at))

    def draw(self, width: int, height: int) -> list[Line]:
        """Give the whole race."""
        return draw_race(self._watch.lanes, self.look, width, height)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the run that was clicked in the table, which stands at the end."""
        at = event.y - (self.size.height - len(self._watch.lanes))
        if 0 <= at < len(self._watch.lanes):
            self.choose(at)
