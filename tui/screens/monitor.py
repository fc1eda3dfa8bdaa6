"""The live screen of a run: reads its directory ten times a second at most, and hands what it finds to the panes."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer

from engines import control
from engines.launch import Worker
from engines.problems import Problem
from engines.run_reader import RunReader, RunStatus
from engines.spec import RunSpec
from tui import drawing
from tui.announcement import end_of, title_of
from tui.background import in_background
from tui.choices import Choices
from tui.compositor import CellCompositor
from tui.lens import Lens
from tui.messages import ChoiceSettled, ContinuationChosen, DrawingChosen, ReplayChosen, RunEnded, StartChosen
from tui.run_index import RunIndex
from tui.screens.cells import CellsScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.curve_keys import CurveKeys
from tui.screens.fresh_size import FreshSize
from tui.screens.switcher import SwitcherScreen
from tui.streams import output_encoding
from tui.view import View
from tui.watch import Watch
from tui.widgets.bench import PANE_NAMES, Bench
from tui.widgets.confusion_pane import Cell, ConfusionPane
from tui.widgets.curve_pane import LossPane
from tui.widgets.header_pane import HeaderPane
from tui.widgets.pane import Pane
from tui.widgets.progress_pane import ProgressPane
from tui.widgets.samples_pane import SamplesPane
from tui.widgets.tabs_pane import TabsPane

TICK_SECONDS = 0.1
READ_SECONDS = 0.012
"""At most so long a tick reads: a key is answered between one and the next."""

CATCH_UP_SECONDS = 0.001
"""So soon the next tick comes where there is more to read: a long record is caught up with all the same."""

ROOMY_HEIGHT, TIGHT_HEIGHT = 30, 20
FOR_A_WORKER = frozenset({"stop", "pause", "checkpoint", "scale_rate", "more_epochs"})
_CHECKPOINT_OR_CONTINUE = "save a checkpoint; after the end: continue"


class MonitorScreen(FreshSize, CurveKeys):
    """Shows one run, live or ended; asks things of its worker through the run's directory alone."""

    DEFAULT_CSS = """
    MonitorScreen > Pane, MonitorScreen > Bench { margin: 0 1; }
    MonitorScreen.-roomy TabsPane { margin: 1 1 0 1; }
    MonitorScreen.-tight HeaderPane, MonitorScreen.-tight ProgressPane { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "stop", tooltip="stop the run with a checkpoint"),
        Binding("p", "pause", "pause", tooltip="pause the run, or have it go on"),
        Binding("c", "checkpoint", "checkpoint", tooltip=_CHECKPOINT_OR_CONTINUE),
        Binding("c", "go_on", "continue", tooltip=_CHECKPOINT_OR_CONTINUE),
        Binding("f", "switch('framework')", "framework", tooltip="the next run in another framework"),
        Binding("m", "switch('model')", "model", tooltip="the next run of another model"),
        Binding("d", "switch('dataset')", "dataset", tooltip="the next run on another dataset"),
        Binding(
            "plus,equals_sign",
            "scale_rate(2)",
            "rate up",
            key_display="+",
            show=False,
            tooltip="twice the learning rate",
        ),
        Binding("minus", "scale_rate(0.5)", "rate down", key_display="-", show=False, tooltip="half the learning rate"),
        Binding("E", "more_epochs", "epochs more", show=False, tooltip="train for more epochs than was asked"),
        Binding("y", "replay", "replay", show=False, tooltip="play the run again from its start"),
        Binding("i", "image_style", "images", show=False, tooltip="images as blocks, braille or ASCII"),
        Binding("w", "image_set", "worst mistakes", show=False, tooltip="the fixed samples, or the worst mistakes"),
        Binding("enter", "cells", "cells", show=False, tooltip="the images in a cell of the confusion matrix"),
        Binding("e", "draw", "draw a digit", show=False, tooltip="draw a digit and see what the weights take it for"),
        Binding("l", "log_scale", "log scale", show=False, tooltip="loss on a logarithmic scale"),
        Binding("tab,right", "step_pane(1)", "next pane", show=False, priority=True),
        Binding("shift+tab,left", "step_pane(-1)", "pane before", show=False, priority=True),
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
        self._compositor = CellCompositor()
        self._directory = reader.directory
        self._watch = Watch(reader, worker, ascii_only=output_encoding() == "ascii")
        self._next: RunSpec | None = None
        self._view: View | None = None
        self._stage: tuple[RunStatus, bool] | None = None
        self._is_catching_up = False
        self._tabs = TabsPane()
        self._strip: tuple[Pane, ...] = (HeaderPane(), ProgressPane(), self._tabs)
        self._bench = Bench(self._choices)
        self.lens = Lens(smoothing=self._choices.smoothing)

    @property
    def curve_view(self) -> View | None:
        """See `CurveKeys`."""
        return self._view

    def compose(self) -> ComposeResult:
        """Lay out header, progress, the panes' names, the panes and the keys."""
        yield from self._strip
        yield self._bench
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Begin to look at the run."""
        self.set_interval(TICK_SECONDS, self._tick)
        self.call_after_refresh(self._tick)
        self._warm_up()

    def on_unmount(self) -> None:
        """Let go of the run's file, and of the window's title."""
        self._watch.close()
        self.app.title = self.app.TITLE or ""

    @work
    async def _warm_up(self) -> None:
        await in_background(drawing.import_plotext)
        self._bench.has_curves = True

    def _tick(self) -> None:
        before, self._view = self._view, self._watch.look(READ_SECONDS)
        if self._watch.has_more and not self._is_catching_up:
            self._is_catching_up = True
            self.set_timer(CATCH_UP_SECONDS, self._catch_up)
        if (stage := (self._view.status, self._view.state.batch is None)) != self._stage:
            self._stage = stage
            self._hurry()
        if self.is_seen:
            for pane in self._strip:
                pane.offer(self._view)
            self._bench.offer(self._view)
        self._announce(before, self._view)
        if before is None or before.is_alive != self._view.is_alive:
            self._change_life(before, self._view)

    def _catch_up(self) -> None:
        self._is_catching_up = False
        self._tick()

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
        """Show the results of a run that has ended, or never came to anything; start what was to follow it."""
        self.refresh_bindings()
        if view.is_alive:
            return
        if self._next is not None:
            self.post_message(StartChosen(self._next))
            self._next = None
        elif before or not view.state.batch:
            self._bench.choose("results", zoomed=not view.state.batch)

    @on(Bench.Arranged)
    def _show_names(self) -> None:
        self.set_class(self.size.height >= ROOMY_HEIGHT, "-roomy")
        self.set_class(self.size.height < TIGHT_HEIGHT, "-tight")
        self._tabs.show(self._bench.shown, self._bench.chosen)
        if self._view:
            self._bench.offer(self._view)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer each action only where there is a worker to do it, or none any more."""
        is_over = self._view is not None and not self._view.is_alive
        return is_over if action == "go_on" else not (is_over and action in FOR_A_WORKER)

    def action_choose_pane(self, name: str) -> None:
        """Show a pane; asked for once more it takes all the space, and then gives it back."""
        self._bench.choose(name, zoomed=name == self._bench.chosen and not self._bench.is_zoomed)
        self._choices.pane = name

    def action_step_pane(self, by: int) -> None:
        """Show the next pane."""
        self._bench.step(by)
        self._choices.pane = self._bench.chosen

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
        if spec := self._watch.spec:
            self.post_message(DrawingChosen(self._directory, spec))

    @on(ConfusionPane.CellChosen)
    def _open_cell(self, message: ConfusionPane.CellChosen) -> None:
        self._open_cells(message.cell)

    def action_cells(self) -> None:
        """Show the images in the cells of the confusion matrix, where that is shown."""
        if "confusion" in self._bench.shown:
            self._open_cells()

    def _open_cells(self, cell: Cell | None = None) -> None:
        self.app.push_screen(CellsScreen(lambda: self._view, self._choices, cell))

    def action_log_scale(self) -> None:
        """Change between a linear and a logarithmic scale of the loss."""
        self.query_one(LossPane).toggle_log()

    @work
    async def action_stop(self) -> None:
        """Stop the run with a checkpoint, once that is confirmed."""
        if await self.app.push_screen_wait(ConfirmScreen("Stop this run with a checkpoint? It can be continued.")):
            self._ask("stop")

    def action_pause(self) -> None:
        """Pause the run, or have it go on."""
        self._ask("resume" if self._view and self._view.state.paused else "pause")

    def action_checkpoint(self) -> None:
        """Have a checkpoint saved now."""
        self._ask("checkpoint")

    def action_scale_rate(self, factor: float) -> None:
        """Have the run go on with its learning rate times `factor`."""
        rate = self._view.state.lr if self._view else None
        if rate is not None and self._ask("lr", rate * factor):
            self.notify(f"learning rate {rate * factor:g} asked for", timeout=2)

    @work
    async def action_more_epochs(self) -> None:
        """Have the run train for more epochs than it was asked, as many as are chosen."""
        from tui.screens.epochs_more import EpochsMoreScreen  # Its input field is nothing to wait for before.

        spec = self._watch.spec
        if spec is None or not self._watch.has_worker:
            return
        more = await self.app.push_screen_wait(EpochsMoreScreen(spec.epochs))
        if more and self._ask("epochs", more):
            self.notify(f"{more:,} more asked for: {spec.epochs + more:,} epochs in all", timeout=3)

    @work
    async def action_go_on(self) -> None:
        """Go on with the run from its last checkpoint, past its end where it is there, once that is confirmed."""
        from tui.screens.runs import MORE_EPOCHS  # The table that comes with it is nothing to wait for before.

        view = self._view
        if view is None or view.spec is None:
            return
        more = MORE_EPOCHS if view.state.epochs and view.state.epochs[-1].epoch >= view.spec.epochs else None
        how = f"for {more} epochs more" if more else "from its last checkpoint"
        if await self.app.push_screen_wait(ConfirmScreen(f"Continue this run {how}?")):
            self.post_message(ContinuationChosen(self._directory, more))

    def action_replay(self) -> None:
        """Play the run again, as far as it is, over this screen."""
        self.post_message(ReplayChosen(self._directory))

    @work
    async def action_switch(self, row: str) -> None:
        """Choose what to train next, beginning with the next value of `row`; start it once that is confirmed."""
        present = self._watch.spec or RunSpec()
        switcher = SwitcherScreen(present, row, is_alive=self._watch.has_worker, index=self._index)
        switch = await self.app.push_screen_wait(switcher)
        if switch is None:
            self.post_message(ChoiceSettled(None))
        elif not switch.stop_first or not self._watch.has_worker:
            self.post_message(StartChosen(switch.spec))
        elif self._ask("stop"):
            self._next = switch.spec
            self.notify(f"{switch.spec.title} starts as soon as this run has saved its checkpoint.", timeout=4)

    def _ask(self, action: control.Action, value: float | None = None) -> bool:
        """Ask something of the run's worker; False where there is none, or it cannot be told, which is said."""
        try:
            return self._watch.ask(action, value)
        except Problem as problem:
            self.notify(problem.hint, title=problem.message, severity="error", markup=False)
            return False
