"""Folders: what a person's name for one stands for, where runs lie, whether one is there, new ones for their owner."""

import os
from pathlib import Path

import platformdirs

from engines.problems import StorageProblem

RUNS_DIR_VARIABLE = "MNIST_TUI_RUNS_DIR"


def named_folder(name: str) -> Path:
    """Give the folder that `name` stands for, in which `~` is the home, as an absolute path; it need not exist.

    Raises `StorageProblem` where that depends on the working directory, and that was removed.
    """
    # `Path.expanduser` raises where there is no home; this leaves the path as it is.
    path = Path(os.path.expanduser(name))  # noqa: PTH111
    try:
        return path.absolute()
    except FileNotFoundError as error:
        raise StorageProblem(
            f"there is no telling where the folder {name} is: the one that you are in was removed.",
            "Go to another, or name it from / on.",
        ) from error


def usual_runs_folder() -> Path:
    """Give the folder that holds runs: what the environment's `MNIST_TUI_RUNS_DIR` says, else the platform's."""
    named = os.environ.get(RUNS_DIR_VARIABLE)
    return named_folder(named) if named else Path(platformdirs.user_data_dir("mnist-tui", appauthor=False)) / "runs"


def is_folder(path: Path) -> bool:
    """Tell whether a folder is seen at `path`: none is where one above it cannot be looked into, or its disk fails."""
    return os.path.isdir(path)  # noqa: PTH112 - `Path.is_dir` raises there


def is_there(path: Path) -> bool:
    """Tell whether anything is seen at `path`, as `is_folder` does."""
    return os.path.exists(path)  # noqa: PTH110 - `Path.exists` raises there


def make_private_folders(path: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone; raises OSError."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    if not path.is_dir():
        raise NotADirectoryError(20, "it is not a folder")
