"""A picture of the screen as a file: where it goes, and what it is called."""

import time
from itertools import chain, count
from pathlib import Path

import platformdirs

from engines.atomic_file import write_atomically
from engines.problems import StorageProblem


def write_picture(svg: str) -> Path:
    """Write `svg` into the folder where we stand, or into the platform's for pictures, and give its name.

    Raises `StorageProblem` where neither takes it.
    """
    name = time.strftime("mnist-tui-%Y%m%d-%H%M%S")
    for folder in (Path.cwd, lambda: Path(platformdirs.user_pictures_dir())):
        try:
            path = _free(folder(), name)
            write_atomically(path, svg.encode())
        except OSError as error:
            refusal = error
        else:
            return path
    raise StorageProblem(f"cannot write {name}.svg: {refusal.strerror}.", "Start mnist-tui in a folder of yours.")


def _free(folder: Path, name: str) -> Path:
    """Give the first of `name`.svg, `name`-2.svg, ... that is not there: several may be saved in one second."""
    names = chain([f"{name}.svg"], (f"{name}-{number}.svg" for number in count(2)))
    return next(path for path in map(folder.joinpath, names) if not path.exists())
