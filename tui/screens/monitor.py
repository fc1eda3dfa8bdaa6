"""The live screen of a run: reads its directory a few times a second, and hands what it finds to the panes."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from engines import control
from engines.launch import Worker
from engines.run_reader import RunReader, RunStatus
from engines.spec import RunSpec
from tui.announcement import end_of, title_of
from tui.choices import Choices
from tui.lens import Lens
from tui.messages import ChoiceSettled, DrawingChosen, ReplayChosen, RunEnded, StartChosen
from tui.run_index import RunIndex
from tui.screens.cells import CellsScreen
from tui.screens.curve_keys import CurveKeys
from tui.screens.fresh_size import FreshSize
from tui.screens.live_curves import LiveCurves
from tui.screens.switcher import SwitcherScreen
from tui.screens.worker_keys import WorkerKeys
from tui.streams import output_encoding
from tui.view import View
from tui.watch import Watch
from tui.widgets.bench import PANE_NAMES, Bench
from tui.widgets.confusion_pane import Cell, ConfusionPane
from tui.widgets.curve_pane import LossPane
from tui.widgets.header_pane import HeaderPane
from tui.widgets.key_line import KeyLine
from tui.widgets.pane import Pane
from tui.widgets.progress_pane import ProgressPane
from tui.widgets.samples_pane import SamplesPane
from tui.widgets.tabs_pane import TabsPane

READ_SECONDS = 0.012
"""At most so long a tick reads: a key is answered between one and the next."""

CATCH_UP_SECONDS = 0.001
"""So soon the next tick comes where there is more to read: a long record is caught up with all the same."""

EAGER_SECONDS = 0.05
"""So often the run is looked at while something is waited for: its first step, an answer."""

ROOMY_HEIGHT, TIGHT_HEIGHT = 30, 20


class MonitorScreen(FreshSize, LiveCurves, WorkerKeys, CurveKeys):
    """Shows one run, live or ended; asks things of its worker through the run's directory alone."""

    DEFAULT_CSS = """
    MonitorScreen > Pane, MonitorScreen > Bench { margin: 0 1; }
    MonitorScreen.-roomy TabsPane { margin: 1 1 0 1; }
    MonitorScreen.-tight HeaderPane, MonitorScreen.-tight ProgressPane { height: 1; }
    """
    TICK_SECONDS = 0.5
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "switch('framework')", "framework", tooltip="the next run in another framework"),
        Binding("m", "switch('model')", "model", tooltip="the next run of another model"),
        Binding("d", "switch('dataset')", "dataset", tooltip="the next run on another dataset"),
        Binding("y", "replay", "replay", show=False, tooltip="play the run again from its start"),
        Binding("i", "image_style", "images", show=False, tooltip="images as blocks, braille or ASCII"),
        Binding("w", "image_set", "worst mistakes", show=False, tooltip="the fixed samples, or the worst mistakes"),
        Binding("enter", "cells", "cells", show=False, tooltip="the images in a cell of the confusion matrix"),
        Binding("e", "draw", "draw a digit", show=False, tooltip="draw a digit and see what the weights take it for"),
        Binding("l", "log_scale", "log scale", show=False, tooltip="loss on a logarithmic scale"),
        Binding("tab,right", "step_pane(1)", "next pane", show=False, priority=True),
        Binding("shift+tab,left", "step_pane(-1)", "pane before", show=False, priority=True),
        Binding("up", "move_rows(-1)", "row above", show=False, tooltip="older rows of the results or the log"),
        Binding("down", "move_rows(1)", "row below", show=False, tooltip="newer rows"),
        Binding("pageup", "move_pages(-1)", "page above", show=False, tooltip="a page of older rows"),
        Binding("pagedown", "move_pages(1)", "page below", show=False, tooltip="a page of newer rows"),
        *(Binding(str(at), f"choose_pane('{name}')", name, show=False) for at, name in enumerate(PANE_NAMES, start=1)),
    ]

    def __init__(
        self,
        reader: RunReader,
        worker: Worker | None = None,
        choices: Choices | None = None,
        index: RunIndex | None = None,
    ) -> None:
        super().__init__()
        self._index = index
        self._choices = choices or Choices()
        self.directory = reader.directory
        self.watched = Watch(reader, worker, ascii_only=output_encoding() == "ascii")
        self.view: View | None = None
        self._stage: tuple[RunStatus, bool] | None = None
        self._is_catching_up = False
        self._tabs = TabsPane()
        self._strip: tuple[Pane, ...] = (HeaderPane(), ProgressPane(), self._tabs)
        self._bench = Bench(self._choices, self._show_names)
        self.lens = Lens(smoothing=self._choices.smoothing)

    @property
    def curve_view(self) -> View | None:
        """See `CurveKeys`."""
        return self.view

    def compose(self) -> ComposeResult:
        """Lay out header, progress, the panes' names, the panes and the keys."""
        yield from self._strip
        yield self._bench
        yield KeyLine()

    def on_mount(self) -> None:
        """Look more often, for now."""
        self._eager = self.set_interval(EAGER_SECONDS, self.tick)

    def on_unmount(self) -> None:
        """Let go of the run's file, and of the window's title."""
        self.watched.close()
        self.app.title = self.app.TITLE or ""

    def begin_curves(self) -> None:
        """See `LiveCurves`."""
        self._bench.has_curves = True

    def tick(self) -> None:
        """See `LiveCurves`."""
        before, self.view = self.view, self.watched.look(READ_SECONDS)
        if self.watched.has_more and not self._is_catching_up:
            self._is_catching_up = True
            self.set_timer(CATCH_UP_SECONDS, self._catch_up)
        if (stage := (self.view.status, self.view.state.batch is None)) != self._stage:
            self._stage = stage
            self._hurry()
        if self.is_seen:
            for pane in self._strip:
                pane.offer(self.view)
            self._bench.offer(self.view)
        self._announce(before, self.view)
        if before is None or before.is_alive != self.view.is_alive:
            self._change_life(before, self.view)
        elif before.is_gone != self.view.is_gone:
            self.refresh_bindings()
        self._set_pace()

    @property
    def is_eager(self) -> bool:
        """Tell whether a person waits for something that may be seen with the next look."""
        view = self.view
        is_beginning = view is None or (view.is_alive and view.state.batch is None)
        return is_beginning or self.watched.is_waiting

    def ask(self, action: control.Action, value: float | None = None) -> bool:
        """See `WorkerKeys`; looks out for the answer."""
        is_asked = super().ask(action, value)
        self._set_pace()
        return is_asked

    def _set_pace(self) -> None:
        if self.is_eager:
            self._eager.resume()
        else:
            self._eager.pause()

    def _catch_up(self) -> None:
        self._is_catching_up = False
        self.tick()

    def _hurry(self) -> None:
        """Have the first step, or an end, shown at once."""
        for pane in self._strip:
            pane.hurry()
        self._bench.hurry()

    def _announce(self, before: View | None, view: View) -> None:
        """Tell outside of the screen how the run stands, and when it has ended."""
        if (title := title_of(view)) != self.app.title:
            self.app.title = title
        if before and before.is_alive and not view.is_alive:
            self.post_message(RunEnded(end_of(view)))

    def _change_life(self, before: View | None, view: View) -> None:
        """Show the results of a run that has ended, or never came to anything."""
        self.refresh_bindings()
        if not view.is_alive and (before or not view.state.batch):
            self._bench.choose("results", zoomed=not view.state.batch)

    def _show_names(self) -> None:
        self.set_class(self.size.height >= ROOMY_HEIGHT, "-roomy")
        self.set_class(self.size.height < TIGHT_HEIGHT, "-tight")
        self._tabs.show(self._bench.shown, self._bench.chosen)

    def action_choose_pane(self, name: str) -> None:
        """Show a pane; asked for once more it takes all the space, and then gives it back."""
        self._bench.choose(name, zoomed=name == self._bench.chosen and not self._bench.is_zoomed)
        self._choices.pane = name

    def action_step_pane(self, by: int) -> None:
        """Show the next pane."""
        self._bench.step(by)
        self._choices.pane = self._bench.chosen

    def action_move_rows(self, by: int) -> None:
        """Show newer rows of a pane that has more than there is room for, or older ones."""
        if pane := self._bench.scrolled:
            pane.move_rows(by)

    def action_move_pages(self, by: int) -> None:
        """Show the next page of such a pane, or the one before."""
        if pane := self._bench.scrolled:
            pane.move_pages(by)

    def action_smoothing(self) -> None:
        """Smooth the curves more, or not at all, and remember it."""
        super().action_smoothing()
        self._choices.smoothing = self.lens.smoothing

    def action_image_style(self) -> None:
        """Show the sample images in the next style."""
        self.query_one(SamplesPane).step_style()

    def action_image_set(self) -> None:
        """Show the worst mistakes in place of the fixed samples, or the other way round."""
        self.query_one(SamplesPane).step_set()

    def action_draw(self) -> None:
        """Draw a digit for the run's newest checkpoint."""
        if spec := self.watched.spec:
            self.post_message(DrawingChosen(self.directory, spec))

    @on(ConfusionPane.CellChosen)
    def _open_cell(self, message: ConfusionPane.CellChosen) -> None:
        self._open_cells(message.cell)

    def action_cells(self) -> None:
        """Show the images in the cells of the confusion matrix, where that is shown."""
        if "confusion" in self._bench.shown:
            self._open_cells()

    def _open_cells(self, cell: Cell | None = None) -> None:
        self.app.push_screen(CellsScreen(lambda: self.view, self._choices, cell))

    def action_log_scale(self) -> None:
        """Change between a linear and a logarithmic scale of the loss."""
        self.query_one(LossPane).toggle_log()

    def action_replay(self) -> None:
        """Play the run again, as far as it is, over this screen."""
        self.post_message(ReplayChosen(self.directory))

    @work
    async def action_switch(self, row: str) -> None:
        """Choose what to train next, beginning with the next value of `row`; start it once that is confirmed."""
        present = self.watched.spec or RunSpec()
        switcher = SwitcherScreen(present, row, is_alive=self.watched.has_worker, index=self._index)
        switch = await self.app.push_screen_wait(switcher)
        if switch is None:
            self.post_message(ChoiceSettled(None))
        elif not switch.stop_first or not self.watched.has_worker:
            self.post_message(StartChosen(switch.spec))
        elif self.ask("stop"):
            self.post_message(StartChosen(switch.spec, after=self.directory))
            self.notify(f"{switch.spec.title} starts as soon as this run has saved its checkpoint.", timeout=4)
        else:
            self.post_message(ChoiceSettled(None))
