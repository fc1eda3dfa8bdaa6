"""Starting a run's worker: a process in a session of its own that takes its order on stdin and answers on stdout."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path

import msgspec

from engines.models import MODELS
from engines.problems import PROBLEMS, Problem, StorageProblem, WorkerDied
from engines.regular_file import open_to_append
from engines.runs import RunStore, check_can_be_told, read_spec
from engines.spec import RunSpec
from engines.tensorflow_threads import threads_for
from engines.worker_log import last_log_lines

ANSWER_SECONDS = 60.0
AT_ONCE_SECONDS = 3.0
"""How long a worker that was told twice to stop may take before it is killed; it gives itself half of that."""

LEAVE_SECONDS = 10.0
"""How long a worker may take to end after its last event."""


class Prepare(msgspec.Struct, frozen=True, tag="prepare"):
    """What a spare worker may be told before its order: that a run of `spec` is likely."""

    spec: RunSpec


class Order(msgspec.Struct, frozen=True, kw_only=True, tag="order"):
    """What a worker is told on stdin: the run's directory, and whether to go on with it.

    `more_epochs` counts from those done, `more_seconds` of training from those spent; None for both is what the run
    still lacks of what it asked for. `device` is the GPU to take where the run leaves the choice to us; where the
    framework does not find it, the choice is the worker's.
    """

    run_directory: str
    go_on: bool = False
    more_epochs: int | None = None
    more_seconds: float | None = None
    device: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says once it holds the run's lock, or why it does not.

    `offset` is the byte of `events.jsonl` where this attempt's events begin. `error` is a key of `PROBLEMS`.
    """

    attempt: int = 0
    offset: int = 0
    error: str = ""
    message: str = ""
    hint: str = ""


@dataclass
class Worker:
    """A worker process of ours; `attempt` and `offset` say which events of the run's file are its own."""

    run_directory: Path
    process: subprocess.Popen[bytes]
    attempt: int
    offset: int


class Spare:
    """A worker that has imported a framework and waits for an order; it ends by itself when we do."""

    def __init__(self, framework: str) -> None:
        self.framework = framework
        self.process = _spawn("--preload", framework)
        self._settings: set[object] = set()

    def prepare(self, spec: RunSpec) -> None:
        """Have it read the dataset of `spec` and make an engine ready, in the place of what it had ready before."""
        self._settings.add(_process_settings(spec))
        assert self.process.stdin
        with suppress(BrokenPipeError):  # It is gone; whoever wants to use it will see.
            os.write(self.process.stdin.fileno(), msgspec.json.encode(Prepare(spec)) + b"\n")

    def fits(self, spec: RunSpec) -> bool:
        """Tell whether it can train a run of `spec`, be it that this takes a moment longer than what it prepared."""
        return self.framework == spec.framework and self._settings <= {_process_settings(spec)} and self.is_alive()

    def is_alive(self) -> bool:
        """Tell whether it can still be given an order."""
        return self.process.poll() is None

    def is_ready(self) -> bool:
        """Tell whether it has imported its framework, so that an order is answered at once."""
        assert self.process.stdout
        return bool(select.select([self.process.stdout], [], [], 0)[0])

    def end(self) -> None:
        """End it now; it has nothing to lose."""
        with self.process:  # Its pipes are closed, and its end is waited for.
            self.process.kill()


def spare_if_room(framework: str) -> Spare | None:
    """Start a spare for `framework`; None where none can be started."""
    # That is no trouble yet; where it is still so, the run itself will say it.
    with suppress(Problem):
        return Spare(framework)
    return None


def start(store: RunStore, spec: RunSpec, spare: Spare | None = None, *, device: str = "") -> Worker:
    """Make a run of `spec` in `store` and start its worker, on `device`; returns once it holds the run's lock.

    A `spare` is used or ended, here and in `begin` and `go_on`. Raises `UsageProblem` where fields make no sense
    together, `StorageProblem` where the run cannot be made, `WorkerDied` where its worker does not come up.
    """
    with _used_or_ended(spare):
        return begin(store.create(spec), spare, device=device)


