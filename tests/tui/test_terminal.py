import errno
import io
import os
import pty
import sys
import termios

import pytest

from engines.problems import Unavailable
from tui import terminal


@pytest.fixture
def on_terminal(monkeypatch):
    """Give what puts stdin and stdout on a terminal, and gives the descriptor that reads what is drawn there."""
    master, slave = pty.openpty()
    stdin, stdout = os.fdopen(os.dup(slave)), os.fdopen(os.dup(slave), "w")

    def enter():
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setenv("TERM", "xterm")
        return master

    yield enter
    monkeypatch.undo()
    stdin.close()
    stdout.close()
    os.close(master)
    os.close(slave)


def test_a_terminal_can_be_drawn_on(on_terminal):
    on_terminal()

    terminal.require_terminal()


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_what_cannot_move_its_cursor_is_refused(on_terminal, monkeypatch, term):
    on_terminal()
    monkeypatch.setenv("TERM", term)

    with pytest.raises(Unavailable, match="cannot be drawn on") as refusal:
        terminal.require_terminal()
    assert "--no-ui" in refusal.value.hint


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_stream_that_is_no_terminal_is_named(on_terminal, monkeypatch, stream):
    on_terminal()
    monkeypatch.setattr(sys, stream, io.StringIO())

    with pytest.raises(Unavailable, match=f"{stream} is not a terminal"):
        terminal.require_terminal()


def test_a_terminal_without_a_name_is_given_back_all_the_same(on_terminal, monkeypatch):
    def nameless(_):
        raise OSError(errno.ENODEV, "No such device")

    master = on_terminal()
    name = os.ttyname(sys.stdout.fileno())
    monkeypatch.setattr(os, "ttyname", nameless)
    monkeypatch.setattr(os, "ctermid", lambda: name)
    kept = terminal.Terminal()
    kept.give_back_by_force()
    assert read_until_reset(master) == terminal.RESET.encode()
    kept.screen.close()


def test_echo_and_line_editing_come_back(on_terminal):
    master = on_terminal()
    kept = terminal.Terminal()
    before = termios.tcgetattr(master)
    changed = termios.tcgetattr(master)
    changed[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
    termios.tcsetattr(master, termios.TCSANOW, changed)

    kept.give_back()

    assert termios.tcgetattr(master) == before
    kept.screen.close()


def test_by_force_the_last_words_are_the_reset_and_the_app_draws_no_more(on_terminal):
    master = on_terminal()
    kept = terminal.Terminal()
    kept.screen.write("drawn")
    kept.screen.flush()

    kept.give_back_by_force()
    kept.screen.write("too late")
    kept.screen.flush()

    assert read_until_reset(master) == b"drawn" + terminal.RESET.encode()
    kept.screen.close()


def test_by_force_it_works_on_a_terminal_that_is_full(on_terminal):
    master = on_terminal()
    kept = terminal.Terminal()
    descriptor = os.open(os.ttyname(sys.stdout.fileno()), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(descriptor, b"x" * 1000)
    os.close(descriptor)

    kept.give_back_by_force()

    read_until_reset(master)
    kept.screen.close()


def read_until_reset(master):
    written = b""
    while not written.endswith(terminal.RESET.encode()):
        written += os.read(master, 65_536)
    return written
