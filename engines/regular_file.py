"""Files opened with no trust in what stands in their place: a link, a pipe or a folder is refused, never waited for."""

import errno
import os
import stat
from pathlib import Path

_CAUTIOUS = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


def open_regular(path: Path) -> int:
    """Open `path` for reading and give its descriptor; raises OSError where it is missing, or no regular file."""
    return _checked(os.open(path, os.O_RDONLY | _CAUTIOUS), path)


def open_to_append(path: Path) -> int:
    """Open `path` for reading and appending, made with mode 0600 where it is missing; raises OSError as above."""
    return _checked(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _CAUTIOUS, 0o600), path)


def read_regular(path: Path, limit: int) -> bytes:
    """Read at most `limit` bytes of `path`; raises OSError as `open_regular` does."""
    with os.fdopen(open_regular(path), "rb") as file:
        return file.read(limit)


def _checked(fd: int, path: Path) -> int:
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return fd
