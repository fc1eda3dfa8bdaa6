"""The terminal under the app: whether it can be drawn on, and how it gets back what it was, whatever ends the app."""

import os
import signal
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import TextIO

from engines.problems import Unavailable
from tui.ascii_glyphs import ERRORS
from tui.streams import output_encoding, point_at_nothing

RESET = (
    "\x18\x1b\\"  # Whatever sequence was cut off in its middle ends here.
    "\x1b[?2026l\x1b[<u"  # Synchronised output, kitty's keyboard protocol.
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # The mouse.
    "\x1b[?2004l\x1b[?2048l\x1b[?1004l"  # Reports of pastes, resizes and focus.
    "\x1b[?7h\x1b[0m\x1b[?1049l\x1b[?25h"  # Line wrap, colours, the normal screen, the cursor.
)
_WAKE = signal.SIGUSR1
_TRIES = 50
_BETWEEN_TRIES_SECONDS = 0.01


def can_draw(stream: TextIO) -> bool:
    """Tell whether what is written to `stream` comes to a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def require_terminal(way_out: str = "Train without a screen: add --no-ui.") -> None:
    """See that the app has a terminal to be drawn on and to read keys from; raises `Unavailable` where it has not.

    `way_out` says what to do without one.
    """
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        reason = f"{'stdout' if sys.stdin.isatty() else 'stdin'} is not a terminal"
    elif not can_draw(sys.stdout):
        reason = f"the terminal cannot be drawn on (TERM is {os.environ.get('TERM', '')!r})"
    else:
        return
    raise Unavailable(f"{reason}, and the app needs one.", way_out)


def own_size(descriptor: int) -> tuple[int, int] | None:
    """Give the columns and rows that a terminal itself tells of; None where it does not know them, or is gone.

    What `COLUMNS` and `LINES` say, where a shell has set them, stays when the terminal changes.
    """
    try:
        columns, rows = os.get_terminal_size(descriptor)
    except OSError:
        return None
    return (columns, rows) if columns and rows else None


class Terminal:
    """The terminal as it is now, before an app changes it; `screen` is what the app writes to.

    `direct` is a descriptor of it that does not wait where it is not read; -1 where it cannot be opened once more.
    """

    def __init__(self) -> None:
        self._device = _device_of(sys.stdout.fileno())
        self._input = sys.stdin.fileno()
        self._attributes = termios.tcgetattr(self._input)
        # A descriptor of its own: it can be pointed at nothing while stdout stays what it is.
        self.screen = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding=output_encoding(), errors=ERRORS)
        # Opened, not made from the other: whether it waits is a matter of the opened file, which the shell has too.
        self.direct = -1
        with suppress(OSError):
            self.direct = os.open(self._device, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        signal.signal(_WAKE, lambda *_: None)

    def size(self) -> tuple[int, int] | None:
        """Give its columns and rows; None where it does not know them, or is gone."""
        return own_size(self.screen.fileno())

    def give_back(self) -> None:
        """Set back echo, line editing and signal keys; nothing where the terminal is gone."""
        with suppress(termios.error):
            termios.tcsetattr(self._input, termios.TCSANOW, self._attributes)

    def give_back_by_force(self) -> None:
        """Bring it back at once, also where nobody reads what is written to it or an app still writes."""
        point_at_nothing(*(descriptor for descriptor in (self.screen.fileno(), self.direct) if descriptor >= 0))
        _interrupt_writes()
        self.give_back()
        with suppress(OSError, termios.error):
            descriptor = os.open(self._device, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            _write_through(descriptor, RESET.encode())
            os.close(descriptor)


def _device_of(descriptor: int) -> str:
    """Give the file of a terminal; in a container that was entered from outside it may have no name of its own."""
    try:
        return os.ttyname(descriptor)
    except OSError:
        return os.ctermid()


def _interrupt_writes() -> None:
    """Have writes that are blocked tried again, which will be on nothing; they would keep us from writing, too."""
    for thread in threading.enumerate():
        if thread.ident and thread is not threading.current_thread():
            with suppress(ProcessLookupError):
                signal.pthread_kill(thread.ident, _WAKE)


def _write_through(descriptor: int, data: bytes) -> None:
    """Write all of `data` to a terminal that may not take it: what waits there to be read is dropped to make room."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            if os.write(descriptor, data) == len(data):
                return
        # It drops the part of ours that was taken, too, so that the next try begins anew.
        termios.tcflush(descriptor, termios.TCOFLUSH)
        time.sleep(_BETWEEN_TRIES_SECONDS)
