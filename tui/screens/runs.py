"""The table of runs: what each does or did, how well, how long ago; and what a person does with them."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from engines.deletion import delete_run, finish_deletions
from engines.label import LONGEST_NAME, LONGEST_TAG, MOST_TAGS, Label, read_label, split_tags, write_label
from engines.outlook import is_done
from engines.problems import Problem, StorageProblem
from engines.run_queue import RunQueue
from engines.run_reader import ALIVE
from engines.runs import RunSummary
from tui.background import in_background
from tui.choice_lines import run_title
from tui.messages import ContinuationChosen, DrawingChosen, RaceChosen, ReplayChosen, RunChosen
from tui.run_index import RunIndex
from tui.run_rows import matching, summary_of
from tui.screens.confirm import ConfirmScreen
from tui.screens.fresh_size import FreshSize
from tui.screens.prompt import PromptScreen
from tui.widgets.run_table import RunTable

LOOK_SECONDS = 2.0
FIRST_RUNS = 100
"""So many are shown before all others are read."""

MORE_EPOCHS = 5
"""How far a run that did all it was asked for goes on."""


class RunsScreen(FreshSize, Screen[None]):
    """Lists every run of a store, and keeps the list as it is on disk."""

    DEFAULT_CSS = """
    RunsScreen {
        #summary, #where { height: 1; padding: 0 1; color: $text-muted; }
        RunTable { height: 1fr; margin: 0 1; }
        Input { display: none; margin: 0 1; background: $panel; }
    }
    """
    AUTO_FOCUS = "RunTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="enter", priority=True),
        Binding("c", "go_on", "continue"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="only runs in which all words stand"),
        Binding("x", "race", "race", tooltip="race: the marked runs side by side"),
        Binding("y", "replay", "replay", show=False, tooltip="play the run again from its start"),
        Binding("e", "draw", "draw", show=False, tooltip="draw a digit and see what the weights take it for"),
        Binding("n", "rename", "name"),
        Binding("number_sign", "tag", "tag", key_display="#", show=False),
        Binding("X,delete", "delete", "delete", tooltip="delete for good, or take out of the queue"),
        Binding("U,shift+up", "move_up", "sooner", show=False, tooltip="move up a run that waits"),
        Binding("down", "focus_table", show=False),
        Binding("escape,r", "back", "back", show=False),
    ]

    def __init__(self, index: RunIndex) -> None:
        super().__init__()
        self._index = index
        self._queue = RunQueue(index.store)
        self._runs: list[RunSummary] | None = None
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
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Begin to read."""
        self._look()
        self._finish_deletions()
        self.set_interval(LOOK_SECONDS, self._look_again)

    def action_open(self) -> None:
        """Open the chosen run's live screen; from the filter, go to the runs that are left."""
        if self._filter.has_focus:
            self.action_focus_table()
        elif run := self._begun:
            self.post_message(RunChosen(Path(run.directory)))

    @work
    async def action_go_on(self) -> None:
        """Ask whether to go on with the chosen run, past its end where it is there, and do."""
        run = self._begun
        if run is None or run.spec is None:
            return
        if run.state in ALIVE:
            self._say(run, "It is alive: Enter opens it.")
            return
        more = MORE_EPOCHS if is_done(run.spec, run.epochs_done, is_completed=run.state == "completed") else None
        how = f"for {more} epochs more" if more else "from its last checkpoint"
        if await self._confirm(f"Go on with {run_title(run)} {how}?"):
            self.post_message(ContinuationChosen(Path(run.directory), more))

    def action_draw(self) -> None:
        """Draw a digit for the chosen run's newest checkpoint."""
        if (run := self._begun) and run.spec:
            self.post_message(DrawingChosen(Path(run.directory), run.spec))

    def action_filter(self) -> None:
        """Have words typed that a run must have to be shown."""
        self._filter.display = True
        self._filter.focus()

    def action_focus_table(self) -> None:
        """Go back from the filter to the runs."""
        self._filter.display = bool(self._filter.value)
        self._table.focus()

    def action_back(self) -> None:
        """Show all runs again where a filter hides some, else go back."""
        if self._filter.display:
            self._filter.value = ""
            self.action_focus_table()
        else:
            self.app.pop_screen()

    def action_race(self) -> None:
        """Show the marked runs side by side."""
        if len(marked := self._table.marked) < 2:
            self.notify("Space marks a run: mark two or more for a race.", timeout=4)
        else:
            self.post_message(RaceChosen([Path(run.directory) for run in marked]))

    def action_replay(self) -> None:
        """Play the chosen run again."""
        if run := self._begun:
            self.post_message(ReplayChosen(Path(run.directory)))

    @work
    async def action_rename(self) -> None:
        """Ask for another name of the chosen run."""
        if run := self._begun:
            name = await self.app.push_screen_wait(PromptScreen(f"Name of {run.run_id}", run.name, LONGEST_NAME))
            if name is not None:
                await self._relabel(run, lambda label: label.renamed(name))

    @work
    async def action_tag(self) -> None:
        """Ask for the tags of the chosen run."""
        if run := self._begun:
            question = f"Tags of {run.run_id}, spaces between them"
            text = await self.app.push_screen_wait(
                PromptScreen(question, " ".join(run.tags), MOST_TAGS * (LONGEST_TAG + 1))
            )
            if text is not None:
                await self._relabel(run, lambda label: label.untagged(label.tags).tagged(split_tags(text)))

    @work
    async def action_delete(self) -> None:
        """Delete the chosen run, asked twice; one that waits is taken out of the queue."""
        run = self._table.chosen
        if run is None:
            return
        called = f"{run.name or run_title(run)} ({run.run_id})"
        if run.state == "queued":
            if await self._confirm(f"Take {called} out of the queue?"):
                await self._do(lambda: self._queue.remove(run.run_id))
        elif run.state in ALIVE:
            self._say(run, "It is alive: stop it first.")
        elif await self._confirm(f"Delete {called}?") and await self._confirm(
            f"Its record and its checkpoints go for good.\n\nDelete {called}?"
        ):
            await self._do(lambda: delete_run(Path(run.directory)))

    @work
    async def action_move_up(self) -> None:
        """Have the chosen run begin before the one that would before it."""
        run = self._table.chosen
        if run and run.state == "queued":
            await self._do(lambda: self._queue.move_up(run.run_id))

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
        words = summary_of(self._runs, len(shown) if self._filter.value else None)
        root = self._index.store.root
        empty = f"No runs in {root} yet: Escape, then Enter starts the first."
        self._summary.update(f"{words}, in {root}" if self._runs else empty)
        self._highlight()

    @property
    def _begun(self) -> RunSummary | None:
        """The chosen run, where it has a directory; else that is said."""
        run = self._table.chosen
        if run and run.state == "queued":
            self._say(run, "It waits for its turn.")
            return None
        return run

    async def _relabel(self, run: RunSummary, change: Callable[[Label], Label]) -> None:
        directory = Path(run.directory)
        await self._do(lambda: write_label(directory, change(read_label(directory))))

    async def _do(self, action: Callable[[], None]) -> None:
        """Do what takes the disk, say where it fails, and show what came of it."""
        try:
            await in_background(action)
        except Problem as problem:
            self.notify(problem.hint, title=problem.message, severity="error", markup=False)
        self._look()

    async def _confirm(self, question: str) -> bool:
        return await self.app.push_screen_wait(ConfirmScreen(question))

    def _say(self, run: RunSummary, words: str) -> None:
        self.notify(words, title=run.run_id, markup=False)

    @work
    async def _finish_deletions(self) -> None:
        await in_background(lambda: finish_deletions(self._index.store.root))

    def _look_again(self) -> None:
        if self.is_seen:
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
        except StorageProblem as problem:
            self._summary.update(str(problem))
        else:
            self._show()
        finally:
            self._is_looking = False
