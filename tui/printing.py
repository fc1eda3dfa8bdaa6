"""What a command with no screen prints of a run's events: words, or the events themselves."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engines.event_line import encode_event
from engines.events import (
    AnyEvent,
    CheckpointSaved,
    ControlApplied,
    EpochEnded,
    Log,
    Phase,
    RunFinished,
    RunStarted,
    Unknown,
)
from engines.own_command import command
from engines.run_state import RunState
from engines.text import clean_text
from tui import plain
from tui.continuation import MORE_EPOCHS, command_to_go_on
from tui.streams import say, write_out


class Printer(Protocol):
    """Shows a run's events one after the other; raises `OutputRefused` where nobody takes what is printed."""

    def begin(self, directory: Path) -> None:
        """Say which run this is."""

    def show(self, event: AnyEvent) -> None:
        """Print `event`, or nothing where it says nothing to a reader of this kind."""

    def refresh(self, state: RunState) -> None:
        """Bring what stays on the screen up to `state`, their sum so far; called where there are new ones."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class PlainPrinter:
    """Lines of words: one at the start, one an epoch, a few at the end; with `verbose` phases and parameters too.

    Warnings go to `warn`, all else to `write`, both a line at a time.
    """

    def __init__(
        self, *, verbose: bool, write: Callable[[str], None] | None = None, warn: Callable[[str], None] = say
    ) -> None:
        self._verbose = verbose
        self._write = write or (lambda line: write_out(f"{line}\n"))
        self._warn = warn
        self._directory = Path()
        self._epochs_before = 0
        self._has_checkpoint = False

    def begin(self, directory: Path) -> None:
        """See `Printer.begin`."""
        self._directory = directory
        self._write(f"run {directory.name}")

    def show(self, event: AnyEvent) -> None:
        """See `Printer.show`."""
        match event:
            case RunStarted():
                self._epochs_before = event.epochs_done
                self._has_checkpoint |= event.epochs_done + event.steps_done > 0
                self._write_all(plain.started_lines(event))
                if self._verbose:
                    self._write_all(plain.parameter_lines(event.parameters))
            case Phase(state="finished") if self._verbose:
                self._write(plain.phase_line(event))
            case EpochEnded():
                self._write(plain.epoch_line(event))
            case CheckpointSaved():
                self._has_checkpoint = True
            case ControlApplied():
                by = f", asked by {event.by}" if event.by else ""
                value = "" if event.value is None else f" {event.value:g}"
                self._write(f"{event.action}{value}{by}")
            case Log(level="info" | "debug"):
                if self._verbose:
                    self._write(event.message)
            case Log():
                self._warn(f"{event.level}: {event.message}")
            case RunFinished():
                self._write_all(plain.summary_lines(event, plain.attempt_took(event, self._epochs_before)))
                self._write_all(self._hints(event))

    def refresh(self, state: RunState) -> None:
        """See `Printer.refresh`; in plain lines nothing stays."""

    def close(self) -> None:
        """See `Printer.close`."""

    def _hints(self, event: RunFinished) -> list[str]:
        again = command(self._directory.parent, "attach", self._directory.name)
        hints = [f"it lies in {clean_text(str(self._directory))}", f"see it again:  {again}"]
        if event.state == "completed" and self._has_checkpoint:
            more = command_to_go_on(self._directory, more_epochs=MORE_EPOCHS)
            hints.append(f"{MORE_EPOCHS} epochs more: {more}")
        return hints

    def _write_all(self, lines: list[str]) -> None:
        for line in lines:
            self._write(line)


class JsonPrinter:
    """The events, one JSON object a line as in `events.jsonl`, and nothing else."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def begin(self, directory: Path) -> None:
        """Say it on stderr, which is for words."""
        say(f"run {directory.name} in {clean_text(str(directory))}")

    def show(self, event: AnyEvent) -> None:
        """See `Printer.show`; of an event that we do not know there is nothing to repeat."""
        if not isinstance(event, Unknown):
            self._lines.append(encode_event(event).decode())

    def refresh(self, state: RunState) -> None:
        """Write what has gathered, in one go."""
        if self._lines:
            lines, self._lines = self._lines, []
            write_out("".join(lines))

    def close(self) -> None:
        """See `Printer.close`."""
