"""The screen of a sweep: it drives the sweep, and shows live what the runs of each combination come to."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from engines.sweep_driver import SweepDriver
from tui.background import in_background
from tui.formats import counted
from tui.lines import Line
from tui.messages import RunChosen, RunEnded
from tui.screens.confirm import ConfirmScreen
from tui.screens.fresh_size import FreshSize
from tui.sweep_layout import SweepLook, chosen_group, chosen_run, lay_out
from tui.sweep_lines import draw_sweep
from tui.sweep_view import SweepView, end_of, title_of
from tui.widgets.key_line import KeyLine
from tui.widgets.picture import Picture

STEP_SECONDS = 0.25


class SweepScreen(FreshSize, Screen[None]):
    """Drives `driver` in a thread beside the screen as long as the screen is there, also under another."""

    DEFAULT_CSS = """
    SweepScreen _SweepPicture { height: 1fr; margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="enter", tooltip="open the run's live screen; Escape comes back"),
        Binding("s", "stop", "stop", tooltip="stop the sweep, each run with a checkpoint"),
        Binding("c", "go_on", "continue", tooltip="continue a sweep that was stopped, and what failed"),
        Binding("up", "move(-1)", "combination above", show=False),
        Binding("down", "move(1)", "combination below", show=False),
        Binding("pageup", "page(-1)", "page above", show=False),
        Binding("pagedown", "page(1)", "page below", show=False),
        Binding("home", "go_to_end(-1)", "first combination", show=False),
        Binding("end", "go_to_end(1)", "last combination", show=False),
        Binding("left", "step(-1)", "run before", show=False, tooltip="another run of the combination"),
        Binding("right", "step(1)", "run after", show=False, tooltip="another run of the combination"),
        Binding("escape", "follow", "follow", show=False, tooltip="have the cursor follow what trains"),
    ]

    def __init__(self, driver: SweepDriver) -> None:
        super().__init__()
        self._sweep = driver
        self._began = time.monotonic()
        self._at_once = max(1, driver.places.at_once([spec.device for spec in driver.sweep.specs]))
        self._look = SweepLook()
        self._picture = _SweepPicture(self)
        self.view = self._see()

    def compose(self) -> ComposeResult:
        """Lay out the picture over the keys."""
        yield self._picture
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin to train."""
        self._drive()

    @property
    def look(self) -> SweepLook:
        """What is under the cursor."""
        return self._look

    def look_at(self, **changes: int | None) -> None:
        """Put the cursor elsewhere."""
        self._look = replace(self._look, **changes)
        self._picture.redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to stop what goes on, and to go on with what does not."""
        is_over = self._sweep.progress.is_over
        if action == "go_on":
            return is_over and not self.view.is_whole
        return action != "stop" or not is_over

    def action_move(self, by: int) -> None:
        """Move the cursor to another combination."""
        at = (chosen_group(self.view, self._look) + by) % len(self.view.groups)
        self.look_at(group=at, run=None)

    def action_page(self, by: int) -> None:
        """Move the cursor by as many combinations as are seen, as far as there are any."""
        seen = len(lay_out(self.view, self._look, self._picture.size.height).groups)
        at = chosen_group(self.view, self._look) + by * max(1, seen)
        self.look_at(group=min(max(0, at), len(self.view.groups) - 1), run=None)

    def action_go_to_end(self, by: int) -> None:
        """Move the cursor to the first combination, or the last."""
        self.look_at(group=len(self.view.groups) - 1 if by > 0 else 0, run=None)

    def action_step(self, by: int) -> None:
        """Move the cursor to another run of the combination."""
        group = chosen_group(self.view, self._look)
        at = (chosen_run(self.view, self._look) + by) % len(self.view.sweep.alike[group])
        self.look_at(group=group, run=at)

    def action_follow(self) -> None:
        """Have the cursor be where something trains."""
        self.look_at(group=None, run=None)

    def action_open(self) -> None:
        """Open the live screen of the run under the cursor."""
        spec = self.view.sweep.alike[chosen_group(self.view, self._look)][chosen_run(self.view, self._look)]
        if live := self.view.live.get(spec):
            self.post_message(RunChosen(live.directory))
        elif row := self.view.progress.rows.get(spec):
            self.post_message(RunChosen(Path(row.directory)))
        else:
            self.notify(self.view.progress.reasons.get(spec) or "It waits for its turn.", timeout=3, markup=False)

    @work
    async def action_stop(self) -> None:
        """Stop the sweep once that is confirmed: each run with a checkpoint, asked for again at once."""
        if self._sweep.progress.is_stopping:
            question = "Stop at once, without checkpoints of where the runs are?"
        else:
            question = "Stop the sweep? Each run in training saves a checkpoint, and all can be continued."
        if not await self.app.push_screen_wait(ConfirmScreen(question)):
            return
        if self._sweep.progress.is_over:
            self.notify("c continues one that is not complete.", title="The sweep has ended meanwhile", timeout=4)
        else:
            self._sweep.stop()

    async def action_go_on(self) -> None:
        """Train what is missing."""
        await in_background(self._sweep.go_on)
        self._show()

    @work
    async def _drive(self) -> None:
        while True:
            await in_background(self._sweep.step)
            self._show()
            await asyncio.sleep(STEP_SECONDS)

    def _see(self) -> SweepView:
        return SweepView(self._sweep.sweep, self._sweep.progress, time.monotonic() - self._began, self._at_once)

    def _show(self) -> None:
        before, view = self.view, self._see()
        if before.progress.is_over and view.progress.is_over:
            view = replace(view, elapsed=before.elapsed)  # The clock stands still once nothing is waited for.
        self.view = view
        if self.is_seen:
            self._picture.redraw()
        if (title := title_of(view)) != self.app.title and self.is_seen:
            self.app.title = title
        if before.progress.is_over != view.progress.is_over:
            self.refresh_bindings()
            if view.progress.is_over:
                self.post_message(RunEnded(end_of(view)))
        self._tell_of_failures(before, view)

    def _tell_of_failures(self, before: SweepView, view: SweepView) -> None:
        new = len(view.progress.reasons.keys() - before.progress.reasons.keys())
        if new and not self.is_seen:
            self.notify(f"{counted(new, 'run')} of the sweep failed; Escape shows why.", severity="error", timeout=5)


class _SweepPicture(Picture):
    def __init__(self, of: SweepScreen) -> None:
        super().__init__()
        self._of = of

    def draw(self, width: int, height: int) -> list[Line]:
        """Give the whole sweep."""
        return draw_sweep(self._of.view, self._of.look, width, height)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the combination or the run that was clicked."""
        view, layout = self._of.view, lay_out(self._of.view, self._of.look, self.size.height)
        if 0 <= event.y - layout.table < len(layout.groups):
            self._of.look_at(group=layout.groups[event.y - layout.table], run=None)
        elif 0 <= event.y - layout.detail < len(layout.runs):
            self._of.look_at(group=chosen_group(view, self._of.look), run=layout.runs[event.y - layout.detail])
