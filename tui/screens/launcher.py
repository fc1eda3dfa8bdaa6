"""The launcher: what to train, in what, on what, and what there is to do it with."""

from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from engines.problems import Problem, StorageProblem
from engines.run_reader import ALIVE
from engines.spec import RunSpec
from tui.choices import Choices
from tui.dataset_look import DatasetLook
from tui.form import AUTO_HINT, Form
from tui.machine import Machine
from tui.messages import ChoiceSettled, RunChosen, RunsChosen
from tui.run_index import RunIndex
from tui.screens.fresh_size import FreshSize
from tui.screens.starting import Starting
from tui.surroundings import Surroundings
from tui.widgets.choice_panes import Heading, ImagesPane, ModelPane, RecentRuns, StartBar, count_alive, count_waiting
from tui.widgets.key_line import KeyLine
from tui.widgets.run_form import RunForm

SETTLED_SECONDS = 1.0
"""Who has stayed with a choice for so long may start it."""

LOOK_SECONDS = 2.0


class LauncherScreen(FreshSize, Starting):
    """Fills in a `RunSpec` and posts `StartChosen`; looks at machine, datasets and runs in threads meanwhile."""

    DEFAULT_CSS = """
    LauncherScreen {
        overflow: hidden;
        #choice { height: 12fr; max-height: 12; }
        RunForm { width: 1fr; padding-right: 1; }
        ModelPane { width: 35; }
        RecentRuns { width: 1fr; display: none; }
        ImagesPane { height: 1fr; }
    }
    LauncherScreen.-narrow ModelPane { width: 31; }
    LauncherScreen.-broad {
        Heading, ImagesPane, StartBar { padding: 0 1; }
        RunForm { padding: 0 2 0 1; }
        ModelPane { width: 38; padding-right: 1; }
    }
    LauncherScreen.-wide {
        Heading, ImagesPane, StartBar { padding: 0 1; }
        RunForm { padding: 0 2 0 1; }
        ModelPane { width: 44; padding-right: 2; }
        RecentRuns { display: block; padding-right: 1; }
    }
    LauncherScreen.-tall #choice { height: 17; max-height: 17; }
    """
    AUTO_FOCUS = "RunForm"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-medium"), (100, "-broad"), (150, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start", key_display="enter"),
        Binding("f", "step('framework', 1)", "framework"),
        Binding("m", "step('model', 1)", "model"),
        Binding("d", "step('dataset', 1)", "dataset"),
        Binding("F", "step('framework', -1)", "framework before", show=False),
        Binding("M", "step('model', -1)", "model before", show=False),
        Binding("D", "step('dataset', -1)", "dataset before", show=False),
        Binding("i", "image_style", "images", show=False, tooltip="images as blocks, braille or ASCII"),
        Binding("u", "queue", "queue", tooltip="have this run begin when those before it are done"),
        Binding("x", "race", "race", tooltip="race frameworks or models against each other"),
        Binding("a", "open_alive", "alive", show=False, tooltip="open the run that is alive"),
        Binding("r", "open_runs", "runs", tooltip="all runs"),
    ]

    def __init__(
        self,
        index: RunIndex,
        asked: RunSpec,
        notice: str = "",
        choices: Choices | None = None,
        *,
        keeps_dataset: bool = False,
    ) -> None:
        super().__init__()
        self._choices = choices or Choices()
        self._form = Form(asked)
        # Kept, not queried: what is found out may come when the screen is already being taken down.
        self._heading = Heading(notice)
        self.rows = RunForm(self._form)
        self._model = ModelPane()
        self._recent = RecentRuns()
        self._images = ImagesPane(self._choices)
        self.bar = StartBar()
        self.around = Surroundings(index, asked.data_dir)
        self._looking: Timer | None = None
        self._settling: Timer | None = None
        self._is_looking = False
        self._keeps_dataset = keeps_dataset

    def compose(self) -> ComposeResult:
        """Lay out the form beside what it leads to."""
        yield self._heading
        with Horizontal(id="choice"):
            yield self.rows
            yield self._model
            yield self._recent
        yield self._images
        yield self.bar
        yield KeyLine()

    def on_screen_resume(self) -> None:
        """Show what is known at once, and then find out the rest, now and every few seconds."""
        if not self.is_seen:
            return  # What the command line asked for covers it already, and is not to wait for any of this.
        self.around.forget_missing()
        self._show_choice()
        self.call_after_refresh(self._find_out)
        self._looking = self.set_interval(LOOK_SECONDS, self._look_around)
        self._wait_until_settled()

    def on_screen_suspend(self) -> None:
        """Look at nothing while another screen is shown."""
        for timer in (self._looking, self._settling):
            if timer:
                timer.stop()
        self.post_message(ChoiceSettled(None))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to open what is alive only where something is."""
        return action != "open_alive" or count_alive(self.around.runs) > 0

    def action_step(self, name: str, by: int) -> None:
        """Put the next value into the row called `name`."""
        self.rows.step_row(name, by)

    def action_image_style(self) -> None:
        """Show the images in the next style."""
        self._images.step_style()

    def action_open_alive(self) -> None:
        """Open the run that is alive; where several are, the table of runs."""
        alive = [run for run in self.around.runs if run.state in ALIVE]
        if len(alive) == 1:
            self.post_message(RunChosen(Path(alive[0].directory)))
        elif alive:
            self.post_message(RunsChosen())

    def action_open_runs(self) -> None:
        """Open the table of runs."""
        self.post_message(RunsChosen())

    @on(RunForm.Changed)
    def _change(self, event: RunForm.Changed) -> None:
        if event.name == "dataset":
            self._keeps_dataset = True
            self._heading.say("")  # What was said there was why another dataset is chosen.
            self._look_at_dataset(self._form.texts["dataset"])
        self._wait_until_settled()
        self._remember(event.name)
        self._show_choice()

    def _remember(self, name: str) -> None:
        with suppress(Problem):  # What cannot be started need not be remembered.
            self._choices.remember(self._form.spec(), name)

    def _show_choice(self) -> None:
        chosen = self._form.texts
        self._model.show(chosen["model"], chosen["framework"], self.around.describe_version(chosen["framework"]))
        self._images.show(chosen["dataset"], self.around.dataset(chosen["dataset"]))
        self.show_start()

    def _wait_until_settled(self) -> None:
        if self._settling:
            self._settling.stop()
        self._settling = self.set_timer(SETTLED_SECONDS, self._settle)

    def _settle(self) -> None:
        if not self.started_now:
            with suppress(Problem):
                self.post_message(ChoiceSettled(self.checked_spec()))

    def _find_out(self) -> None:
        # Not before the first frame is drawn: threads at work would make it late.
        self._look_at_frameworks()
        self._look_at_dataset(self._form.texts["dataset"])
        self._look_around()

    @work
    async def _look_at_frameworks(self) -> None:
        await self.around.look_at_frameworks()
        self._show_choice()

    @work
    async def _look_at_dataset(self, dataset: str) -> None:
        self.turn_to_digits(await self.around.look_at_dataset(dataset))
        self._show_choice()

    def turn_to_digits(self, look: DatasetLook) -> None:
        """Choose digits where MNIST, which nobody asked for, cannot be had."""
        is_default = self._form.texts["dataset"] == "mnist" and not self._keeps_dataset
        if look.dataset != "mnist" or look.state != "unreachable" or not is_default:
            return
        self._form.put(self._form.row("dataset"), "digits")
        self._look_at_dataset("digits")
        self._heading.say(f"{look.summary}: digits is chosen, it needs no download.")
        self.rows.redraw()

    @work
    async def _look_around(self) -> None:
        if self._is_looking:
            return
        self._is_looking = True
        could_open = count_alive(self.around.runs) > 0
        empty = "No runs yet: Enter starts the first."
        try:
            machine = await self.around.look_at_machine()
            self._heading.show(machine, count_alive(self.around.runs), count_waiting(self.around.runs))
            self._form.offer_devices(machine.devices, _propose_device(machine))
            self.rows.redraw()
            await self.around.look_at_runs()
            self._heading.show(machine, count_alive(self.around.runs), count_waiting(self.around.runs))
        except StorageProblem as problem:
            self._heading.say(str(problem))
            empty = "They cannot be read."
        finally:
            self._is_looking = False
        self._recent.show(self.around.runs, empty)
        if could_open != (count_alive(self.around.runs) > 0):
            self.refresh_bindings()  # Which draws the whole footer again.
        self.show_start()


def _propose_device(machine: Machine) -> str:
    """Say which of several GPUs to take."""
    emptiest = f"cuda:{machine.emptiest}"
    return f"emptiest: {emptiest}" if emptiest in machine.devices else AUTO_HINT
