"""The app: the launcher, the screens over it, and the doing of what a person chose on them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import ClassVar, TypeVar

from textual import work
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.reactive import reactive
from textual.screen import Screen

from engines.launch import Worker
from engines.problems import Problem
from engines.run_reader import RunReader
from engines.runs import RunStore
from engines.spec import RunSpec
from tui.background import in_background
from tui.choices import Choices
from tui.frame_pace import FramePace
from tui.messages import (
    ChoiceSettled,
    ContinuationChosen,
    DrawingChosen,
    QueueChosen,
    RaceAsked,
    RaceChosen,
    ReplayChosen,
    RunChosen,
    StartChosen,
)
from tui.plain import length_of
from tui.run_index import RunIndex
from tui.screens.launcher import LauncherScreen
from tui.screens.too_small import TooSmallScreen
from tui.terminal_app import TerminalApp
from tui.view import describe_spec
from tui.workers import Workers

REAP_SECONDS = 1.0
LOOK_SECONDS = 0.05
"""So often a run is looked at that another waits for."""

Begun = TypeVar("Begun")


class MnistTuiApp(TerminalApp):
    """Shows the launcher; over it, with `start` or `attach`, a run's live screen, with `replay` (and a speed) its past,
    with `race` several runs side by side. With `keeps_dataset` digits never takes the place of the form's dataset.

    After it ended, `return_code` is what the program ends with, and `farewell` what it says last.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("f1", "help", show=False),
        Binding("ctrl+l", "go_to_launcher", "launcher", show=False, tooltip="go to the launcher, or the sweep"),
        Binding("ctrl+r", "go_to_runs", "all runs", show=False, tooltip="go to the table of runs"),
    ]

    HAS_WORK_AFTER: ClassVar[bool] = False
    """Whether this process has something to do once the app has ended, however long that takes."""

    launching = reactive("")
    """What is being started right now, in words; empty where nothing is."""

    def __init__(
        self,
        store: RunStore,
        form: RunSpec,
        *,
        start: bool = False,
        attach: Path | None = None,
        replay: tuple[Path, float | None] | None = None,
        race: Sequence[Path] = (),
        notice: str = "",
        keeps_dataset: bool = False,
        choices: Choices | None = None,
        pace: FramePace | None = None,
    ) -> None:
        super().__init__(choices or Choices(), pace)
        self.store = store
        self.index = RunIndex(store)
        self.processes = Workers(store)
        self._form = form
        self._starts_at_once = start
        self._attached = attach
        self._replayed = replay
        self._raced = race
        self._notice = notice
        self._keeps_dataset = keeps_dataset

    def get_default_screen(self) -> Screen[None]:
        """Give the launcher, which stays under all other screens."""
        return LauncherScreen(self.index, self._form, self._notice, self.choices, keeps_dataset=self._keeps_dataset)

    def on_mount(self) -> None:
        """Open what was asked for on the command line."""
        self.set_interval(REAP_SECONDS, self.processes.reap)
        if self._attached:
            self.open_run(self._attached)
        elif self._replayed:
            self.open_replay(*self._replayed)
        elif self._raced:
            self.open_race(self._raced)
        elif self._starts_at_once:
            self.start_run(self._form)

    def on_unmount(self) -> None:
        """Leave no spare behind."""
        self.processes.spare.end()

    @property
    def farewell(self) -> str:
        """What to say after the app ended: which runs go on; empty where none does."""
        return self.processes.farewell()

    def start_run(self, spec: RunSpec) -> None:
        """Start a run of `spec` and show it; where that fails it is said, and the screen stays as it is."""
        self._launch(f"{describe_spec(spec)}, {length_of(spec)}", lambda: self.processes.start(spec))

    def go_on(self, directory: Path, more_epochs: int | None = None) -> None:
        """Go on with a run from its last checkpoint, or its start where it has none, and show it."""
        self._launch("the run", lambda: self.processes.go_on(directory, more_epochs))

    @work
    async def _launch(self, what: str, begin: Callable[[], Worker]) -> None:
        if worker := await self._begin(what, begin):
            self.open_run(worker.run_directory, worker)

    async def _begin(self, what: str, begin: Callable[[], Begun]) -> Begun | None:
        """Give what `begin` does, in a thread; None where it fails, which is said, or something is started already."""
        if self.launching:
            return None
        self.launching = what
        try:
            return await asyncio.to_thread(begin)
        except Problem as problem:
            self.say_problem(problem)
            return None
        finally:
            self.launching = ""

    def open_run(self, directory: Path, worker: Worker | None = None) -> None:
        """Show a run's live screen, in the place of another one's."""
        # Imported here: the curves' library would cost the launcher's first frame 50 ms.
        from tui.screens.cells import CellsScreen
        from tui.screens.easel import EaselScreen
        from tui.screens.monitor import MonitorScreen

        of_a_run = TooSmallScreen | MonitorScreen | CellsScreen | EaselScreen
        while isinstance(self.screen, of_a_run) or self.screen.is_modal:
            self.pop_screen()
        self.processes.watch(directory)
        self.push_screen(MonitorScreen(RunReader(directory), worker, self.choices, self.index))
        self.check_size(self.size)

    def open_replay(self, directory: Path, speed: float | None = None) -> None:
        """Play a run again over the screen that is shown."""
        from tui.replay import USUAL_SPEED
        from tui.screens.replay import ReplayScreen

        self.push_screen(ReplayScreen(directory, speed or USUAL_SPEED, self.choices))
        self.check_size(self.size)

    def open_race(self, directories: Sequence[Path]) -> None:
        """Show runs side by side over the screen that is shown."""
        from tui.screens.race import RaceScreen

        self.push_screen(RaceScreen(self.index, directories))
        self.check_size(self.size)

    def prepare_spare(self, spec: RunSpec | None) -> None:
        """Have a worker get ready for a run of `spec`, in the place of another one; with None none is wanted."""
        self.processes.spare.want(spec)
        self._adjust_spare()

    @work(thread=True)
    def _adjust_spare(self) -> None:
        self.processes.spare.adjust()

    def on_start_chosen(self, message: StartChosen) -> None:
        """Start what a person chose."""
        if message.after:
            self._start_after(message.after, message.spec)
        else:
            self.start_run(message.spec)

    @work(exclusive=True, group="start after")
    async def _start_after(self, directory: Path, spec: RunSpec) -> None:
        """Start a run as soon as another has ended, whatever screen is shown by then; of several the last asked for."""
        with closing(RunReader(directory)) as reader:
            while reader.has_worker():
                await asyncio.sleep(LOOK_SECONDS)
        self.clear_notifications()  # That it starts soon is no longer so.
        self.start_run(spec)

    @work
    async def on_queue_chosen(self, message: QueueChosen) -> None:
        """Have what a person chose begin when its turn comes."""
        try:
            await asyncio.to_thread(self.processes.queue, [message.spec])
        except Problem as problem:
            self.say_problem(problem)
        else:
            self.notify(
                "It begins when those before it are done: r lists them.", title=f"{message.spec.title} is queued"
            )

    @work
    async def on_race_asked(self, message: RaceAsked) -> None:
        """Start the runs of a race and show them side by side."""
        specs, beside = message.specs, message.beside
        if directories := await self._begin("the race", lambda: self.processes.race(specs, beside=beside)):
            self.post_message(RaceChosen(directories))

    def on_race_chosen(self, message: RaceChosen) -> None:
        """Show the runs that a person chose side by side."""
        self.open_race(message.directories)

    def on_continuation_chosen(self, message: ContinuationChosen) -> None:
        """Go on with the run that a person chose."""
        self.go_on(message.directory, message.more_epochs)

    def on_run_chosen(self, message: RunChosen) -> None:
        """Show the run that a person chose."""
        self.open_run(message.directory)

    def on_replay_chosen(self, message: ReplayChosen) -> None:
        """Play the run that a person chose again."""
        self.open_replay(message.directory)

    def on_drawing_chosen(self, message: DrawingChosen) -> None:
        """Give a person a sheet to draw on for a run."""
        from tui.screens.easel import EaselScreen

        self.push_screen(EaselScreen(message.directory, message.spec, self.choices))

    def on_runs_chosen(self) -> None:
        """Show the table of runs."""
        from tui.screens.runs import RunsScreen

        self.push_screen(RunsScreen(self.index))

    def on_choice_settled(self, message: ChoiceSettled) -> None:
        """Keep a spare worker for what a person stays with, and have the live screen's code at hand."""
        self.prepare_spare(message.spec)
        if message.spec:
            self._import_monitor()

    @work
    async def _import_monitor(self) -> None:
        await in_background(lambda: import_module("tui.screens.monitor"))

    async def action_go_to_launcher(self) -> None:
        """Leave every screen over the launcher, or over the sweep where that is the first."""
        if not isinstance(self.screen, TooSmallScreen):
            while len(self.screen_stack) > 1:
                await self.pop_screen()

    async def action_go_to_runs(self) -> None:
        """Show the table of runs, over the launcher alone; from there Escape leads back to the run that was watched."""
        from tui.screens.runs import RunsScreen
        from tui.screens.worker_keys import WorkerKeys

        if not isinstance(self.screen, TooSmallScreen | RunsScreen):
            watched = [screen.directory for screen in self.screen_stack if isinstance(screen, WorkerKeys)]
            await self.action_go_to_launcher()
            self.push_screen(RunsScreen(self.index, watched[-1] if watched else None))

    def action_help(self) -> None:
        """Show every key, screen by screen."""
        from tui.every_key import sections_for
        from tui.screens.help import HelpScreen

        everywhere: list[type[DOMNode]] = [kind for kind in type(self).__mro__ if issubclass(kind, TerminalApp)]
        self.push_screen(HelpScreen([*sections_for(type(self.screen)), ("Everywhere", everywhere)]))
