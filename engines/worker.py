"""The worker process: takes an order on stdin, holds the run's lock, trains, and tells of it in the run's directory.

`python -m engines.worker [--preload FRAMEWORK]`; `launch` has the order and the answer. One that preloads says by an
empty line that it has.
"""

import contextlib
import os
import select
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

import msgspec

from engines import run_lock
from engines.control import Inbox
from engines.engine_import import import_engine
from engines.event_writer import EventWriter
from engines.launch import Answer, Order, Prepare
from engines.post_mortem import ATTEMPT_MARK
from engines.problems import Problem, StorageProblem
from engines.regular_file import open_to_append
from engines.run_reader import RunReader

if TYPE_CHECKING:
    from engines.preparation import Preparation

_decoder = msgspec.json.Decoder(Order | Prepare)


def main() -> int:
    """Carry out one order; gives the exit code that a command in front of this run ends with."""
    answers = _keep_for_answers(1)
    if sys.argv[1:2] == ["--preload"]:
        _preload(sys.argv[2])
        _tell(answers, b"\n")
    order, preparation = _take_order(0)
    if order is None:
        return 0  # Whoever prepared this spare is gone, or does not need it.
    directory = Path(order.run_directory)
    try:
        lock = run_lock.acquire(directory / "lock")  # Held until this process ends, however it ends.
        inbox = Inbox(directory)  # From the lock on we are asked things, and that is long before anything is imported.
        with _open_log(directory) as log:
            code = _attempt(directory, order, lock, inbox, log=log, answers=answers, preparation=preparation)
    except Problem as problem:
        _answer(answers, Answer(error=problem.kind, message=problem.message, hint=problem.hint))
        return problem.exit_code
    return code


def _take_order(stdin: int) -> tuple[Order | None, "Preparation | None"]:
    """Get ready for each spec that is told, until the order comes; None where it never does."""
    preparation = None
    # Without a buffer, so that a look at the descriptor tells whether there is more.
    with open(stdin, "rb", buffering=0, closefd=False) as lines:
        for line in iter(lines.readline, b""):
            told = _decoder.decode(line)
            if isinstance(told, Order):
                return told, preparation
            from engines.preparation import Preparation

            preparation = preparation or Preparation()
            preparation.prepare(told.spec, lambda: bool(select.select([stdin], [], [], 0)[0]))
    return None, None


def _attempt(
    directory: Path,
    order: Order,
    lock: int,
    inbox: Inbox,
    *,
    log: TextIO,
    answers: int,
    preparation: "Preparation | None",
) -> int:
    # numpy and the rest are worth their time only once the lock is ours.
    from engines.attempt import Attempt
    from engines.preparation import Preparation
    from engines.requests import Requests
    from engines.standing import Standing

    requests = Requests(inbox, directory / "lock", lock, log)
    writer = _open_events(directory)
    reader = RunReader(directory, exact=True)
    earlier = reader.read_all()
    reader.close()
    writer.next_seq = earlier.next_seq
    standing = Standing(directory, earlier, order)
    _answer(answers, Answer(attempt=standing.attempt, offset=writer.size()))
    with contextlib.suppress(OSError):  # A full disk does not keep anyone from training.
        os.write(log.fileno(), f"{ATTEMPT_MARK}{standing.attempt}, process {os.getpid()}\n".encode())
    _leave_streams(log, answers)
    return Attempt(standing, writer, requests, log, preparation or Preparation()).run()


def _preload(framework: str) -> None:
    """Import what an attempt will need; no run's log can take its words yet, so they go nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nothing, contextlib.redirect_stderr(nothing):
        import_module("engines.attempt")
        with contextlib.suppress(Exception):  # The attempt meets it again, and says so.
            import_engine(framework)


def _open_events(directory: Path) -> EventWriter:
    try:
        return EventWriter(directory / "events.jsonl")
    except OSError as error:
        raise _cannot_write(directory / "events.jsonl", error) from error


def _open_log(directory: Path) -> TextIO:
    path = directory / "worker.log"
    try:
        fd = open_to_append(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    return os.fdopen(fd, "w", encoding="utf-8", errors="replace", buffering=1)


def _cannot_write(path: Path, error: OSError) -> StorageProblem:
    return StorageProblem(f"cannot write {path}: {error.strerror}.", "Check the disk, and who owns the folder.")


def _keep_for_answers(stdout: int) -> int:
    """Give a descriptor of stdout that nobody else knows; what frameworks print there as they load goes to stderr."""
    answers = os.dup(stdout)
    os.dup2(2, stdout)
    return answers


def _answer(answers: int, answer: Answer) -> None:
    _tell(answers, msgspec.json.encode(answer) + b"\n")


def _tell(answers: int, line: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # Whoever asked is gone; the run is not theirs alone.
        os.write(answers, line)


def _leave_streams(log: TextIO, answers: int) -> None:
    """Let go of the launcher's pipes and the terminal: what is printed from here on goes to `worker.log`."""
    os.close(answers)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)


def _leave(code: int) -> NoReturn:
    """End at once: all that is to last is written, and to take a framework down would be half a second and more."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # Both go to the log by now, and its disk may be full.
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
