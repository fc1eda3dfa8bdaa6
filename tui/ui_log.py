"""The file `ui.log`: where the tracebacks and stacks go that no person should have to see."""

import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import platformdirs

from engines.problems import Problem
from engines.text import clean_text

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

MAX_BYTES = 1 << 20
"""A log that has grown beyond this is begun anew."""


class ScreenCrash(Problem):
    """An error of this program's own ended what it did; no run is touched by it."""


def path() -> Path:
    """Give where the log lies: the platform's folder for a user's logs."""
    return Path(platformdirs.user_log_dir("mnist-tui", appauthor=False)) / "ui.log"


@contextmanager
def opened() -> Iterator[TextIO]:
    """Open the log for appending, with a line that says when; where it cannot be written, what is written is lost."""
    with _open() as log:
        log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} process {os.getpid()}\n")
        log.flush()
        yield log


def note(line: str) -> None:
    """Write one line to the log: nothing that a person has to act on."""
    with opened() as log:
        log.write(f"{clean_text(line)}\n")


def record_crash(error: BaseException) -> ScreenCrash:
    """Write the traceback of `error` to the log, and give what a person is told instead."""
    with opened() as log:
        traceback.print_exception(error, file=log)
    return ScreenCrash(clean_text(f"{type(error).__name__}: {error}", 300), f"The traceback is in {path()}.")


def _open() -> TextIO:
    file = path()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, flags, 0o600)
        if os.fstat(descriptor).st_size > MAX_BYTES:
            os.ftruncate(descriptor, 0)
    except OSError:
        descriptor = os.open(os.devnull, os.O_WRONLY)
    return TextIOWrapper(BufferedWriter(_Unfailing(descriptor, "w")), encoding="utf-8", errors="backslashreplace")


class _Unfailing(FileIO):
    """A file that takes whatever is written to it: what the disk refuses is dropped, or closing would try it again."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes
