"""A picture of the screen as a file: where it goes, and what it is called."""

import time
from pathlib import Path

import platformdirs

from engines.atomic_file import write_atomically
from engines.problems import StorageProblem


def write_picture(svg: str) -> Path:
    """Write `svg` into the folder where we stand, or into the platform's for pictures, and give its name.

    Raises `StorageProblem` where neither takes it.
    """
    name = time.strftime("mnist-tui-%Y%m%d-%H%M%S.svg")
    for folder in (Path.cwd, lambda: Path(platformdirs.user_pictures_dir())):
        try:
            path = folder() / name
            write_atomically(path, svg.encode())
        except OSError as error:
            refusal = error
        else:
            return path
    raise StorageProblem(f"cannot write {name}: {refusal.strerror}.", "Start mnist-tui in a folder of yours.")
