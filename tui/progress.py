"""Progress bars for a run on a terminal: one for the run and one for what it is at, under the lines that stay."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

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
        self._console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
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
        self._step = self._progress.add_task("starting", total=None, detail="")
        self._progress.start()

    def begin(self, directory: Path) -> None:
        """See `Printer.begin`."""
        self._lines.begin(directory)

    def show(self, event: AnyEvent) -> None:
        """See `Printer.show`."""
        self._lines.show(event)
        match event:
            case RunStarted():
                self._run = self._progress.add_task(
                    "run", total=event.spec.epochs, completed=event.epochs_done, detail=""
                )
            case Phase(state="finished"):
                self._progress.update(self._step, total=None, detail="")
            case Phase():
                self._show_phase(event)
            case Batch():
                self._show_batch(event)
            case EpochEnded():
                self._progress.reset(self._step, total=None, description="testing", detail="")
            case RunFinished():
                self.close()

    def refresh(self, state: RunState) -> None:
        """See `Printer.refresh`."""
        if self._run is not None and state.spec:
            left = f", {clock(state.seconds_left)} left" if state.seconds_left is not None else ""
            detail = f"{state.position:.1f}/{state.spec.epochs} epochs{left}"
            self._progress.update(self._run, completed=state.position, detail=detail)
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
        self._progress.update(self._step, description=_WORDS[event.name], total=total, completed=done, detail=detail)

    def _show_batch(self, event: Batch) -> None:
        detail = (
            f"{event.step}/{event.steps_per_epoch}  loss {loss(event.loss)}"
            f"  accuracy {percent(event.accuracy)}  {rate(event.images_per_second, 'images')}"
        )
        self._progress.update(
            self._step,
            description=f"epoch {event.epoch}",
            total=event.steps_per_epoch,
            completed=event.step,
            detail=detail,
        )
