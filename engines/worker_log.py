"""The end of a run's `worker.log`, where all that a framework prints goes."""

import os
from pathlib import Path

from engines.regular_file import open_regular
from engines.text import clean_text


def last_log_lines(directory: Path, count: int = 5) -> list[str]:
    """Give the last lines of a run's `worker.log`, safe to show; empty where there is none."""
    try:
        with os.fdopen(open_regular(directory / "worker.log"), "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    lines = [clean_text(line, 500) for line in text.splitlines()]
    return [line for line in lines if line][-count:]
