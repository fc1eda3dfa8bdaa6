"""One thing asked of a live run from a shell: leave the request, wait until it is in force, say so."""

import time
from contextlib import closing
from pathlib import Path

from engines import control
from engines.control import Action
from engines.own_command import command
from engines.problems import Problem
from engines.run_reader import ALIVE, RunReader
from tui.streams import write_out

ANSWER_SECONDS = 10.0
STOP_SECONDS = 60.0
"""A run that was stopped ends its step and saves a checkpoint before it ends."""

ASK_AGAIN_SECONDS = 1.0
"""A worker that is just starting takes what it finds for an old request, so that one is made again."""

_POLL_SECONDS = 0.05
_DONE = {
    "pause": "is paused",
    "resume": "goes on",
    "stop": "is stopped",
    "stop-now": "is stopped",
    "lr": "has a new learning rate",
    "epochs": "has that many more epochs to train",
}


def ask_and_wait(directory: Path, action: Action, value: float | None = None) -> int:
    """Ask and wait for the run's own word that it is so; raises `Problem` where none comes, or nobody is there."""
    with closing(RunReader(directory)) as reader:
        reader.read_all()
        status = reader.status()
        if status not in ALIVE:
            raise Problem(f"run {directory.name} is not running: it is {status}.", "Nothing was asked of it.")
        _wait(reader, action, value)
    write_out(f"run {directory.name} {_DONE[action]}.\n")
    return 0


def _wait(reader: RunReader, action: Action, value: float | None) -> None:
    stopping = action in control.STOPS
    asked: list[str] = []
    ask_again_at = 0.0
    until = time.monotonic() + (STOP_SECONDS if stopping else ANSWER_SECONDS)
    while (now := time.monotonic()) < until:
        # Asked before reading, so that the last events of a worker that is gone are read.
        is_gone = not reader.has_worker()
        reader.read_all()
        answered = any(applied.id in asked for applied in reader.state.controls)
        if answered and not stopping:
            return
        if is_gone and reader.status() not in ALIVE:
            _see_that_it_stopped(reader, stopping)
            return
        if not answered and now >= ask_again_at:
            first = asked[0] if asked else ""
            asked.append(control.ask(reader.directory, action, value, repeats=first).id)
            ask_again_at = now + ASK_AGAIN_SECONDS
        time.sleep(_POLL_SECONDS)
    look = command(reader.directory.parent, "show", reader.run_id)
    raise Problem(
        f"run {reader.run_id} has not answered yet.",
        f"It does what was asked as soon as it comes to it; `{look}` tells.",
    )


def _see_that_it_stopped(reader: RunReader, stopping: bool) -> None:
    status = reader.status()
    if not stopping or status != "stopped":
        raise Problem(f"run {reader.run_id} ended before it was asked: it is {status}.")
