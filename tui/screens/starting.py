"""What Enter does on a screen with a form of a run: said in a line, and done once it is known that it can be."""

from textual import work
from textual.screen import Screen

from engines.problems import Problem
from engines.spec import RunSpec
from tui import formats
from tui.dataset_look import DatasetLook
from tui.messages import QueueChosen, StartChosen
from tui.plain import length_of, wishes_of
from tui.run_index import best_of
from tui.surroundings import Surroundings
from tui.view import describe_spec
from tui.widgets.choice_panes import StartBar
from tui.widgets.run_form import RunForm

_ASKING = "asking"


class Starting(Screen[None]):
    """A screen that has a run started, queued or raced: a subclass gives the form's `rows`, the `bar` that says what
    Enter does, and what is known of what there is `around`.
    """

    rows: RunForm
    bar: StartBar
    around: Surroundings
    started_now = ""
    _awaits_dataset = False

    def turn_to_digits(self, look: DatasetLook) -> None:
        """Choose digits where the dataset of `look`, which nobody asked for, cannot be had; a subclass does it."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Say what is being started."""
        self.watch(self.app, "launching", self._show_starting)

    def action_start(self) -> None:
        """Start the run that the form asks for."""
        self._ask_for(StartChosen)

    def action_queue(self) -> None:
        """Have the run that the form asks for begin when its turn comes."""
        self._ask_for(QueueChosen)

    @work(exclusive=True, group=_ASKING)
    async def action_race(self) -> None:
        """Ask who is to race whom, with what else the form says, and have them start."""
        from tui.screens.race_choice import RaceChoiceScreen  # No race is asked for in most sessions.

        spec = await self._trainable_spec()
        if spec and (race := await self.app.push_screen_wait(RaceChoiceScreen(spec))):
            self.post_message(race)

    @work(exclusive=True, group=_ASKING)
    async def _ask_for(self, kind: type[StartChosen | QueueChosen]) -> None:
        if spec := await self._trainable_spec():
            self.post_message(kind(spec))

    async def _trainable_spec(self) -> RunSpec | None:
        """Give the run that the form asks for, once its dataset is found; None where that fails or the form changed."""
        changes, dataset = self.rows.change_count, self.rows.form.texts["dataset"]
        try:
            self.rows.form.spec()
            look = await self._find_dataset(dataset)
            if self.rows.change_count != changes:
                return None
            self.turn_to_digits(look)
            spec = self.checked_spec()
        except Problem:
            self.app.bell()
            return None
        if spec.dataset != dataset:
            self.notify(f"{look.summary}.", title=f"{spec.dataset} in the place of {dataset}", markup=False)
        return spec

    async def _find_dataset(self, dataset: str) -> DatasetLook:
        self._awaits_dataset = True
        self.show_start()
        try:
            return await self.around.look_for_dataset(dataset)
        finally:
            self._awaits_dataset = False
            self.show_start()

    def checked_spec(self) -> RunSpec:
        """Give the run that the form asks for; raises `Problem` where it makes no sense, or cannot be had as known."""
        spec = self.rows.form.spec()
        self.around.check(spec)
        return spec

    def _show_starting(self, what: str) -> None:
        self.started_now = what
        self.show_start()

    def show_start(self) -> None:
        """Say what Enter would start, or why it cannot."""
        try:
            spec = self.checked_spec()
        except Problem as problem:
            self.bar.show(problem=str(problem))
            return
        if self._awaits_dataset:
            self.bar.show(call=f"Looking for {spec.dataset} ...")
            return
        what = f"{describe_spec(spec)}, {length_of(spec)}"
        best = best_of(self.around.runs, spec)
        self.bar.show(
            call=f"Starting {self.started_now} ..." if self.started_now else f"Enter: start {what}",
            more="" if self.started_now else "".join(f", {wish}" for wish in wishes_of(spec)),
            aside=f"best so far {formats.percent(best.best_test_accuracy)}" if best else "",
            warning=self.around.warn_of(spec),
        )
