"""The way back to a live run: `control.json`, the latest thing asked of it, replaced atomically by whoever asks."""

import getpass
import os
import socket
from pathlib import Path
from typing import Literal, get_args

import msgspec

from engines.atomic_file import write_atomically
from engines.problems import StorageProblem
from engines.regular_file import read_regular
from engines.text import clean_text

Action = Literal["pause", "resume", "stop", "stop-now", "lr", "checkpoint", "epochs"]
ACTIONS: tuple[Action, ...] = get_args(Action)
MAX_BYTES = 4096
POLL_SECONDS = 0.1
"""How often a worker looks; a request is in force within 250 ms."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One thing asked of a run; `value` is the new rate where `action` is `lr`, how many more where it is `epochs`.

    One that was not answered may be made again: it has an id of its own, and `repeats` has that of the first.
    """

    id: str
    action: Action
    value: float | None = None
    by: str = ""
    repeats: str = ""


def ask(run_directory: Path, action: Action, value: float | None = None, *, repeats: str = "") -> Request:
    """Leave a request for the run's worker and give it back; raises `StorageProblem` where it cannot be written."""
    request = Request(id=os.urandom(8).hex(), action=action, value=value, by=_who(), repeats=repeats)
    try:
        write_atomically(run_directory / "control.json", msgspec.json.encode(request) + b"\n")
    except OSError as error:
        raise StorageProblem(
            f"cannot write to {run_directory}: {error.strerror}.", "Check the disk and who owns the folder."
        ) from error
    return request


class Inbox:
    """A worker's side: each request comes out once, however often it is made again.

    What lay there before this attempt never does.
    """

    def __init__(self, run_directory: Path) -> None:
        self._path = run_directory / "control.json"
        stale = self._read()
        self._seen = stale.id if stale else ""
        self._taken: set[str] = set()

    def take(self) -> Request | None:
        """Give the request that is new since the last look; None where there is none, or no sense in the file."""
        request = self._read()
        if request is None or request.id == self._seen:
            return None
        self._seen = request.id
        first = request.repeats or request.id
        if first in self._taken:
            return None
        self._taken.add(first)
        return request

    def _read(self) -> Request | None:
        try:
            request = msgspec.json.decode(read_regular(self._path, MAX_BYTES), type=Request)
        except (ValueError, OSError, RecursionError):
            return None
        texts = {name: clean_text(getattr(request, name), 64) for name in ("id", "by", "repeats")}
        return msgspec.structs.replace(request, **texts)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return clean_text(f"{user}@{socket.gethostname()}", 64)
