"""Writes what is drawn to the terminal: at once as much as it takes, and in a thread what it does not take yet.

Whoever draws never waits for a thread to get its turn, which beside a run that trains takes longer than the drawing,
nor for a terminal that is slow to read.
"""

import os
import select
import threading
from collections import deque
from time import monotonic
from typing import TextIO

from tui.frame_pace import FramePace

MOST_WAITING = 30
"""So many writes may wait for the thread; then whoever draws waits too, or memory would fill with frames."""


class ScreenWriter:
    """Writes to `file` in order, first by `direct`, a descriptor of the same terminal that does not wait (-1: none).

    `pace` is told while something waits, and how long the terminal took for it. Safe to call from several threads.
    """

    def __init__(self, file: TextIO, direct: int, pace: FramePace | None) -> None:
        self._file = file
        self._direct = direct
        self._pace = pace
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._thread: threading.Thread | None = None
        self._is_lost = False

    def write(self, text: str) -> None:
        """Write `text`; what cannot be written because the terminal is gone is dropped."""
        data = text.encode(self._file.encoding, self._file.errors or "strict")
        with self._changed:
            if not self._waiting:
                data = data[self._write_now(data) :]
            if data:
                self._hand_over(data)

    def drain(self) -> None:
        """Wait until all is written."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)

    def _write_now(self, data: bytes) -> int:
        """Give how many bytes the terminal took without a wait."""
        try:
            return os.write(self._direct, data) if self._direct >= 0 else 0
        except OSError:  # It is full; or it is gone, which the thread finds out.
            return 0

    def _hand_over(self, data: bytes) -> None:
        self._changed.wait_for(lambda: len(self._waiting) < MOST_WAITING)
        if self._is_lost:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_waiting, name="screen-writer", daemon=True)
            self._thread.start()
        if self._pace:
            self._pace.begin_write()
        self._waiting.append(data)
        self._changed.notify_all()

    def _write_waiting(self) -> None:
        seconds = 0.0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                data = self._waiting[0]  # It stays there until it is written: nothing may overtake it.
            began = monotonic()
            try:
                self._write_through(data)
            except OSError:
                self._give_up()
                return
            seconds += monotonic() - began
            with self._changed:
                self._waiting.popleft()
                if self._pace and not self._waiting:
                    self._pace.end_write(seconds)
                    seconds = 0.0
                self._changed.notify_all()

    def _write_through(self, data: bytes) -> None:
        terminal = self._file.fileno()
        while data:
            try:
                data = data[os.write(terminal, data) :]
            except BlockingIOError:  # Another program left the shell's descriptor so that it does not wait.
                select.select([], [terminal], [])

    def _give_up(self) -> None:
        with self._changed:
            self._is_lost = True
            self._waiting.clear()
            self._changed.notify_all()
