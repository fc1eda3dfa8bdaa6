"""Progress bars for a run on a terminal: one for the run and one for what it is at, under the lines that stay."""

import os
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from engines import outlook
from engines.events import AnyEvent, Batch, EpochEnded, Phase, RunFinished, RunStarted
from engines.run_state import RunState
from tui.formats import clock, loss, percent, rate, size
from tui.printing import PlainPrinter
from tui.streams import OutputRefused

_WORDS = {
    "import": "importing the framework",
    "data": "reading the dataset",
    "build": "building the model",
    "train": "training",
    "save": "saving",
    "evaluate": "evaluating",
}


class ProgressPrinter:
    """The lines of `PlainPrinter`, above bars that move; all writing is done by the thread that calls."""

    def __init__(self, *, verbose: bool) -> None:
        self._console = _open_console()
        self._lines = PlainPrinter(verbose=verbose, write=self._print, warn=self._print)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[detail]}"),
            console=self._console,
            auto_refresh=False,
            transient=True,
        )
        self._run: TaskID | None = None
        self._step: TaskID | None = None
        self._progress.start()
        self._console.show_cursor()  # Rich hides it; after Ctrl-Z, or a kill, it would stay hidden.

    def begin(self, directory: Path) -> None:
        """See `Printer.begin`."""
        self._lines.begin(directory)

    def show(self, event: AnyEvent) -> None:
        """See `Printer.show`."""
        self._lines.show(event)
        match event:
            case RunStarted():
                if self._run is None:
                    self._run = self._progress.add_task("run", total=1, detail="")
            case Phase(state="finished") | EpochEnded():
                self._show_step("")
            case Phase():
                self._show_phase(event)
            case Batch():
                self._show_batch(event)
            case RunFinished():
                self._clear()

    def refresh(self, state: RunState) -> None:
        """See `Printer.refresh`."""
        if self._run is not None and state.spec:
            seconds = outlook.seconds_left(state)
            left = f", {clock(seconds)} left" if seconds is not None else ""
            detail = f"{state.position:.1f}/{outlook.epochs_in_all(state)} epochs{left}"
            self._progress.update(self._run, completed=outlook.part_done(state), detail=detail)
        try:
            self._progress.refresh()
        except OSError as error:
            raise OutputRefused(error) from error

    def close(self) -> None:
        """See `Printer.close`."""
        try:
            self._progress.stop()
        except OSError as error:
            raise OutputRefused(error) from error

    def _print(self, line: str) -> None:
        try:
            self._console.print(line)
        except OSError as error:
            raise OutputRefused(error) from error

    def _show_phase(self, event: Phase) -> None:
        done, total = event.done, event.total
        if event.unit == "bytes" and total:
            detail = f"{size(done)} of {size(total)}"
        else:
            detail = f"{done}/{total} {event.unit}" if total else ""
        self._show_step(_WORDS[event.name], done, total, detail)

    def _show_batch(self, event: Batch) -> None:
        detail = (
            f"{event.step}/{event.steps_per_epoch}  loss {loss(event.loss)}"
            f"  accuracy {percent(event.accuracy)}  {rate(event.images_per_second, 'images')}"
        )
        self._show_step(f"epoch {event.epoch}", event.step, event.steps_per_epoch, detail)

    def _show_step(self, description: str, done: int = 0, total: int | None = None, detail: str = "") -> None:
        if self._step is None:
            self._step = self._progress.add_task(description, total=total, detail=detail)
        self._progress.update(self._step, description=description, total=total, completed=done, detail=detail)

    def _clear(self) -> None:
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._run = self._step = None


def _open_console() -> Console:
    for name in ("COLUMNS", "LINES"):
        if not os.environ.get(name, "").strip("0"):  # Rich takes a size of 0 at its word, and shows nothing at all.
            os.environ.pop(name, None)
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
