"""The table of runs: what each does or did, how well, how long ago; opens one, or goes on with it."""

import time
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from engines.problems import StorageProblem
from engines.run_reader import ALIVE
from engines.runs import RunStore, RunSummary
from tui import formats
from tui.background import in_background
from tui.choice_lines import ago, run_title
from tui.messages import ContinuationChosen, ReplayChosen, RunChosen
from tui.run_index import RunIndex
from tui.screens.confirm import ConfirmScreen
from tui.screens.fresh_size import FreshSize

LOOK_SECONDS = 2.0
MORE_EPOCHS = 5
"""How far a run that did all it was asked for goes on."""

# The first five fill 80 columns; where there is no room, the others are simply not seen.
COLUMNS = (
    ("state", 11),
    ("trains", 31),
    ("epochs", 9),
    ("best", 8),
    ("started", 11),
    ("took", 9),
    ("device", 8),
    ("lr", 8),
    ("batch", 6),
    ("seed", 6),
    ("run", 64),
)
RIGHT_ALIGNED = {"epochs", "best", "started", "took"}
MARKS = {"running": "▶", "paused": "‖", "stalled": "?", "completed": "✓", "stopped": "■", "failed": "✗", "crashed": "✗"}


class RunsScreen(FreshSize, Screen[None]):
    """Lists every run of a store, newest first, and keeps the list as it is on disk."""

    DEFAULT_CSS = """
    RunsScreen {
        #summary { height: 1; padding: 0 1; color: $text-muted; }
        #where { height: 1; padding: 0 1; color: $text-muted; }
        DataTable { height: 1fr; background: $background; overflow-x: hidden; }
        DataTable:focus { background-tint: $foreground 0%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="enter", priority=True),
        Binding("c", "go_on", "continue"),
        Binding("y", "replay", "replay", tooltip="play the run again from its start"),
        Binding("escape,r", "app.back", "back"),
    ]

    def __init__(self, store: RunStore) -> None:
        super().__init__()
        self._store = store
        self._index = RunIndex(store)
        self._runs: dict[str, RunSummary] = {}
        self._is_looking = False
        # Kept, not queried: the runs may have been read when the screen is already being taken down.
        self._summary = Static("Reading the runs ...", id="summary", markup=False)
        self._table = DataTable[Text](cursor_type="row")
        self._where = Static("", id="where", markup=False)

    def compose(self) -> ComposeResult:
        """Lay out the table between a line about all runs and one about the chosen one."""
        yield self._summary
        yield self._table
        yield self._where
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Begin to read."""
        for title, width in COLUMNS:
            self._table.add_column(_cell(title, title), width=width, key=title)
        self._look()
        self.set_interval(LOOK_SECONDS, self._look)

    def action_open(self) -> None:
        """Open the chosen run's live screen."""
        if run := self._chosen:
            self.post_message(RunChosen(Path(run.directory)))

    def action_replay(self) -> None:
        """Play the chosen run again."""
        if run := self._chosen:
            self.post_message(ReplayChosen(Path(run.directory)))

    @work
    async def action_go_on(self) -> None:
        """Ask whether to go on with the chosen run, past its end where it is there, and do."""
        run = self._chosen
        if run is None or run.spec is None:
            return
        if run.state in ALIVE:
            self.notify("It is alive: Enter opens it.", title=run.run_id, markup=False)
            return
        more = MORE_EPOCHS if run.epochs_done >= run.spec.epochs else None
        how = f"for {more} epochs more" if more else "from its last checkpoint"
        if await self.app.push_screen_wait(ConfirmScreen(f"Go on with {run_title(run)} {how}?")):
            self.post_message(ContinuationChosen(Path(run.directory), run.spec.framework, more))

    @on(DataTable.RowSelected)
    def _select(self) -> None:
        self.action_open()

    @on(DataTable.RowHighlighted)
    def _highlight(self) -> None:
        self._where.update(self._chosen.run_id if self._chosen else "")

    @property
    def _chosen(self) -> RunSummary | None:
        table = self._table
        if not table.row_count:
            return None
        return self._runs.get(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value or "")

    @work
    async def _look(self) -> None:
        if self._is_looking or not self.is_current:
            return
        self._is_looking = True
        try:
            runs = await in_background(self._index.read)
        except StorageProblem as problem:
            self._summary.update(str(problem))
        else:
            self._show(runs)
        finally:
            self._is_looking = False

    def _show(self, runs: list[RunSummary]) -> None:
        known, self._runs = self._runs, {run.run_id: run for run in runs}
        table = self._table
        if list(known) != list(self._runs):
            chosen = self._runs.get(self._chosen.run_id) if self._chosen else None
            table.clear()
            for run in runs:
                table.add_row(*_cells(run), key=run.run_id)
            if chosen:
                table.move_cursor(row=table.get_row_index(chosen.run_id))
        else:
            for run in runs:
                for (title, _), cell in zip(COLUMNS, _cells(run), strict=True):
                    if table.get_cell(run.run_id, title) != cell:
                        table.update_cell(run.run_id, title, cell)
        alive = sum(run.state in ALIVE for run in runs)
        words = f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}, {alive} alive, in {self._store.root}"
        empty = f"No runs in {self._store.root} yet: Escape, then Enter starts the first."
        self._summary.update(words if runs else empty)
        self._highlight()


def _cells(run: RunSummary) -> list[Text]:
    spec = run.spec
    texts = (
        f"{MARKS[run.state]} {run.state}",
        run_title(run),
        f"{run.epochs_done}/{spec.epochs}" if spec else f"{run.epochs_done}",
        formats.percent(run.best_test_accuracy),
        ago(time.time() - run.started) if run.started is not None else "",
        formats.duration(run.seconds),
        *((spec.device, formats.number(spec.lr), str(spec.batch_size), str(spec.seed)) if spec else ("",) * 4),
        run.run_id,
    )
    return [_cell(title, text) for (title, _), text in zip(COLUMNS, texts, strict=True)]


def _cell(title: str, text: str) -> Text:
    return Text(text, justify="right" if title in RIGHT_ALIGNED else "left", overflow="ellipsis", no_wrap=True)
