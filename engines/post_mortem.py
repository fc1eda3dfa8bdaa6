"""What is known of a worker that died without saying why: how, whether for want of memory, and its last words."""

import contextlib
import os
import re
from pathlib import Path
from typing import NamedTuple

from engines.folders import is_folder
from engines.launch import describe_exit
from engines.problems import StorageProblem
from engines.run_state import RunState
from engines.text import clean_text
from engines.worker_log import last_log_lines

ATTEMPT_MARK = "--- attempt "
"""How the line begins that a worker writes to `worker.log` before anything else."""

_LOG_LINES, _LAST_WORDS = 1_000, 5
"""Lines of the log that are looked at, and of those that are given."""

_FATAL = "Fatal Python error: "
_OUT_OF_MEMORY = re.compile(
    r"MemoryError|bad_alloc|out of memory|can(no|')t allocate memory|memory allocation of|RESOURCE_EXHAUSTED", re.I
)
_KILLED = -9
_MUCH = 0.8
"""A worker that held this share of all memory when it last told of it was in want of it."""

_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


class Death(NamedTuple):
    """How a worker ended, in words that may follow "the worker died: ", and its last lines worth reading."""

    how: str
    last_words: list[str]


def examine(directory: Path, state: RunState, worker_exit: int | None = None) -> Death:
    """Say how the worker of a crashed run ended; `worker_exit` is its return code where it was our child."""
    if not is_folder(directory):
        return Death(f"its folder is gone from {clean_text(str(directory.parent))}", [])
    words = _last_words(directory)
    fatal = words[-1].removeprefix(_FATAL) if words and words[-1].startswith(_FATAL) else ""
    if worker_exit == StorageProblem.exit_code:
        how = "the disk did not take its last events"
    elif worker_exit is not None:
        how = describe_exit(worker_exit)
    elif fatal:
        how = fatal[0].lower() + fatal[1:]
    else:
        how = "it is gone" if words else "it is gone without a word"
    is_silent = worker_exit == _KILLED or (worker_exit is None and not fatal)
    if any(map(_OUT_OF_MEMORY.search, words)) or (is_silent and _share_of_memory(state) > _MUCH):
        how += ", and it looks as if memory ran out"
    elif is_silent:
        how += ", as after `kill -9` or where memory runs out"
    return Death(how, words)


def _last_words(directory: Path) -> list[str]:
    """Give the last lines of the run's last attempt, without the stack that follows a fatal error."""
    lines = last_log_lines(directory, _LOG_LINES)
    begins = [at for at, line in enumerate(lines, 1) if line.startswith(ATTEMPT_MARK)]
    lines = lines[begins[-1] :] if begins else lines
    fatal = [at for at, line in enumerate(lines, 1) if line.startswith(_FATAL)]
    return (lines[: fatal[-1]] if fatal else lines)[-_LAST_WORDS:]


def _share_of_memory(state: RunState) -> float:
    """Give the share of the machine's memory, or of the container's, that the worker held when it last told of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # No container, or one without a limit.
        total = min(total, int(_CONTAINER_LIMIT.read_text(encoding="ascii")))
    return state.telemetry[-1].memory / total if state.telemetry else 0.0
