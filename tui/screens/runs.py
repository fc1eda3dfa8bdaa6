"""The table of runs: what each does or did, how well, how long ago; and what a person does with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from engines.deletion import finish_deletions
from engines.folders import is_folder
from engines.problems import StorageProblem
from engines.run_queue import RunQueue
from engines.run_reader import ALIVE
from engines.runs import RunSummary
from engines.text import clean_text
from tui.background import in_background
from tui.choice_lines import run_title
from tui.continuation import continuation_of
from tui.messages import ContinuationChosen, DrawingChosen, RaceChosen, ReplayChosen, RunChosen
from tui.race_watch import MOST_RUNS
from tui.run_index import RunIndex
from tui.run_rows import matching, summary_of
from tui.screens.fresh_size import FreshSize
from tui.screens.run_keys import RunKeys
from tui.widgets.key_line import KeyLine
from tui.widgets.run_table import RunTable

LOOK_SECONDS = 2.0
FIRST_RUNS = 100
"""So many are shown before all others are read."""

_OPEN_OR_TO_THE_TABLE = "open the run's live screen; from the filter: to the table"


class RunsScreen(FreshSize, RunKeys):
    """Lists every run of a store, and keeps the list as it is on disk; `watched` is the run to go back to, if any."""

    DEFAULT_CSS = """
    RunsScreen {
        #summary, #where { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        RunTable { height: 1fr; margin: 0 1; }
        Input { display: none; margin: 0 1; background: $panel; }
    }
    """
    AUTO_FOCUS = "RunTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="enter", priority=True, tooltip=_OPEN_OR_TO_THE_TABLE),
        Binding(
            "enter", "focus_table", "to the table", key_display="enter", priority=True, tooltip=_OPEN_OR_TO_THE_TABLE
        ),
        Binding("c", "go_on", "continue"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="only runs in which all words stand"),
        Binding("x", "race", "race", tooltip="race: the marked runs side by side"),
        Binding("y", "replay", "replay", show=False, tooltip="play the run again from its start"),
        Binding("e", "draw", "draw", show=False, tooltip="draw a digit and see what the weights take it for"),
        Binding("n", "rename", "name"),
        Binding("number_sign", "tag", "tag", key_display="#", show=False),
        Binding("X,delete", "delete", "delete", tooltip="delete for good, or take out of the queue"),
        Binding("U,shift+up", "move_up", "sooner", show=False, tooltip="have a run that waits begin sooner"),
        Binding("down", "focus_table", show=False),
        Binding("escape,r", "show_all", "no filter", key_display="esc", tooltip="show what the filter hides"),
        Binding("escape,r", "back", "back", show=False),
    ]

    def __init__(self, index: RunIndex, watched: Path | None = None) -> None:
        super().__init__()
        self._index = index
        self._watched = watched
        self.queue = RunQueue(index.store)
        self._runs: list[RunSummary] | None = None
        self._has_all = False
        self._is_looking = False
        # Kept, not queried: the runs may have been read when the screen is already being taken down.
        self._summary = Static("Reading the runs ...", id="summary", markup=False)
        self._table = RunTable()
        self._filter = Input(placeholder="words, such as: torch lenet #tag completed", compact=True)
        self._where = Static("", id="where", markup=False)

    def compose(self) -> ComposeResult:
        """Lay out the table between a line about all runs and one about the chosen one."""
        yield self._summary
        yield self._table
        yield self._filter
        yield self._where
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin to read."""
        self._look()
        self._finish_deletions()
        self.set_interval(LOOK_SECONDS, self._look_again)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what has to do with the filter only where it is there, and nothing else in its place."""
        match action:
            case "focus_table":
                return self._filter.has_focus
            case "open":
                return not self._filter.has_focus
            case "show_all":
                return self._filter.display
            case "back":
                return not self._filter.display
            case _:
                return True

    def action_open(self) -> None:
        """Open the chosen run's live screen."""
        if run := self.begun:
            self.post_message(RunChosen(Path(run.directory)))

    @work
    async def action_go_on(self) -> None:
        """Ask whether to go on with the chosen run, past its end where it is there, and do."""
        run = self.begun
        if run is None or run.spec is None:
            return
        if run.state in ALIVE:
            self.say(run, "It is alive: Enter opens it.")
            return
        directory, is_completed = Path(run.directory), run.state == "completed"
        more, how = continuation_of(directory, run.spec, run.epochs_done, is_completed=is_completed)
        if await self.confirm(f"Go on with {run_title(run)} {how}?"):
            self.post_message(ContinuationChosen(directory, more))

    def action_draw(self) -> None:
        """Draw a digit for the chosen run's newest checkpoint."""
        if (run := self.begun) and run.spec:
            self.post_message(DrawingChosen(Path(run.directory), run.spec))

    def action_filter(self) -> None:
        """Have words typed that a run must have to be shown."""
        self._filter.display = True
        self._filter.focus()

    def action_focus_table(self) -> None:
        """Go back from the filter to the runs."""
        self._filter.display = bool(self._filter.value)
        self._table.focus()

    def action_show_all(self) -> None:
        """Show all runs again, without a filter."""
        self._filter.value = ""
        self.action_focus_table()
        self.refresh_bindings()

    def action_back(self) -> None:
        """Go back: to the run that was watched before, as long as it is there."""
        self.app.pop_screen()
        if self._watched and is_folder(self._watched):
            self.app.post_message(RunChosen(self._watched))

    def action_race(self) -> None:
        """Show the marked runs side by side."""
        if len(marked := self._table.marked) < 2:
            self.notify("Space marks a run: mark two or more for a race.", timeout=4)
        elif len(marked) > MOST_RUNS:
            self.notify(f"{MOST_RUNS} race at most: Space takes a mark away.", title=f"{len(marked)} runs are marked")
        else:
            self.post_message(RaceChosen([Path(run.directory) for run in marked]))

    def action_replay(self) -> None:
        """Play the chosen run again."""
        if run := self.begun:
            self.post_message(ReplayChosen(Path(run.directory)))

    @on(RunTable.Selected)
    def _select(self) -> None:
        self.action_open()

    @on(RunTable.Highlighted)
    def _highlight(self) -> None:
        self._where.update(self._table.chosen.run_id if self._table.chosen else "")

    @on(Input.Changed)
    def _show(self) -> None:
        if self._runs is None:
            return
        shown = matching(self._runs, self._filter.value)
        self._table.show(shown)
        words = self._words_about(self._runs, len(shown))
        self._summary.update(f"{words}, in {clean_text(str(self._index.store.root))}")
        self._highlight()

    def _words_about(self, runs: Sequence[RunSummary], shown: int) -> str:
        if not self._has_all and len(runs) >= FIRST_RUNS:
            return f"The newest {len(runs)} runs, reading the others ..."
        if not runs:
            return "No runs yet: Escape, then Enter starts the first"
        if not shown:
            return "No run has all these words: Escape shows all again"
        return summary_of(runs, shown if self._filter.value else None)

    @property
    def chosen(self) -> RunSummary | None:
        """See `RunKeys`."""
        return self._table.chosen

    @work
    async def _finish_deletions(self) -> None:
        await in_background(lambda: finish_deletions(self._index.store.root))

    def _look_again(self) -> None:
        if self.is_seen:
            self._look()

    def look(self) -> None:
        """See `RunKeys`."""
        self._look()

    @work
    async def _look(self) -> None:
        if self._is_looking:
            return
        self._is_looking = True
        try:
            if self._runs is None:
                self._runs = await in_background(lambda: self._index.read(FIRST_RUNS))
                self._show()
            self._runs = await in_background(self._index.look)
            self._has_all = True
        except StorageProblem as problem:
            self._summary.update(str(problem))
        else:
            self._show()
        finally:
            self._is_looking = False
