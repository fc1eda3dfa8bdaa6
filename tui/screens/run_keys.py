"""The keys of the table of runs that change something on disk: names, tags, what is there, whose turn is next."""

from collections.abc import Callable
from pathlib import Path

from textual import work
from textual.screen import Screen

from engines.deletion import delete_run
from engines.label import LONGEST_NAME, LONGEST_TAG, MOST_TAGS, Label, read_label, split_tags, write_label
from engines.problems import Problem
from engines.run_queue import RunQueue
from engines.run_reader import ALIVE
from engines.runs import RunSummary
from tui.background import in_background
from tui.choice_lines import run_title
from tui.screens.confirm import ConfirmScreen
from tui.screens.prompt import PromptScreen


class RunKeys(Screen[None]):
    """A screen with runs to choose from: a subclass gives the `queue`, the run that is `chosen`, and how to `look`.

    It has the bindings too, in the order of its own keys.
    """

    queue: RunQueue

    @property
    def chosen(self) -> RunSummary | None:
        """The run that the keys are for."""
        raise NotImplementedError

    def look(self) -> None:
        """Read the runs again, and show them."""
        raise NotImplementedError

    @property
    def begun(self) -> RunSummary | None:
        """The chosen run, where it has a directory; else that is said."""
        run = self.chosen
        if run and run.state == "queued":
            self.say(run, "It waits for its turn.")
            return None
        return run

    async def confirm(self, question: str) -> bool:
        """Ask a question, and give the answer."""
        return await self.app.push_screen_wait(ConfirmScreen(question))

    def say(self, run: RunSummary, words: str) -> None:
        """Say something of a run."""
        self.notify(words, title=run.run_id, markup=False)

    @work
    async def action_rename(self) -> None:
        """Ask for another name of the chosen run."""
        if run := self.begun:
            name = await self.app.push_screen_wait(PromptScreen(f"Name of {run.run_id}", run.name, LONGEST_NAME))
            if name is not None:
                await self._relabel(run, lambda label: label.renamed(name))

    @work
    async def action_tag(self) -> None:
        """Ask for the tags of the chosen run."""
        if run := self.begun:
            question = f"Tags of {run.run_id}, spaces between them"
            text = await self.app.push_screen_wait(
                PromptScreen(question, " ".join(run.tags), MOST_TAGS * (LONGEST_TAG + 1))
            )
            if text is not None:
                await self._relabel(run, lambda label: label.untagged(label.tags).tagged(split_tags(text)))

    @work
    async def action_delete(self) -> None:
        """Delete the chosen run, asked twice; one that waits is taken out of the queue."""
        run = self.chosen
        if run is None:
            return
        called = f"{run.name or run_title(run)} ({run.run_id})"
        if run.state == "queued":
            if await self.confirm(f"Take {called} out of the queue?"):
                await self._do(lambda: self.queue.remove(run.run_id))
        elif run.state in ALIVE:
            self.say(run, "It is alive: stop it first.")
        elif await self.confirm(f"Delete {called}?") and await self.confirm(
            f"Its record and its checkpoints go for good.\n\nDelete {called}?"
        ):
            await self._do(lambda: delete_run(Path(run.directory)))

    @work
    async def action_move_up(self) -> None:
        """Have the chosen run begin before the one that would before it."""
        run = self.chosen
        if run and run.state == "queued":
            await self._do(lambda: self.queue.move_up(run.run_id))

    async def _relabel(self, run: RunSummary, change: Callable[[Label], Label]) -> None:
        directory = Path(run.directory)
        await self._do(lambda: write_label(directory, change(read_label(directory))))

    async def _do(self, action: Callable[[], None]) -> None:
        """Do what takes the disk, say where it fails, and show what came of it."""
        try:
            await in_background(action)
        except Problem as problem:
            self.notify(problem.hint, title=problem.message, severity="error", markup=False)
        self.look()
