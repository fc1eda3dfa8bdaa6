"""What the app does whatever it shows: its theme, what it tells outside of its screen, its size, how it ends."""

import gc
import os
from typing import ClassVar, cast

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.geometry import Size
from textual.reactive import reactive
from textual.screen import Screen

from engines.problems import Problem, StorageProblem
from engines.text import clean_text
from tui.announcement import alert_bytes
from tui.choices import ALERTS, Choices
from tui.frame_pace import FramePace
from tui.front_buffer import FrameUpdate, FrontBuffer
from tui.messages import RunEnded
from tui.picture_file import write_picture
from tui.screens.too_small import TooSmallScreen, is_too_small
from tui.theme import DARK, LIGHT
from tui.ui_log import ScreenCrash, record_crash

PROBLEM_SECONDS = 20.0
_DEEDS = (events.Key, events.Paste, events.MouseDown, events.MouseUp, events.MouseScrollDown, events.MouseScrollUp)
_THEMES = {"dark": DARK, "light": LIGHT}


class TerminalApp(App[None]):
    """An app on a terminal that may be small, slow, unwatched or gone; `crash` is what went wrong in it."""

    TITLE = "mnist-tui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "command_palette", "all commands", show=False, priority=True),
        Binding("t", "toggle_theme", "light or dark", show=False),
        Binding(
            "b", "step_alert", "bell", show=False, tooltip="how a run's end is told: bell, notification, not at all"
        ),
        Binding("f12", "save_picture", "picture", show=False, tooltip="save a picture of the screen (SVG)"),
        Binding("escape", "back", "back", show=False),
        Binding("q", "leave", "leave"),
        Binding("ctrl+c,ctrl+q", "leave", "leave", show=False, priority=True, tooltip="leave, from any question too"),
        Binding("ctrl+z", "suspend_process", "to the shell", show=False),
    ]

    title = reactive("", repaint=False)  # It stands nowhere on the screen, all of which Textual would send anew.

    def __init__(self, choices: Choices, pace: FramePace | None) -> None:
        super().__init__()
        self.choices = choices
        self.pace = pace
        self.crash: ScreenCrash | None = None
        self._front = FrontBuffer()
        self._terminal_size = Size()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = _THEMES[choices.theme].name

    def on_mount(self) -> None:
        """Take the window's title."""
        self._write_outside("\x1b[22;2t")
        self.watch(self, "title", self._show_title)
        self.call_after_refresh(_collect_garbage_again)

    def on_unmount(self) -> None:
        """Leave the window's title as it was."""
        self._write_outside("\x1b[23;2t")

    def say_problem(self, problem: Problem) -> None:
        """Tell a person what did not work and what to do about it."""
        self.notify(problem.hint, title=problem.message, severity="error", timeout=PROBLEM_SECONDS, markup=False)

    def on_run_ended(self, message: RunEnded) -> None:
        """Tell a person who may look elsewhere, as they chose."""
        self._write_outside(alert_bytes(self.choices.alert, message.words))

    def action_command_palette(self) -> None:
        """Offer every action of the screen that is shown, to be chosen by its words."""
        from tui.palette import ActionPalette

        if not isinstance(self.screen, CommandPalette | TooSmallScreen):
            self.push_screen(ActionPalette())

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
            self.notify(clean_text(str(path)), title="Picture saved", markup=False)

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
        if event.size != self._terminal_size:  # Terminals that tell their size by themselves do so at the start too.
            self._front.forget()
            self._terminal_size = event.size
        self.check_size(event.size)

    def on_terminal_changed(self) -> None:
        """Send all of the screen once more."""
        self._front.forget()
        self.refresh()

    def _show_title(self, title: str) -> None:
        self._write_outside(f"\x1b]2;{title}\x07")

    def _write_outside(self, sequence: str) -> None:
        if self._driver and os.environ.get("TERM") != "linux":  # The console has no title, and old ones print it.
            self._driver.write(sequence)

    def check_size(self, size: Size) -> None:
        """Say so where there is no room for the screens, and only there."""
        is_shown = isinstance(self.screen, TooSmallScreen)
        if is_too_small(size) and not is_shown:
            self.push_screen(TooSmallScreen())
        elif is_shown and not is_too_small(size):
            self.pop_screen()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(renderable, LayoutUpdate | ChopsUpdate):
            renderable = cast(RenderableType, FrameUpdate(renderable, self._front))
        super()._display(screen, renderable)

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
