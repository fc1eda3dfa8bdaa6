"""Files that are still being written: under a name of their own, locked, and gone when their writer is."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_SUFFIX = ".part"


@contextmanager
def part_file(folder: Path, name: str) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a new file in `folder`, locked while it is open; it is removed at the end unless it has been renamed."""
    part, path = _create_locked(folder, name)
    with part:
        try:
            os.fchmod(part.fileno(), 0o644)
            yield part, path
        finally:
            path.unlink(missing_ok=True)


def remove_abandoned_parts(folder: Path) -> None:
    """Remove what writers that were killed have left in `folder`: the part files that nobody holds locked."""
    for path in folder.glob(f".*{_SUFFIX}"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            if _lock(descriptor):
                path.unlink()
            os.close(descriptor)


def _create_locked(folder: Path, name: str) -> tuple[IO[bytes], Path]:
    while True:
        descriptor, part_name = tempfile.mkstemp(prefix=f".{name}.", suffix=_SUFFIX, dir=folder)
        path = Path(part_name)
        # Before it is locked another process may take the file for abandoned and remove it; then we make a next one.
        if _lock(descriptor) and path.exists():
            return os.fdopen(descriptor, "wb"), path
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    # The writer may open and close its file once more to verify it, which would end a `lockf` of this process.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
