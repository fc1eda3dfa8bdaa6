"""The app: the launcher, the screens over it, and the doing of what a person chose on them."""

import asyncio
import gc
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.geometry import Size
from textual.reactive import reactive
from textual.screen import Screen

from engines.launch import Worker
from engines.problems import Problem, StorageProblem
from engines.run_reader import RunReader
from engines.runs import RunStore
from engines.spec import RunSpec
from tui.announcement import alert_bytes
from tui.background import in_background
from tui.choices import ALERTS, Choices
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
    RunEnded,
    StartChosen,
)
from tui.picture_file import write_picture
from tui.run_index import RunIndex
from tui.screens.launcher import LauncherScreen
from tui.screens.too_small import TooSmallScreen, is_too_small
from tui.theme import DARK, LIGHT
from tui.ui_log import ScreenCrash, record_crash
from tui.widgets.run_form import RunForm
from tui.workers import Workers

REAP_SECONDS = 1.0
PROBLEM_SECONDS = 20.0
_DEEDS = (events.Key, events.Paste, events.MouseDown, events.MouseUp, events.MouseScrollDown, events.MouseScrollUp)


_THEMES = {"dark": DARK, "light": LIGHT}


class MnistTuiApp(App[None]):
    """Shows the launcher; over it, with `start` or `attach`, a run's live screen, with `replay` (and a speed) its past.

    After it ended, `return_code` is what the program ends with, `farewell` what it says last, and `crash` what went
    wrong in it.
    """

    TITLE = "mnist-tui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("ctrl+p", "command_palette", "all commands", show=False, priority=True),
        Binding("ctrl+l", "go_to_launcher", "launcher", show=False, tooltip="go to the launcher"),
        Binding("ctrl+r", "go_to_runs", "all runs", show=False, tooltip="go to the table of runs"),
        Binding("t", "toggle_theme", "light or dark", show=False),
        Binding(
            "b", "step_alert", "bell", show=False, tooltip="how a run's end is told: bell, notification, not at all"
        ),
        Binding("f12", "save_picture", "picture", show=False, tooltip="save a picture of the screen (SVG)"),
        Binding("escape", "back", "back", show=False),
        Binding("q,ctrl+c,ctrl+q", "leave", "leave", key_display="q"),
        Binding("ctrl+z", "suspend_process", "to the shell", show=False),
    ]

    title = reactive("", repaint=False)  # It stands nowhere on the screen, all of which Textual would send anew.

    launching = reactive(False)
    """Whether a run is being started right now."""

    def __init__(
        self,
        store: RunStore,
        form: RunSpec,
        *,
        start: bool = False,
        attach: Path | None = None,
        replay: tuple[Path, float | None] | None = None,
        notice: str = "",
        choices: Choices | None = None,
        pace: FramePace | None = None,
    ) -> None:
        super().__init__()
        self.pace = pace
        self.choices = choices or Choices()
        self.store = store
        self.index = RunIndex(store)
        self.processes = Workers(store)
        self.crash: ScreenCrash | None = None
        self._form = form
        self._starts_at_once = start
        self._attached = attach
        self._replayed = replay
        self._notice = notice
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = _THEMES[self.choices.theme].name

    def get_default_screen(self) -> Screen[None]:
        """Give the launcher, which stays under all other screens."""
        return LauncherScreen(self.index, self._form, self._notice, self.choices)

    def on_mount(self) -> None:
        """Open what was asked for on the command line."""
        self.set_interval(REAP_SECONDS, self.processes.reap)
        self._write_outside("\x1b[22;2t")
        self.watch(self, "title", self._show_title)
        self.call_after_refresh(_collect_garbage_again)
        if self._attached:
            self.open_run(self._attached)
        elif self._replayed:
            self.open_replay(*self._replayed)
        elif self._starts_at_once:
            self.start_run(self._form)

    @property
    def farewell(self) -> str:
        """What to say after the app ended: which runs go on; empty where none does."""
        return self.processes.farewell()

    def start_run(self, spec: RunSpec) -> None:
        """Start a run of `spec` and show it; where that fails it is said, and the screen stays as it is."""
        self._launch(lambda: self.processes.start(spec))

    def go_on(self, directory: Path, more_epochs: int | None = None) -> None:
        """Go on with a run from its last checkpoint and show it."""
        self._launch(lambda: self.processes.go_on(directory, more_epochs))

    @work
    async def _launch(self, begin: Callable[[], Worker]) -> None:
        if self.launching:
            return
        self.launching = True
        try:
            worker = await asyncio.to_thread(begin)
        except Problem as problem:
            self.say_problem(problem)
        else:
            self.open_run(worker.run_directory, worker)
        finally:
            self.launching = False

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
        self._check_size(self.size)

    def open_replay(self, directory: Path, speed: float | None = None) -> None:
        """Play a run again over the screen that is shown."""
        from tui.replay import USUAL_SPEED
        from tui.screens.replay import ReplayScreen

        self.push_screen(ReplayScreen(directory, speed or USUAL_SPEED, self.choices))
        self._check_size(self.size)

    def prepare_spare(self, spec: RunSpec | None) -> None:
        """Have a worker get ready for a run of `spec`, in the place of another one; with None none is wanted."""
        self.processes.spare.want(spec)
        self._adjust_spare()

    @work(thread=True)
    def _adjust_spare(self) -> None:
        self.processes.spare.adjust()

    def on_start_chosen(self, message: StartChosen) -> None:
        """Start what a person chose."""
        self.start_run(message.spec)

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
        try:
            directories = await asyncio.to_thread(self.processes.race, message.specs, beside=message.beside)
        except Problem as problem:
            self.say_problem(problem)
        else:
            self.post_message(RaceChosen(directories))

    def on_race_chosen(self, message: RaceChosen) -> None:
        """Show runs side by side."""
        from tui.screens.race import RaceScreen

        self.push_screen(RaceScreen(self.index, message.directories))

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

    def on_run_ended(self, message: RunEnded) -> None:
        """Tell a person who may look elsewhere, as they chose."""
        self._write_outside(alert_bytes(self.choices.alert, message.words))

    def on_choice_settled(self, message: ChoiceSettled) -> None:
        """Keep a spare worker for what a person stays with, and have the live screen's code at hand."""
        self.prepare_spare(message.spec)
        if message.spec:
            self._import_monitor()

    @work
    async def _import_monitor(self) -> None:
        await in_background(lambda: import_module("tui.screens.monitor"))

    def say_problem(self, problem: Problem) -> None:
        """Tell a person what did not work and what to do about it."""
        self.notify(problem.hint, title=problem.message, severity="error", timeout=PROBLEM_SECONDS, markup=False)

    def action_command_palette(self) -> None:
        """Offer every action of the screen that is shown, to be chosen by its words."""
        from tui.palette import ActionPalette

        if not isinstance(self.screen, CommandPalette | TooSmallScreen):
            self.push_screen(ActionPalette())

    def action_help(self) -> None:
        """Show every key, screen by screen."""
        from tui.screens.cells import CellsScreen
        from tui.screens.curve_keys import CurveKeys
        from tui.screens.easel import EaselScreen
        from tui.screens.help import HelpScreen
        from tui.screens.monitor import MonitorScreen
        from tui.screens.race import RaceScreen
        from tui.screens.replay import ReplayScreen
        from tui.screens.runs import RunsScreen
        from tui.widgets.run_table import RunTable

        here = type(self.screen)
        sections: list[tuple[str, list[type[DOMNode]]]] = [
            ("Launcher", [LauncherScreen, RunForm]),
            ("Live screen", [MonitorScreen]),
            ("Images of a cell", [CellsScreen]),
            ("Curves", [CurveKeys]),
            ("Drawing", [EaselScreen]),
            ("Replay", [ReplayScreen]),
            ("Runs", [RunsScreen, RunTable]),
            ("Race", [RaceScreen]),
        ]
        sections.sort(key=lambda section: here not in section[1])
        self.push_screen(HelpScreen([*sections, ("Everywhere", [MnistTuiApp])]))

    def action_toggle_theme(self) -> None:
        """Change between dark and light."""
        self.choices.theme = "light" if self.choices.theme == "dark" else "dark"
        self.theme = _THEMES[self.choices.theme].name

    def action_step_alert(self) -> None:
        """Choose how the end of a run is told: the bell, a notification of the terminal's, or neither."""
        self.choices.alert = ALERTS[(ALERTS.index(self.choices.alert) + 1) % len(ALERTS)]
        self.notify(f"At the end of a run: {self.choices.alert}", timeout=3)

    def action_save_picture(self) -> None:
        """Save a picture of the screen and say where."""
        try:
            path = write_picture(self.export_screenshot(title=self.title))
        except StorageProblem as problem:
            self.say_problem(problem)
        else:
            self.notify(str(path), title="Picture saved", markup=False)

    async def action_go_to_launcher(self) -> None:
        """Leave every screen over the launcher."""
        if not isinstance(self.screen, TooSmallScreen):
            while len(self.screen_stack) > 1:
                await self.pop_screen()

    async def action_go_to_runs(self) -> None:
        """Show the table of runs, over the launcher alone."""
        if not isinstance(self.screen, TooSmallScreen):
            await self.action_go_to_launcher()
            self.on_runs_chosen()

    async def action_back(self) -> None:
        """Go back to the screen under this one."""
        if len(self.screen_stack) > 1 and not isinstance(self.screen, TooSmallScreen):
            self.pop_screen()

    def action_leave(self) -> None:
        """End the app; runs go on."""
        self.exit()

    async def on_event(self, event: events.Event) -> None:
        """Have what a person does answered by a frame of its own."""
        if self.pace and isinstance(event, _DEEDS):
            self.pace.hurry()
        await super().on_event(event)

    def on_resize(self, event: events.Resize) -> None:
        """Look whether there is room for the screens."""
        self._check_size(event.size)

    def on_unmount(self) -> None:
        """Leave no spare behind, and the window's title as it was."""
        self.processes.spare.end()
        self._write_outside("\x1b[23;2t")

    def _show_title(self, title: str) -> None:
        self._write_outside(f"\x1b]2;{title}\x07")

    def _write_outside(self, sequence: str) -> None:
        if self._driver and os.environ.get("TERM") != "linux":  # The console has no title, and old ones print it.
            self._driver.write(sequence)

    def _check_size(self, size: Size) -> None:
        is_shown = isinstance(self.screen, TooSmallScreen)
        if is_too_small(size) and not is_shown:
            self.push_screen(TooSmallScreen())
        elif is_shown and not is_too_small(size):
            self.pop_screen()

    def _handle_exception(self, error: Exception) -> None:
        self.crash = self.crash or record_crash(error)
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual's own prints the traceback, with every local variable, on the terminal.
        self.panic()


def _collect_garbage_again() -> None:
    # Whoever starts the app may have turned it off, which brings the first frame 30 ms nearer.
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
