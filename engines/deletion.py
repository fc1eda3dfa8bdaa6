"""Deleting a run: its directory is first given a hidden name, so that whatever is interrupted, no half run is seen."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from engines import run_lock
from engines.problems import RunBusy, StorageProblem
from engines.run_reader import ALIVE, RunReader

_PREFIX = ".deleted-"


def delete_run(directory: Path) -> None:
    """Delete a run for good, and what earlier deletions that were interrupted left behind.

    Raises `RunBusy` where it is alive, `StorageProblem` where the disk refuses.
    """
    refuse_living(directory)
    hidden = directory.with_name(f"{_PREFIX}{os.urandom(4).hex()}-{directory.name}")
    lock = run_lock.acquire(directory / "lock")  # No worker begins between the look and the renaming.
    try:
        directory.rename(hidden)
    except OSError as error:
        raise _cannot_delete(directory, error) from error
    finally:
        os.close(lock)
    try:
        _remove(hidden)
    except OSError as error:
        raise _cannot_delete(directory, error) from error
    finish_deletions(directory.parent)


def _remove(folder: Path) -> None:
    """Remove a folder with all that is in it; whoever finishes deletions may be at the same one, and is no trouble."""
    while folder.exists():
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def finish_deletions(root: Path) -> None:
    """Remove what deletions that were interrupted left in the folder of runs, as far as that can be done."""
    try:
        names = [name for name in os.listdir(root) if name.startswith(_PREFIX)]  # noqa: PTH208 - names are all it takes
    except OSError:
        return
    for name in names:
        if (root / name).is_dir() and not (root / name).is_symlink():
            shutil.rmtree(root / name, ignore_errors=True)


def refuse_living(directory: Path) -> None:
    """Raise `RunBusy` where a run is alive, and `StorageProblem` where a link stands in its place."""
    if directory.is_symlink():
        raise StorageProblem(f"{directory} is a link, and no run of ours.", "Remove it by hand.")
    reader = RunReader(directory)
    reader.read_ends()
    status = reader.status()
    reader.close()
    if status in ALIVE:
        raise RunBusy(f"run {directory.name} is alive.", "Stop it first; then it can be deleted.")


def _cannot_delete(directory: Path, error: OSError) -> StorageProblem:
    return StorageProblem(f"cannot delete {directory.name}: {error.strerror}.", "Check who owns the runs folder.")
