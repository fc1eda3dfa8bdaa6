"""The signals that reach a command with no screen: counted here, acted on by whoever waits."""

import faulthandler
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from tui import ui_log
from tui.streams import say

Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None

_PATIENCE = 2
"""How many INT and TERM are the loop's to act on; one more, and whatever it hangs in is left."""


class Interrupts:
    """While entered, INT and TERM are counted, HUP is noted, and QUIT writes the stacks to `ui.log`.

    INT is taken even where a parent ignores it, as a shell does for what it runs in the background; HUP is left ignored
    where it is, because that is what `nohup` asks for.
    """

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        self.count = 0
        self.hung_up = False
        self._pass_on: Callable[[signal.Signals], None] | None = None
        self._passed_on = 0
        self._before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> Self:
        self._handle(signal.SIGINT, self._on_interrupt)
        self._handle(signal.SIGTERM, self._on_interrupt)
        self._handle(signal.SIGQUIT, self._on_quit)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self._handle(signal.SIGHUP, self._on_hang_up)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, send: Callable[[signal.Signals], None]) -> None:
        """Give INT and TERM to `send` as they come, even while we hang in a write; those that came before, too."""
        self._pass_on = send
        self._pass_on_all()

    def _pass_on_all(self) -> None:
        while self._pass_on and self.first and self._passed_on < self.count:
            self._passed_on += 1
            self._pass_on(self.first)

    def _handle(self, number: signal.Signals, handler: Handler) -> None:
        self._before[number] = signal.signal(number, handler)

    def _on_interrupt(self, number: int, _frame: FrameType | None) -> None:
        self.first = self.first or signal.Signals(number)
        self.count += 1
        self._pass_on_all()
        if self.count > _PATIENCE:
            raise KeyboardInterrupt

    def _on_hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self.hung_up = True

    def _on_quit(self, _number: int, _frame: FrameType | None) -> None:
        with ui_log.opened() as log:
            faulthandler.dump_traceback(log, all_threads=True)
        say(f"what every thread is doing is written in {ui_log.path()}.")
