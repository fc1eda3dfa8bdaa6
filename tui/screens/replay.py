"""The live screen of the past: the same panes, fed from a run's events up to a moment of its own time."""

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from engines.run_reader import RunReader
from tui.background import in_background
from tui.choices import Choices
from tui.replay import USUAL_SPEED, Playhead, ReplayWatch
from tui.screens.monitor import MonitorScreen
from tui.screens.worker_keys import FOR_A_WORKER, TO_GO_ON
from tui.streams import output_encoding
from tui.view import View
from tui.widgets.scrubber import Scrubber

MEASURE_SECONDS = 2.0
HURRY_SECONDS = 1.0
"""Panes of what changes slowly in a run are drawn more often where it is played fast."""

STEPS = 40
"""So many steps lead through the whole run."""

_OF_THE_PRESENT = FOR_A_WORKER | TO_GO_ON | {"switch", "replay", "draw"}


class ReplayScreen(MonitorScreen):
    """Shows a run, live or ended, as it was; nothing here asks anything of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p,space", "play", "play", key_display="p", tooltip="play, or stand still; at the end: from the start"),
        Binding("plus,equals_sign", "scale_speed(1)", "faster", key_display="+", tooltip="faster, up to 100x"),
        Binding("minus", "scale_speed(-1)", "slower", key_display="-", tooltip="slower, down to 1x"),
        Binding("comma", "seek(-1)", "back", key_display=",", tooltip="back by a fortieth of the run"),
        Binding("full_stop", "seek(1)", "on", key_display=".", tooltip="on by a fortieth of the run"),
        Binding("less_than_sign", "seek_epoch(-1)", "epoch before", key_display="<", show=False),
        Binding("greater_than_sign", "seek_epoch(1)", "next epoch", key_display=">", show=False),
        Binding("home", "seek_end(-1)", "start of the run", show=False),
        Binding("end", "seek_end(1)", "end of the run", show=False),
        Binding("escape", "app.back", "back"),
    ]

    def __init__(self, directory: Path, speed: float = USUAL_SPEED, choices: Choices | None = None) -> None:
        super().__init__(RunReader(directory), choices=choices)
        self._playhead = Playhead(speed)
        self._replay = ReplayWatch(directory, self._playhead, ascii_only=output_encoding() == "ascii")
        self.watched = self._replay
        header, progress, tabs = self._strip
        self._strip = (header, progress, Scrubber(self._replay), tabs)
        self._is_reading = False
        self._is_measuring = False

    def on_mount(self) -> None:
        """Begin to measure the run, which may still grow."""
        self._measure()
        self.set_interval(MEASURE_SECONDS, self._measure)
        self.set_interval(HURRY_SECONDS, self._bench.hurry)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that would be done to the run of today."""
        return action not in _OF_THE_PRESENT and super().check_action(action, parameters)

    @property
    def is_eager(self) -> bool:
        """Tell whether the playhead moves, or is still to get where it belongs."""
        return self._playhead.is_playing or self._replay.is_behind

    def action_play(self) -> None:
        """Play, or stand still."""
        self._playhead.toggle()
        self.tick()

    def action_scale_speed(self, by: int) -> None:
        """Play faster or slower."""
        self._playhead.scale(by)
        self.tick()

    def action_seek(self, by: int) -> None:
        """Go on or back by a step."""
        self._go_to(self._playhead.moment + by * self._playhead.length / STEPS)

    def action_seek_epoch(self, by: int) -> None:
        """Go to the end of the next epoch, or of the one before."""
        self._go_to(self._replay.timeline.epoch_beside(self._playhead.moment, by))

    def action_seek_end(self, by: int) -> None:
        """Go to the run's start or end."""
        self._go_to(self._playhead.length if by > 0 else 0.0)

    @on(Scrubber.Sought)
    def _seek(self, message: Scrubber.Sought) -> None:
        self._go_to(message.moment)

    def _go_to(self, moment: float) -> None:
        self._playhead.go_to(moment)
        self._bench.hurry()
        self.tick()

    def tick(self) -> None:
        """See `LiveCurves`."""
        super().tick()
        if self._replay.is_behind:
            self._read_again()

    def _announce(self, before: View | None, view: View) -> None:
        """Tell nobody: what is over is no news."""

    def _change_life(self, before: View | None, view: View) -> None:
        """Stay on the pane that is shown: the end of a replay is one moment of many."""
        self.refresh_bindings()

    @work
    async def _read_again(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            self._replay.take(await in_background(self._replay.read_again))
            self._is_reading = False
            self._bench.hurry()
            self.tick()

    @work
    async def _measure(self) -> None:
        if not self._is_measuring:
            self._is_measuring = True
            self._replay.set_timeline(await in_background(self._replay.measure))
            self._is_measuring = False
