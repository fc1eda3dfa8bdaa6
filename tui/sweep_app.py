"""The app of a sweep: the sweep's screen under all others, and how it is left."""

from signal import Signals
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import Screen

from engines.problems import Problem
from engines.runs import RunStore
from engines.spec import RunSpec
from engines.sweep_driver import SweepDriver
from tui import choices, sweep_headless
from tui.app import MnistTuiApp
from tui.background import in_background
from tui.choices import Choices
from tui.formats import counted
from tui.screens.leave_sweep import LeaveSweepScreen
from tui.screens.sweep import SweepScreen
from tui.streams import say
from tui.training import show


class SweepApp(MnistTuiApp):
    """Shows the sweep that `driver` trains; `queued` is how many of its runs were left to the queue, if any were."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+c",
            "stop_and_leave",
            "stop",
            show=False,
            priority=True,
            tooltip="stop the sweep with checkpoints, and leave",
        ),
    ]
    HAS_WORK_AFTER = True  # A sweep that is stopped waits for checkpoints, and prints what it came to.

    def __init__(self, store: RunStore, driver: SweepDriver, choices: Choices | None = None) -> None:
        super().__init__(store, RunSpec(), choices=choices)
        self._sweep = driver
        self.queued: int | None = None

    def get_default_screen(self) -> Screen[None]:
        """Give the sweep, which stays under all other screens."""
        return SweepScreen(self._sweep)

    @property
    def farewell(self) -> str:
        """See `MnistTuiApp`; of a sweep it is said when all is known."""
        return ""

    def action_leave(self) -> None:
        """End the app; where runs train or are to come, ask what is to become of them."""
        if self._sweep.progress.is_over:
            self.exit()
        elif not isinstance(self.screen, LeaveSweepScreen):
            self._ask_to_leave()

    def action_stop_and_leave(self) -> None:
        """End the app; each run saves a checkpoint and stops."""
        self.exit(return_code=128 + Signals.SIGINT)

    @work
    async def _ask_to_leave(self) -> None:
        progress = self._sweep.progress
        answer = await self.push_screen_wait(LeaveSweepScreen(len(progress.training), len(progress.to_come)))
        if answer != "stay" and self._sweep.progress.is_over:  # It ended while that was asked.
            self.exit()
        elif answer == "stop":
            self._sweep.stop()
            self.exit()
        elif answer == "queue":
            try:
                self.queued = await in_background(self._sweep.hand_over)
            except Problem as problem:
                self.say_problem(problem)
            else:
                self.exit()


def show_sweep(store: RunStore, driver: SweepDriver) -> int:
    """Train a sweep on the screen, print what it came to once that is left, and give the exit code."""
    app = SweepApp(store, driver, choices.load())
    code = show(app)
    if app.crash or 0 < code < 128:
        return code
    if code == 128 + Signals.SIGHUP:
        return sweep_headless.let_go(driver)
    printer = sweep_headless.PlainPrinter(driver.sweep)
    if app.queued is not None:
        sweep_headless.show_table(driver, printer)
        training = len(driver.progress.training)
        say(f"{counted(training, 'run')} in training, {app.queued:,} in the queue; the same command shows them.")
        return 0
    stopped_by = Signals(code - 128) if code else None
    if stopped_by:
        driver.stop(Signals.SIGTERM if stopped_by == Signals.SIGTERM else Signals.SIGINT)
    if driver.progress.training:
        say("saving checkpoints of the runs in training.")
    return sweep_headless.train(driver, printer, stopped_by)
