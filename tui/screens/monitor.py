"""The live screen of a run: reads its directory ten times a second at most, and hands what it finds to the panes."""

import time
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from engines import control
from engines.launch import Worker, describe_exit, last_log_lines
from engines.problems import Problem
from engines.run_reader import RunReader
from engines.runs import read_spec
from engines.spec import RunSpec
from tui import drawing
from tui.compositor import CellCompositor
from tui.messages import StartChosen
from tui.screens.confirm import ConfirmScreen
from tui.screens.switcher import Switch, SwitcherScreen
from tui.streams import output_encoding
from tui.view import View
from tui.widgets.bench import PANE_NAMES, Bench
from tui.widgets.curve_pane import LossPane
from tui.widgets.header_pane import HeaderPane
from tui.widgets.progress_pane import ProgressPane
from tui.widgets.samples_pane import SamplesPane
from tui.widgets.tabs_pane import TabsPane

TICK_SECONDS = 0.1
READ_SECONDS = 0.04
"""At most so long a tick reads: a key is answered meanwhile, and a long record is caught up with all the same."""

ROOMY_HEIGHT = 30
LOG_SECONDS = 1.0
LOG_LINES = 60


class MonitorScreen(Screen[None]):
    """Shows one run, live or ended; asks things of its worker through the run's directory alone."""

    DEFAULT_CSS = """
    MonitorScreen HeaderPane, MonitorScreen ProgressPane, MonitorScreen TabsPane, MonitorScreen Bench { margin: 0 1; }
    MonitorScreen.-roomy TabsPane { margin: 1 1 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "stop"),
        Binding("p", "pause", "pause"),
        Binding("c", "checkpoint", "checkpoint"),
        Binding("f", "switch('framework')", "framework"),
        Binding("m", "switch('model')", "model"),
        Binding("d", "switch('dataset')", "dataset"),
        Binding("i", "image_style", "images", show=False),
        Binding("l", "log_scale", "log scale", show=False),
        Binding("tab,right", "step_pane(1)", "next pane", show=False, priority=True),
        Binding("shift+tab,left", "step_pane(-1)", "pane before", show=False, priority=True),
        *(Binding(str(at), f"choose_pane('{name}')", name, show=False) for at, name in enumerate(PANE_NAMES, start=1)),
    ]

    def __init__(self, reader: RunReader, worker: Worker | None = None) -> None:
        super().__init__()
        self._compositor = CellCompositor()
        self._reader = reader
        self._worker = worker
        self._spec = read_spec(reader.directory)
        self._ascii_only = output_encoding() == "ascii"
        self._log_lines: tuple[str, ...] = ()
        self._log_read_at = float("-inf")
        self._next: RunSpec | None = None
        self._was_alive: bool | None = None
        self._bench = Bench()

    def compose(self) -> ComposeResult:
        """Lay out header, progress, the panes' names, the panes and the keys."""
        yield HeaderPane()
        yield ProgressPane()
        yield TabsPane()
        yield self._bench
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Begin to look at the run."""
        self.set_interval(TICK_SECONDS, self._tick)
        self.call_after_refresh(self._tick)
        self._warm_up()

    def on_unmount(self) -> None:
        """Let go of the run's file."""
        self._reader.close()

    @work(thread=True)
    def _warm_up(self) -> None:
        drawing.import_plotext()

    def _tick(self) -> None:
        self._reader.advance(READ_SECONDS)
        view = self._look()
        if self.app.screen is not self:
            return
        for pane in (self.query_one(HeaderPane), self.query_one(ProgressPane), self.query_one(TabsPane)):
            pane.offer(view)
        self._bench.offer(view)
        self._notice_end(view)

    def _look(self) -> View:
        now = time.monotonic()
        if now - self._log_read_at >= LOG_SECONDS:
            self._log_read_at = now
            self._log_lines = tuple(last_log_lines(self._reader.directory, LOG_LINES))
        code = self._worker.process.poll() if self._worker else None
        return View(
            directory=self._reader.directory,
            state=self._reader.state,
            status=self._reader.status(),
            now=time.time(),
            spec=self._reader.state.spec or self._spec,
            log_lines=self._log_lines,
            worker_exit="" if code is None else describe_exit(code),
            ascii_only=self._ascii_only,
        )

    def _notice_end(self, view: View) -> None:
        """Show the results when the run has ended, or never came to anything; start what was to follow it."""
        ended = self._was_alive and not view.is_alive
        came_to_nothing = not view.is_alive and not view.state.batch
        if not view.is_alive and self._next is not None:
            spec, self._next = self._next, None
            self.post_message(StartChosen(spec))
        elif ended or (self._was_alive is None and came_to_nothing):
            self._bench.choose("results", zoomed=came_to_nothing)
        self._was_alive = view.is_alive

    @on(Bench.Arranged)
    def _show_names(self) -> None:
        self.set_class(self.size.height >= ROOMY_HEIGHT, "-roomy")
        self.query_one(TabsPane).show(self._bench.shown, self._bench.chosen)
        self._bench.offer(self._look())

    def action_choose_pane(self, name: str) -> None:
        """Show a pane; asked for once more it takes all the space, and then gives it back."""
        self._bench.choose(name, zoomed=name == self._bench.chosen and not self._bench.is_zoomed)

    def action_step_pane(self, by: int) -> None:
        """Show the next pane."""
        self._bench.step(by)

    def action_image_style(self) -> None:
        """Show the sample images in the next style."""
        pane = self._bench.panes["samples"]
        assert isinstance(pane, SamplesPane)
        pane.step_style()

    def action_log_scale(self) -> None:
        """Change between a linear and a logarithmic scale of the loss."""
        pane = self._bench.panes["loss"]
        assert isinstance(pane, LossPane)
        pane.toggle_log()

    def action_stop(self) -> None:
        """Stop the run with a checkpoint, once that is confirmed."""
        if self._is_alive():
            question = "Stop this run with a checkpoint? It can go on later from where it is."
            self.app.push_screen(ConfirmScreen(question), self._stop)

    def action_pause(self) -> None:
        """Pause the run, or have it go on."""
        if self._is_alive():
            self._ask("resume" if self._reader.state.paused else "pause")

    def action_checkpoint(self) -> None:
        """Have a checkpoint saved now."""
        if self._is_alive():
            self._ask("checkpoint")

    def action_switch(self, row: str) -> None:
        """Choose what to train next, beginning with the next value of `row`."""
        spec = self._reader.state.spec or self._spec or RunSpec()
        self.app.push_screen(SwitcherScreen(spec, row, is_alive=self._is_alive(quietly=True)), self._switch)

    def _is_alive(self, *, quietly: bool = False) -> bool:
        if self._reader.has_worker():
            return True
        if not quietly:
            self.notify("This run has no worker any more.", timeout=3)
        return False

    def _stop(self, confirmed: bool | None) -> None:
        if confirmed:
            self._ask("stop")

    def _switch(self, switch: Switch | None) -> None:
        if switch is None:
            return
        if switch.stop_first and self._is_alive(quietly=True):
            self._next = switch.spec
            self._ask("stop")
        else:
            self.post_message(StartChosen(switch.spec))

    def _ask(self, action: control.Action) -> None:
        try:
            control.ask(self._reader.directory, action)
        except Problem as problem:
            self.notify(problem.hint, title=problem.message, severity="error", markup=False)
