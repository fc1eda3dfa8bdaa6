"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"


def write_atomically(path: Path, data: bytes, *, durable: bool = False, through_link: bool = True) -> None:
    """Put `data` (mode 0600) in the place of `path`, never following a link there.

    With `durable` it is on the disk when this returns: file, rename and folder synced. Without `through_link` a link in
    the place of its folder is refused, too. Raises OSError.
    """
    # Never with the suffix of `path`: to whoever looks for NAME.json, its appearance is the commit.
    temporary = f"{TEMPORARY_PREFIX}{os.urandom(4).hex()}-{path.name}.part"
    with _opened(path.parent, through_link=through_link) as folder:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(temporary, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise
        if durable:
            os.fsync(folder)


def remove_here(path: Path) -> None:
    """Remove a file, if it is there, unless a link stands for its folder; raises OSError."""
    with _opened(path.parent, through_link=False) as folder, suppress(FileNotFoundError):
        os.unlink(path.name, dir_fd=folder)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable; raises OSError."""
    with _opened(folder, through_link=True) as fd:
        os.fsync(fd)


@contextmanager
def _opened(folder: Path, *, through_link: bool) -> Iterator[int]:
    """Hold on to a folder, so that nothing that is put in its place meanwhile is written to."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if through_link else os.O_NOFOLLOW)
    fd = os.open(folder, flags)
    try:
        yield fd
    finally:
        os.close(fd)