def begin(directory: Path, spare: Spare | None = None, *, device: str = "") -> Worker:
    """Start the first attempt of a run whose directory is made.

    Raises `RunBusy` where it has begun, `StorageProblem` and `WorkerDied` as `start` does.
    """
    with _used_or_ended(spare):
        return _give_order(Order(run_directory=str(directory), device=device), read_spec(directory), spare)


def go_on(
    directory: Path,
    more_epochs: int | None = None,
    *,
    more_seconds: float | None = None,
    spare: Spare | None = None,
    device: str = "",
) -> Worker:
    """Start the next attempt of a run from its last whole checkpoint, for as much more as is said; see `Order`.

    Raises `RunBusy` where it has a worker, `CheckpointProblem` where there is nothing to go on from, `UsageProblem`
    where there is nothing to do or the name of its folder cannot be told as text, the others as `begin` does.
    """
    order = Order(
        run_directory=str(directory), go_on=True, more_epochs=more_epochs, more_seconds=more_seconds, device=device
    )
    with _used_or_ended(spare):
        check_can_be_told(directory)
        return _give_order(order, read_spec(directory), spare)


@contextmanager
def _used_or_ended(spare: Spare | None) -> Iterator[None]:
    try:
        yield
    except Problem:
        if spare:
            spare.end()
        raise


def _give_order(order: Order, spec: RunSpec | None, spare: Spare | None) -> Worker:
    directory = Path(order.run_directory)
    fits = spare is not None and spec is not None and spare.fits(spec)
    process = spare.process if spare and fits else _spawn(log=directory / "worker.log")
    if spare and not fits:
        spare.end()
    assert process.stdin and process.stdout
    try:
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        process.stdin.close()
    except BrokenPipeError:
        pass  # It is gone already; the missing answer below says so.
    answer = _read_answer(process, directory)
    process.stdout.close()
    if answer.error:
        process.wait()
        raise _as_problem(answer)
    return Worker(directory, process, answer.attempt, answer.offset)


def _process_settings(spec: RunSpec) -> object:
    """Give what a framework takes once for its whole process, so that a spare is of no use for other settings."""
    if spec.framework != "tensorflow" or spec.model not in MODELS:
        return None
    return spec.device, spec.gpu_memory_limit, threads_for(MODELS[spec.model].layers(spec.framework), spec)


def _spawn(*arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
    # -P: a file named like a library in the folder where a person stands must not be imported.
    command = [sys.executable, "-P", "-m", "engines.worker", *arguments]
    try:
        stderr = open_to_append(log) if log else None
    except OSError as error:
        raise StorageProblem(f"cannot write {log}: {error.strerror}.", "Check the disk and its owner.") from error
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if stderr is None else stderr,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    except OSError as error:
        raise WorkerDied(f"no worker could be started: {error.strerror}.", "Free some memory or processes.") from error
    finally:
        if stderr is not None:
            os.close(stderr)


def _read_answer(process: subprocess.Popen[bytes], directory: Path) -> Answer:
    assert process.stdout
    until, line = time.monotonic() + ANSWER_SECONDS, b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not piece:
            process.kill()
            how = describe_exit(process.wait())
            raise WorkerDied(f"the worker of {directory.name} did not come up: {how}.", _last_words(directory))
        line = (line + piece).lstrip(b"\n")  # The empty line of a spare that is ready.
    try:
        return msgspec.json.decode(line, type=Answer)
    except ValueError as error:
        process.kill()
        process.wait()
        raise WorkerDied(f"the worker of {directory.name} gave no answer of ours: {line!r}.") from error


def patience_with(stops: int, *, is_finished: bool) -> float:
    """Give the seconds after which a worker is killed that was told to stop so many times, or told that it is finished.

    It is without end while it may still be at work.
    """
    if stops > 1:
        return AT_ONCE_SECONDS
    return LEAVE_SECONDS if is_finished else inf


def describe_exit(code: int) -> str:
    """Say how a process ended, from its return code (negative for a signal)."""
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        return f"it was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was killed by signal {-code}"


def _last_words(directory: Path) -> str:
    lines = last_log_lines(directory, 1)
    return f"Its last words: {lines[0]}" if lines else f"See {directory / 'worker.log'}."


def _as_problem(answer: Answer) -> Problem:
    return PROBLEMS.get(answer.error, Problem)(answer.message, answer.hint)
