"""Runs the app so that it ends when it is told to, and leaves nothing behind on the terminal.

Textual takes no notice of TERM and HUP, and its event loop stands still while a terminal does not read; only handlers
set with `signal.signal` still run then, and a thread beside them.
"""

import asyncio
import faulthandler
import logging
import os
import select
import signal
import sys
import threading
import traceback
from types import FrameType, TracebackType
from typing import Any, Self, TextIO

from rich.console import Console
from textual.app import App
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from tui import ui_log
from tui.frame_pace import FramePace
from tui.messages import TerminalChanged
from tui.patient_parser import PatientParser
from tui.screen_writer import ScreenWriter
from tui.terminal import Terminal

PATIENCE_SECONDS = 2.0
"""How long the app may take to end by itself once it was told to."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def run_app(app: App[Any], pace: FramePace | None = None, *, is_last: bool = True) -> int:
    """Run `app` on this process's terminal and give the exit code; raises what the app's own start raises.

    `pace` is told how fast the terminal takes what is drawn. Where the app `is_last` of what the process does, a signal
    that ended it sees to the end of the process as well.
    """
    terminal = Terminal()
    with ui_log.opened() as log, _Guard(app, terminal, log, is_last=is_last) as guard:
        app.driver_class = _driver_on(terminal, ScreenWriter(terminal.screen, terminal.direct, pace))
        app.error_console = Console(file=log, width=120)
        app.run()
    # A signal may come before the app is whole, and what it says of that is of no use to anyone.
    return guard.signal_code or app.return_code or 0


class _Guard:
    """While entered, a signal ends the app, a lost terminal counts as HUP, and stray tracebacks go to `log`."""

    def __init__(self, app: App[Any], terminal: Terminal, log: TextIO, *, is_last: bool) -> None:
        self._app = app
        self._is_last = is_last
        self._terminal = terminal
        self._log = log
        self._log_handler = logging.StreamHandler(log)
        self.signal_code = 0
        self._forced = threading.RLock()
        self._is_relieved = False

    def __enter__(self) -> Self:
        # INT too: a parent may have left it ignored. And HUP is never ignored: without its terminal the app would spin.
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        faulthandler.enable(self._log)
        threading.excepthook = self._log_thread_error
        sys.unraisablehook = self._log_unraisable
        logging.getLogger().addHandler(self._log_handler)
        threading.Thread(target=self._watch_terminal, name="terminal-watch", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _traceback: TracebackType | None) -> None:
        with self._forced:  # Where the watchdog is at work, the app came free only by it: it must be done first.
            self._is_relieved = not self._is_last and self.signal_code != 128 + signal.SIGHUP
        if kind:
            self._terminal.give_back_by_force()
        self._terminal.give_back()
        logging.getLogger().removeHandler(self._log_handler)
        threading.excepthook, sys.unraisablehook = threading.__excepthook__, sys.__unraisablehook__
        faulthandler.disable()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        again, self.signal_code = bool(self.signal_code), 128 + number
        if number == signal.SIGQUIT:
            faulthandler.dump_traceback(self._log, all_threads=True)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if again or loop is None:
            self._leave_now()
            return
        # Never cancelled: it also ends a process whose threads keep it from ending after the app is gone.
        watchdog = threading.Timer(PATIENCE_SECONDS, self._lose_patience)
        watchdog.daemon = True
        watchdog.start()
        loop.call_soon_threadsafe(self._app.exit, None, self.signal_code)

    def _lose_patience(self) -> None:
        with self._forced:
            if not self._is_relieved:
                self._leave_now()

    def _leave_now(self) -> None:
        self._forced.acquire()  # For good.
        self._terminal.give_back_by_force()
        os._exit(self.signal_code)

    def _watch_terminal(self) -> None:
        poll = select.poll()
        poll.register(sys.stdin.fileno(), 0)  # Nothing asked for: what is left is that it was hung up.
        poll.poll()
        os.kill(os.getpid(), signal.SIGHUP)

    def _log_thread_error(self, what: threading.ExceptHookArgs) -> None:
        if what.exc_value:
            traceback.print_exception(what.exc_value, file=self._log)

    def _log_unraisable(self, what: "sys.UnraisableHookArgs") -> None:
        if what.exc_value:
            traceback.print_exception(what.exc_value, file=self._log)


def _driver_on(terminal: Terminal, writer: ScreenWriter) -> type[Driver]:
    class GuardedDriver(LinuxDriver):
        """Draws by `writer`, where Textual would draw on stderr even if that is a file, and in a thread always."""

        _is_away = False

        def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - Textual's own
            super().__init__(*arguments, **options)
            self._size = self._size or terminal.size()

        def _get_terminal_size(self) -> tuple[int, int]:
            return terminal.size() or super()._get_terminal_size()

        def write(self, data: str) -> None:
            if not self._is_away:  # What is under way when the shell has the terminal would be drawn over its words.
                writer.write(data)

        def run_input_thread(self) -> None:
            linux_driver.XTermParser = PatientParser  # type: ignore[attr-defined]  # The parser that Textual makes.
            super().run_input_thread()

        def close(self) -> None:
            writer.drain()
            super().close()

        def start_application_mode(self) -> None:
            super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own
            self._tell_size = signal.signal(signal.SIGWINCH, self._on_window_change)

        def suspend_application_mode(self) -> None:
            super().suspend_application_mode()
            self._is_away = True

        def resume_application_mode(self) -> None:
            self._is_away = False
            self._tell_of_change()
            super().resume_application_mode()

        def _on_window_change(self, number: int, frame: FrameType | None) -> None:
            self._tell_of_change()
            if callable(self._tell_size):
                self._tell_size(number, frame)

        def _tell_of_change(self) -> None:
            self._loop.call_soon_threadsafe(self._app.post_message, TerminalChanged())

        # Done by the event loop: a signal may come in the middle of a frame, where nothing may be written.
        def _sigtstp_application(self, *_: object) -> None:
            self._loop.call_soon_threadsafe(super()._sigtstp_application)

        def _sigcont_application(self, *_: object) -> None:
            self._loop.call_soon_threadsafe(self._take_terminal_again)

        def _take_terminal_again(self) -> None:
            # After a STOP that nobody could see coming, the terminal may be anything: leave it before taking it again.
            if not self._must_signal_resume:
                self.suspend_application_mode()
            super()._sigcont_application()
            self._app.refresh()

    return GuardedDriver
