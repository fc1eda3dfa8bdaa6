"""A run followed without a screen, from its first event to its exit code."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from math import inf
from pathlib import Path
from signal import Signals

from engines import run_lock
from engines.event_tail import EventTail
from engines.events import AnyEvent
from engines.launch import Worker, patience_with
from engines.own_command import command
from engines.run_reader import ALIVE, RunReader
from engines.run_state import RunState
from tui import outcome
from tui.catch_up import catch_up
from tui.interrupts import Interrupts
from tui.printing import JsonPrinter, PlainPrinter, Printer
from tui.streams import OutputRefused, give_up_stdout, say, tell_of_refusal
from tui.terminal import can_draw

POLL_SECONDS = 0.1


def choose_printer(*, as_json: bool, verbose: bool) -> Printer:
    """Give the printer for this process's stdout: bars on a terminal, plain lines elsewhere, or events."""
    if as_json:
        return JsonPrinter()
    if can_draw(sys.stdout):
        # Imported here: scripts have no use for it, and should not wait for it.
        from tui.progress import ProgressPrinter

        return ProgressPrinter(verbose=verbose)
    return PlainPrinter(verbose=verbose)


def train(worker: Worker, printer: Printer, interrupts: Interrupts) -> int:
    """Print a run of ours until its worker has ended, and give the exit code.

    The first INT or TERM is passed on, so that the worker saves a checkpoint and stops; the second too, which ends it
    at once. After HUP, and where nobody takes what is printed, the run goes on without us.
    """
    directory, process = worker.run_directory, worker.process
    state = RunState()
    tail = EventTail(directory / "events.jsonl", worker.offset)
    give_up_at = inf
    interrupts.pass_on_to(process.send_signal)
    try:
        with closing(printer), closing(tail):
            printer.begin(directory)
            for events in follow(tail, lambda: process.poll() is not None):
                _print_unless_interrupted(events, state, printer, interrupts)
                if interrupts.hung_up:
                    return _let_go(directory, Signals.SIGHUP)
                patience = patience_with(interrupts.count, is_finished=state.finished is not None)
                give_up_at = min(give_up_at, time.monotonic() + patience)
                if time.monotonic() > give_up_at:
                    process.kill()
    except OutputRefused as refusal:
        return without_output(directory, refusal)
    return _end(directory, state, process.returncode, interrupts.first)


def watch(directory: Path, printer: Printer, interrupts: Interrupts, *, every_event: bool) -> int:
    """Print a run that somebody else started, from its beginning until no worker has it, and give its exit code.

    Without `every_event`, what a later attempt had replaced before we came is left out. INT, TERM and HUP let go of
    the run; it goes on.
    """
    state = RunState()
    reader = RunReader(directory)
    tail = EventTail(directory / "events.jsonl")
    try:
        with closing(printer), closing(tail), closing(reader):
            printer.begin(directory)
            if not every_event:
                _show(catch_up(tail, state), state, printer)
            for events in follow(tail, lambda: _is_over(reader, state)):
                _print(events, state, printer)
                if signal := Signals.SIGHUP if interrupts.hung_up else interrupts.first:
                    return _let_go(directory, signal)
    except OutputRefused as refusal:
        return without_output(directory, refusal)
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
    # All are counted before any is printed, which may fail.
    for event in events:
        state.apply(event)
    _show(events, state, printer)


def _show(events: list[AnyEvent], state: RunState, printer: Printer) -> None:
    for event in events:
        printer.show(event)
    if events:
        printer.refresh(state)


def _print_unless_interrupted(
    events: list[AnyEvent], state: RunState, printer: Printer, interrupts: Interrupts
) -> None:
    try:
        _print(events, state, printer)
    except OutputRefused:
        if not interrupts.first:
            raise
        # A Ctrl-C that ended our reader too: what it asked of the run is still to be seen through.
        give_up_stdout()


def _end(directory: Path, state: RunState, worker_exit: int | None, interrupt: Signals | None) -> int:
    if word := outcome.last_word(directory, state, worker_exit):
        say(word)
    stopped = state.finished is None or state.finished.state == "stopped"
    return 128 + interrupt if interrupt and stopped else outcome.exit_code(state, worker_exit)


def _let_go(directory: Path, signal: Signals) -> int:
    say(f"{signal.name}: run {directory.name} goes on; {_watch_hint(directory)}")
    return 128 + signal


def without_output(directory: Path, refusal: OutputRefused) -> int:
    """Let go of a run, of which nobody takes what is printed, and give the exit code.

    Raises `refusal` where it has ended, `StorageProblem` where it goes on and somebody should know.
    """
    give_up_stdout()
    if refusal.is_hung_up:
        return _let_go(directory, Signals.SIGHUP)
    if run_lock.holder(directory / "lock") is None:
        raise refusal
    tell_of_refusal(refusal, f"run {directory.name} goes on; {_watch_hint(directory)}")
    return 0


def _watch_hint(directory: Path) -> str:
    return f"watch it with `{command(directory.parent, 'attach', directory.name)}`."
