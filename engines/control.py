"""The way back to a live run: `control.json`, the latest thing asked of it, replaced atomically by whoever asks.

Between two looks of the worker several may ask. So a request brings along, as `earlier`, what it replaces: nobody has
to wait for anybody, and a program that knows nothing of `earlier` is understood all the same.
"""

import fcntl
import getpass
import os
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from engines.atomic_file import write_atomically
from engines.problems import StorageProblem
from engines.regular_file import read_regular
from engines.text import clean_text

Action = Literal["pause", "resume", "stop", "stop-now", "lr", "checkpoint", "epochs"]
STOPS = frozenset({"stop", "stop-now"})
MAX_BYTES = 4096
POLL_SECONDS = 0.1
"""How often a worker looks; a request is in force within 250 ms."""

_LOCK_TRIES, _LOCK_SECONDS = 20, 0.005
"""Another asker holds the folder for less than a millisecond; one that was halted there is not waited for."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One thing asked of a run; `value` is the new rate where `action` is `lr`, how many more where it is `epochs`.

    One that was not answered may be made again: it has an id of its own, and `repeats` has that of the first.
    """

    id: str
    action: Action
    value: float | None = None
    by: str = ""
    repeats: str = ""


class _Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the file: a request, whose id another program may count, and those that it replaced, oldest first."""

    id: str | int
    action: Action
    value: float | None = None
    by: str = ""
    repeats: str = ""
    earlier: tuple[Request, ...] = ()


def ask(run_directory: Path, action: Action, value: float | None = None, *, repeats: str = "") -> Request:
    """Leave a request for the run's worker and give it back; raises `StorageProblem` where it cannot be written."""
    request = Request(id=os.urandom(8).hex(), action=action, value=value, by=_who(), repeats=repeats)
    path = run_directory / "control.json"
    try:
        with _alone(run_directory):
            earlier = [replaced for replaced in _read(path) if not repeats or replaced.repeats != repeats]
            write_atomically(path, _encode(request, earlier))
    except OSError as error:
        raise StorageProblem(
            f"cannot write to {run_directory}: {error.strerror}.", "Check the disk and who owns the folder."
        ) from error
    return request


class Inbox:
    """A worker's side: each request comes out once and in the order asked, however often it is made again.

    What lay there before this attempt never does.
    """

    def __init__(self, run_directory: Path) -> None:
        self._path = run_directory / "control.json"
        self._stale = {request.id for request in _read(self._path)}
        self._taken: set[str] = set()
        self._waiting: deque[Request] = deque()

    def take(self) -> Request | None:
        """Give the first request that was not given yet; None where there is none, or no sense in the file."""
        for request in _read(self._path):
            first = request.repeats or request.id
            if request.id not in self._stale and first not in self._taken:
                self._taken.add(first)
                self._waiting.append(request)
        return self._waiting.popleft() if self._waiting else None


def _read(path: Path) -> list[Request]:
    """Give what is asked in the file, oldest first; nothing where it makes no sense."""
    try:
        letter = msgspec.json.decode(read_regular(path, MAX_BYTES), type=_Letter)
    except (ValueError, OSError, RecursionError):
        return []
    return [*map(_cleaned, letter.earlier), _cleaned(letter)]


def _cleaned(request: Request | _Letter) -> Request:
    texts = {name: clean_text(str(getattr(request, name)), 64) for name in ("id", "by", "repeats")}
    return Request(action=request.action, value=request.value, **texts)


def _encode(request: Request, earlier: list[Request]) -> bytes:
    """Give the file's bytes: as many of the newest of `earlier` as there is room for, some twenty."""
    fields = msgspec.structs.asdict(request)
    while True:
        data = msgspec.json.encode(_Letter(**fields, earlier=tuple(earlier))) + b"\n"
        if len(data) <= MAX_BYTES or not earlier:
            return data
        earlier = earlier[1:]


@contextmanager
def _alone(run_directory: Path) -> Iterator[None]:
    """Keep other askers out, so that none replaces what it has not read; raises OSError where there is no folder."""
    folder = os.open(run_directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOCK_SECONDS)
                continue
            except OSError:
                pass  # A file system without such locks: an asker in the same instant may be overwritten.
            break
        yield
    finally:
        os.close(folder)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return clean_text(f"{user}@{socket.gethostname()}", 64)
