"""A command on a real pseudo-terminal, with a screen that can be looked at, left unread, or taken away."""

import os
import select
import termios
import time

import pexpect
import pyte
from command_line import PATIENCE_SECONDS

QUIET_SECONDS = 1.0
_ALTERNATE_SCREEN, _MOUSE, _PASTES, _WRAP = 1049, 1000, 2004, 7


class RealTerminal:
    """Starts `command` on a terminal of its own; nothing is read from it but by `wait_for` and `end`."""

    def __init__(self, command, *arguments, columns=80, rows=24, **variables):
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self._wrote_at = time.monotonic()
        env = os.environ.copy()
        for name in ("COLUMNS", "LINES"):  # Whoever runs the tests may have them; it is the terminal that has a size.
            env.pop(name, None)
        env |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | variables
        self.child = pexpect.spawn(command, list(arguments), env=env, dimensions=(rows, columns), timeout=None)
        self.before = self.settings()

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def settings(self):
        """Echo, line editing, signal keys and all else that `stty` shows."""
        return termios.tcgetattr(self.child.child_fd)

    def is_the_apps(self):
        """Tell whether an app has the terminal: alternate screen, mouse reports, raw keys."""
        raw = not self.settings()[3] & (termios.ECHO | termios.ICANON)
        return self.shows_an_app() and _MOUSE in self._modes() and raw

    def shows_an_app(self):
        """Tell whether the alternate screen is on."""
        return _ALTERNATE_SCREEN in self._modes()

    def assert_as_before(self):
        """Check that nothing of an app is left on the terminal, once all that was written is read."""
        while select.select([self.child.child_fd], [], [], 0)[0] and self._read():
            pass
        left = self._modes() & {_ALTERNATE_SCREEN, _MOUSE, _PASTES}
        assert not left, f"modes {left} are on"
        assert _WRAP in self._modes(), "lines do not wrap"
        assert not self.screen.cursor.hidden, "the cursor is hidden"
        assert self.settings() == self.before, "echo or another setting is not what it was"

    def wait_for(self, condition, what):
        """Read what is written until `condition` holds."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < until, f"waited in vain for {what}:\n{self.text}"
            self._read()

    def is_quiet(self):
        """Tell whether nothing has been written for a while."""
        return time.monotonic() - self._wrote_at > QUIET_SECONDS

    def take_away(self):
        """Close the other end of the line, as where a connection drops."""
        # By its file, not by its number: pexpect would close that once more when it may be somebody else's.
        self.child.ptyproc.fileobj.close()
        self.child.closed = self.child.ptyproc.closed = True

    def end(self):
        """Read to the end of the process and give its exit code, negative for a signal."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self._read() or self.child.isalive():
            assert time.monotonic() < until, f"it did not end:\n{self.text}"
        return -self.child.signalstatus if self.child.signalstatus else self.child.exitstatus

    def _read(self):
        try:
            piece = self.child.read_nonblocking(65_536, timeout=0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += piece
        self._wrote_at = time.monotonic()
        self._stream.feed(piece)
        return True

    def _modes(self):
        return {mode >> 5 for mode in self.screen.mode if mode >> 5}
