"""A run in words and numbers: lines of plain ASCII for a pipe, a log or a terminal. Pure functions of events."""

from collections.abc import Iterable, Sequence

from engines.events import EpochEnded, Parameter, Phase, RunFinished, RunStarted
from engines.runs import RunSummary
from engines.spec import RunSpec
from engines.text import clean_text
from tui.formats import count, duration, loss, percent, rate, shape

_AGES = ((86_400 * 365, "y"), (86_400, "d"), (3_600, "h"), (60, "min"))


def age(seconds: float) -> str:
    """Show how long ago something was, in its largest unit."""
    for size, unit in _AGES:
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return "just now"


def started_lines(event: RunStarted) -> list[str]:
    """Say what is trained, from which point, and where."""
    spec = event.spec
    done = f", {epochs_count(event.epochs_done)} done before" if event.epochs_done else ""
    return [
        f"{spec.title}: {epochs_count(spec.epochs)}{done}, {count(event.train_size)} images by {spec.batch_size}",
        f"{count(event.parameter_count)} parameters, on {event.device}",
    ]


def epoch_line(event: EpochEnded) -> str:
    """Say what an epoch came to."""
    width = len(str(event.epochs))
    held_out = event.validation_accuracy
    validation = "" if held_out is None else f"  validation {percent(held_out):>7}"
    return (
        f"epoch {event.epoch:>{width}}/{event.epochs}"
        f"  test {percent(event.test_accuracy):>7} loss {loss(event.test_loss):>6}"
        f"  train {percent(event.train_accuracy):>7} loss {loss(event.train_loss):>6}{validation}"
        f"  {duration(event.seconds)}  {rate(event.images_per_second, 'img')}"
    )


def epochs_count(number: int) -> str:
    """Give `1 epoch`, `5 epochs`."""
    return "1 epoch" if number == 1 else f"{number} epochs"


def summary_lines(event: RunFinished) -> list[str]:
    """Say what the run came to, over the whole sets; nothing of figures that it does not have."""
    lines = []
    if event.test_accuracy is not None:
        lines.append(f"test accuracy {percent(event.test_accuracy)}, test loss {loss(event.test_loss)}")
    if event.train_accuracy is not None:
        lines.append(f"train accuracy {percent(event.train_accuracy)}, train loss {loss(event.train_loss)}")
    if event.best_epoch is not None:
        lines.append(
            f"best epoch {event.best_epoch}, test accuracy {percent(event.best_test_accuracy)}, {chosen_on(event)}"
        )
    lines.append(f"{event.state} after {epochs_count(event.epochs)}, {duration(event.seconds)}")
    return lines


def chosen_on(event: RunFinished) -> str:
    """Say on which images the best epoch was chosen."""
    if event.chosen_on == "test":
        return "chosen on the test images"
    return f"chosen on held out images ({percent(event.best_validation_accuracy)})"


def phase_line(event: Phase) -> str:
    """Say how long a phase took."""
    return f"{event.name:<8}  {duration(event.seconds)}"


def parameter_lines(parameters: Sequence[Parameter]) -> list[str]:
    """Give the table of every tensor that is learned."""
    rows = [(p.name, shape(p.shape), count(p.count)) for p in parameters]
    total = ("total", "", count(sum(p.count for p in parameters)))
    return table(("parameter", "shape", "count"), [*rows, total], right=(2,))


def runs_lines(summaries: Iterable[RunSummary], now: float) -> list[str]:
    """Give the table of runs; `now` is in Unix seconds."""
    rows = [
        (
            run.run_id,
            run.state,
            f"{run.epochs_done}/{run.spec.epochs}" if run.spec else str(run.epochs_done),
            percent(run.best_test_accuracy),
            age(now - run.started) if run.started is not None else "-",
            what_is_trained(run.spec) if run.spec else "-",
        )
        for run in summaries
    ]
    return table(("run", "state", "epochs", "best", "began", "what"), rows, right=(2, 3))


def what_is_trained(spec: RunSpec) -> str:
    """Name framework, model and dataset, in words that are safe to show, whoever wrote the spec."""
    return clean_text(spec.title)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Align columns two spaces apart, those in `right` to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, *rows)
    ]
