"""The standard streams as this program needs them: all three open, in an encoding that the locale can show."""

import contextlib
import errno
import os
import sys
from io import RawIOBase, TextIOWrapper
from typing import TextIO

from engines.problems import StorageProblem
from tui import ascii_glyphs


class OutputRefused(StorageProblem):
    """Stdout does not take what is written to it."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write to stdout: {error.strerror}.", "Send it where there is room.")
        self.is_closed = isinstance(error, BrokenPipeError)
        """The reader has left, as `| head` does when it has enough."""

        self.is_hung_up = error.errno == errno.EIO
        """The terminal is gone."""


def prepare_streams() -> None:
    """Open what was closed (`<&-`, `>&-`, `2>&-`) on nothing, and set what is written to what the locale can show."""
    _fill_closed_descriptors()
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    sys.stdout = _buffered(sys.stdout)
    ascii_glyphs.register()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=output_encoding(), errors=ascii_glyphs.ERRORS)


def _buffered(stream: TextIO) -> TextIO:
    # With PYTHONUNBUFFERED or `python -u`, what a pipe does not take in one write would be lost without a word. The
    # descriptor stays open for `sys.__stdout__`, which is asked for the terminal's size.
    if isinstance(stream, TextIOWrapper) and isinstance(stream.buffer, RawIOBase):
        return os.fdopen(stream.fileno(), "w", closefd=False)
    return stream


def output_encoding() -> str:
    """Give `utf-8` or `ascii`, as the locale asks; Python itself writes UTF-8 even where `LC_ALL` is `C`."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    return "utf-8" if "utf" in locale.lower() else "ascii"


def say(text: str) -> None:
    """Tell a person one line on stderr; where nobody can hear it, that is no error."""
    with contextlib.suppress(OSError, ValueError):
        print(f"mnist-tui: {text}", file=sys.stderr, flush=True)  # noqa: T201 - this is what prints


def write_out(text: str) -> None:
    """Write lines to stdout at once; raises `OutputRefused` where nobody takes them."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        raise OutputRefused(error) from error


def tell_of_refusal(refusal: OutputRefused, goes_on: str) -> None:
    """Say that nobody takes what is printed, and what `goes_on` all the same.

    That is no error where the reader has left; elsewhere it raises `StorageProblem`.
    """
    give_up_stdout()
    if not refusal.is_closed:
        raise StorageProblem(refusal.message, goes_on[:1].upper() + goes_on[1:]) from refusal
    say(f"nobody reads stdout any more: {goes_on}")


def give_up_stdout() -> None:
    """Point stdout at nothing, so that what is still buffered is not tried again, and complained about, at exit."""
    point_at_nothing(1)


def end_streams() -> None:
    """Write what is still buffered; where it cannot be, it is dropped, or Python would end with 120, its own code."""
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            point_at_nothing(descriptor)


def point_at_nothing(*descriptors: int) -> None:
    """Have what is written to `descriptors` from now on go nowhere."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _fill_closed_descriptors() -> None:
    # Else the first file that is opened, a run's events perhaps, becomes what others take for stdout.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
