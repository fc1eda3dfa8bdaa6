"""Files read with no trust in what stands in their place: a link, a pipe or a folder is refused, never waited for."""

import errno
import os
import stat
from pathlib import Path


def open_regular(path: Path) -> int:
    """Open `path` for reading and give its descriptor; raises OSError where it is missing, or no regular file."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return fd


def read_regular(path: Path, limit: int) -> bytes:
    """Read at most `limit` bytes of `path`; raises OSError as `open_regular` does."""
    with os.fdopen(open_regular(path), "rb") as file:
        return file.read(limit)
