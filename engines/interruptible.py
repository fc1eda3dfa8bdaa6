"""Work that cannot look for a stop while it goes on, as an import cannot: a stop breaks it off from outside."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from engines.control import POLL_SECONDS
from engines.phases import StopAsked

_BREAK_OFF = signal.SIGUSR2


@contextmanager
def broken_off_by(is_stop_asked: Callable[[], bool]) -> Iterator[None]:
    """Raise `StopAsked` in the work of this block soon after a stop was asked for; to be used in the main thread."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(POLL_SECONDS):
            # Again and again: a library that is imported may take it for one of its own errors, and go on.
            if is_stop_asked():
                signal.pthread_kill(threading.main_thread().ident or 0, _BREAK_OFF)

    before = signal.signal(_BREAK_OFF, _raise_stop)
    watcher = threading.Thread(target=watch, name="stop-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
        signal.signal(_BREAK_OFF, before)


def _raise_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopAsked
