"""A run followed without a screen, from its first event to its exit code."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from signal import Signals

from engines.event_log import EventTail
from engines.events import AnyEvent
from engines.launch import Worker
from engines.problems import StorageProblem
from engines.run_reader import ALIVE, RunReader
from engines.run_state import RunState
from tui import outcome
from tui.interrupts import Interrupts
from tui.printing import Printer
from tui.streams import OutputRefused, give_up_stdout, say

POLL_SECONDS = 0.05
AT_ONCE_SECONDS = 3.0
"""How long a worker that was told twice to stop may take before it is killed; it gives itself half of that."""

LEAVE_SECONDS = 10.0
"""How long a worker may take to end after its last event."""


def train(worker: Worker, printer: Printer, interrupts: Interrupts) -> int:
    """Print a run of ours until its worker has ended, and give the exit code.

    The first INT or TERM is passed on, so that the worker saves a checkpoint and stops; the second too, which ends it
    at once. After HUP, and where nobody takes what is printed, the run goes on without us.
    """
    directory, process = worker.run_directory, worker.process
    state = RunState()
    tail = EventTail(directory / "events.jsonl", worker.offset)
    passed_on, kill_at, leave_at = 0, float("inf"), float("inf")
    try:
        with closing(printer), closing(tail):
            printer.begin(directory)
            for events in follow(tail, lambda: process.poll() is not None):
                _print(events, state, printer)
                if interrupts.hung_up:
                    return _let_go(directory, Signals.SIGHUP)
                while passed_on < interrupts.count and interrupts.first:
                    process.send_signal(interrupts.first)
                    passed_on += 1
                    kill_at = time.monotonic() + AT_ONCE_SECONDS if passed_on == 2 else kill_at
                if state.finished and leave_at == float("inf"):
                    leave_at = time.monotonic() + LEAVE_SECONDS
                if time.monotonic() > min(kill_at, leave_at):
                    process.kill()
    except OutputRefused as refusal:
        return _without_output(directory, refusal)
    return _end(directory, state, process.returncode, interrupts.first)


def watch(directory: Path, printer: Printer, interrupts: Interrupts) -> int:
    """Print a run that somebody else started, from its beginning until no worker has it, and give its exit code.

    INT, TERM and HUP let go of it; it goes on.
    """
    state = RunState()
    reader = RunReader(directory)
    tail = EventTail(directory / "events.jsonl")
    try:
        with closing(printer), closing(tail), closing(reader):
            printer.begin(directory)
            for events in follow(tail, lambda: _is_over(reader, state)):
                _print(events, state, printer)
                if signal := Signals.SIGHUP if interrupts.hung_up else interrupts.first:
                    return _let_go(directory, signal)
    except OutputRefused as refusal:
        return _without_output(directory, refusal)
    return _end(directory, state, None, None)


def follow(tail: EventTail, is_over: Callable[[], bool]) -> Iterator[list[AnyEvent]]:
    """Yield what is new about every `POLL_SECONDS`, also where it is nothing, until it is over and all is read."""
    while True:
        # Asked before reading: what was written before the end is then read for sure.
        over = is_over()
        events = tail.read()
        yield events
        if not tail.at_end:
            continue
        if over:
            return
        time.sleep(POLL_SECONDS)


def _is_over(reader: RunReader, state: RunState) -> bool:
    if reader.has_worker():
        return False
    # Nothing read yet and no worker: it may be about to start, which the reader tells from the directory's age.
    return state.last_time is not None or reader.status() not in ALIVE


def _print(events: list[AnyEvent], state: RunState, printer: Printer) -> None:
    for event in events:
        state.apply(event)
        printer.show(event)
    printer.refresh(state)


def _end(directory: Path, state: RunState, worker_exit: int | None, interrupt: Signals | None) -> int:
    if word := outcome.last_word(directory, state, worker_exit):
        say(word)
    stopped = state.finished is None or state.finished.state == "stopped"
    return 128 + interrupt if interrupt and stopped else outcome.exit_code(state)


def _let_go(directory: Path, signal: Signals) -> int:
    say(f"{signal.name}: run {directory.name} goes on; {_watch_hint(directory)}")
    return 128 + signal


def _without_output(directory: Path, refusal: OutputRefused) -> int:
    give_up_stdout()
    if refusal.is_closed:
        say(f"nobody reads stdout any more: run {directory.name} goes on; {_watch_hint(directory)}")
        return 0
    if refusal.is_hung_up:
        return _let_go(directory, Signals.SIGHUP)
    raise StorageProblem(refusal.message, f"Run {directory.name} goes on; {_watch_hint(directory)}") from refusal


def _watch_hint(directory: Path) -> str:
    return f"watch it with `{outcome.command(directory.parent, 'attach', directory.name)}`."
