"""What is drawn comes to the terminal whole and in order, and whoever draws waits for nobody who does not read."""

import os
import pty
import select
import threading
import tty

import mishaps
import pytest
from command_line import PATIENCE_SECONDS

from tui import ascii_glyphs
from tui.frame_pace import FramePace
from tui.screen_writer import MOST_WAITING, ScreenWriter

MORE_THAN_A_TERMINAL_HOLDS = 1 << 18


class Line:
    """A terminal that is read only when a test says so; without `direct`, it cannot be opened a second time."""

    def __init__(self, encoding="utf-8", *, direct=True, pace=None):
        self.end, slave = pty.openpty()
        tty.setraw(slave)
        self.file = os.fdopen(slave, "w", encoding=encoding, errors=ascii_glyphs.ERRORS)
        self._direct = os.open(os.ttyname(slave), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY) if direct else -1
        self.writer = ScreenWriter(self.file, self._direct, pace)
        self._threads = set(threading.enumerate())

    def read(self, count):
        data = b""
        while len(data) < count:
            assert select.select([self.end], [], [], PATIENCE_SECONDS)[0], f"{len(data)} of {count} bytes came"
            data += os.read(self.end, 1 << 16)
        return data

    def uses_a_thread(self):
        return any(thread.name == "screen-writer" for thread in set(threading.enumerate()) - self._threads)

    def take_away(self):
        os.close(self.end)
        self.end = -1

    def close(self):
        if self.end >= 0:
            self.take_away()  # It also ends a write that waits.
        if self._direct >= 0:
            os.close(self._direct)
        self.writer.drain()
        self.file.close()


@pytest.fixture
def open_line():
    lines = []

    def opened(*arguments, **settings):
        lines.append(Line(*arguments, **settings))
        return lines[-1]

    yield opened
    for line in lines:
        line.close()


def test_what_the_terminal_has_room_for_is_there_at_once_and_needs_no_thread(open_line):
    line = open_line()
    line.writer.write("▀ one, ")
    line.writer.write("two")
    assert line.read(len("▀ one, two".encode())).decode() == "▀ one, two"
    assert not line.uses_a_thread()


@pytest.mark.parametrize("direct", [True, False])
def test_what_is_not_read_is_waited_for_by_a_thread_and_comes_whole_and_in_order(open_line, direct):
    line = open_line(direct=direct)
    written = [chr(0x2800 + number) * (MORE_THAN_A_TERMINAL_HOLDS // 9 + number) for number in range(9)]
    for text in written:
        line.writer.write(text)
    assert line.uses_a_thread()
    whole = "".join(written).encode()
    assert line.read(len(whole)) == whole
    line.writer.drain()
    line.writer.write("at once again")
    assert line.read(13) == b"at once again"


def test_a_terminal_that_another_program_left_without_waiting_loses_nothing(open_line):
    line = open_line(direct=False)
    os.set_blocking(line.file.fileno(), False)
    text = "⠿" * MORE_THAN_A_TERMINAL_HOLDS
    line.writer.write(text)
    assert line.read(len(text.encode())) == text.encode()


def test_the_pace_is_told_of_what_waits_and_how_long_it_did(open_line):
    now = [100.0]
    pace = FramePace(10, lambda: now[0])
    pace.draw()
    now[0] += 1
    line = open_line(pace=pace)
    line.writer.write("a frame")
    assert pace.is_due()
    line.writer.write("x" * MORE_THAN_A_TERMINAL_HOLDS)
    now[0] += 60
    assert not pace.is_due()
    threading.Event().wait(0.2)
    line.read(7 + MORE_THAN_A_TERMINAL_HOLDS)
    line.writer.drain()
    assert not pace.is_due()  # It has to rest for as long as the terminal took, and longer.
    now[0] += 60
    assert pace.is_due()


def test_a_terminal_that_is_never_read_holds_up_whoever_draws_before_memory_is_full(open_line):
    line = open_line()
    drawn = []

    def draw():
        for number in range(2 * MOST_WAITING):
            line.writer.write("x" * MORE_THAN_A_TERMINAL_HOLDS)
            drawn.append(number)

    drawer = threading.Thread(target=draw, daemon=True)
    drawer.start()
    mishaps.wait_for(lambda: len(drawn) == MOST_WAITING, "the most that may wait")
    drawer.join(0.2)
    assert len(drawn) == MOST_WAITING
    line.take_away()
    mishaps.wait_for(lambda: not drawer.is_alive(), "who draws to be let go")


def test_what_is_drawn_on_a_terminal_that_is_gone_is_dropped(open_line):
    line = open_line()
    line.take_away()
    line.writer.write("to nobody")
    line.writer.drain()
    line.writer.write("nor this")
    line.writer.drain()


def test_in_the_c_locale_there_are_stand_ins(open_line):
    ascii_glyphs.register()
    line = open_line("ascii")
    line.writer.write("▀ a")
    assert line.read(3).isascii()
