"""The lock for runs that must not be begun twice: held from the look whether one is there until its worker is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from engines.problems import RunBusy, StorageProblem
from engines.regular_file import open_to_append
from engines.runs import RunStore

_FILE = ".beginning"


@contextmanager
def hold(store: RunStore, *, wait: bool = False) -> Iterator[None]:
    """Let nobody else who asks for this lock begin a run in `store` meanwhile.

    Raises `RunBusy` where somebody else has it and we do not `wait`, `StorageProblem` where the disk refuses it.
    """
    fd = _acquire(store, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        os.close(fd)


def _acquire(store: RunStore, how: int) -> int:
    try:
        store.make_root()
        fd = open_to_append(store.root / _FILE)
        try:
            fcntl.flock(fd, how)
        except OSError:
            os.close(fd)
            raise
    except BlockingIOError as error:
        raise RunBusy(f"somebody else begins a run in {store.root}.", "Try again in a moment.") from error
    except OSError as error:
        raise StorageProblem(
            f"cannot make a run in {store.root}: {error.strerror}.", "Name another folder with --runs-dir."
        ) from error
    return fd
