"""The lock that a worker holds while it lives: POSIX record locks, which a killed worker's children do not keep."""

import errno
import fcntl
import os
import struct
import sys
from pathlib import Path

from engines.own_command import command
from engines.problems import RunBusy, StorageProblem
from engines.regular_file import open_to_append

# struct flock: type, whence, start, length, pid; macOS has the same fields in another order.
_FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi"


def acquire(path: Path) -> int:
    """Take the lock for this process and give its descriptor, which must stay open and never be opened again here.

    Raises `RunBusy` where another process holds it, `StorageProblem` where the file cannot be made.
    """
    try:
        fd = open_to_append(path)
    except OSError as error:
        raise StorageProblem(f"cannot open {path}: {error.strerror}.", "Check who owns the runs folder.") from error
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise StorageProblem(f"cannot lock {path}: {error.strerror}.", "Name another --runs-dir.") from error
        raise RunBusy(
            f"run {path.parent.name} has a worker already.",
            f"Watch it with `{command(path.parent.parent, 'attach', path.parent.name)}`, or stop it first.",
        ) from error
    return fd


def holder(path: Path) -> int | None:
    """Give the process id of the worker that holds the lock; None where nobody does, or there is no lock file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        answer = fcntl.fcntl(fd, fcntl.F_GETLK, _pack_query())
    except OSError:
        return None
    finally:
        os.close(fd)
    kind, pid = _unpack(answer)
    return None if kind == fcntl.F_UNLCK else pid


def _pack_query() -> bytes:
    if sys.platform == "darwin":
        return struct.pack(_FLOCK, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
    return struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def _unpack(answer: bytes) -> tuple[int, int]:
    fields = struct.unpack(_FLOCK, answer)
    return (fields[3], fields[2]) if sys.platform == "darwin" else (fields[0], fields[4])
