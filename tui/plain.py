"""A run in words and numbers: lines of plain ASCII for a pipe, a log or a terminal. Pure functions of events."""

from collections.abc import Iterable, Sequence

from msgspec import UNSET

from engines.events import EpochEnded, Parameter, Phase, RunFinished, RunStarted
from engines.recipes import DECIDED, recipe_fields
from engines.runs import RunSummary
from engines.spec import RunSpec
from engines.text import clean_text
from tui.formats import ago, count, counted, duration, loss, number, percent, rate, shape, span

COLUMNS = 80
"""A terminal that is not wider does not break a line of an epoch in two."""

_SELDOM_ASKED = ("validation", "patience", "target_accuracy", "gpu_memory_limit", "on_nan")
_SAID_WITH_ALL_ELSE = ("epochs", "precision", "batch_size", "lr")


def started_lines(event: RunStarted) -> list[str]:
    """Say what is trained, from which point, and where."""
    spec = event.spec
    done = f", {counted(event.epochs_done, 'epoch')} done before" if event.epochs_done else ""
    return [
        f"{spec.title}: {length_of(spec)}{done}, {count(event.train_size)} images by {spec.batch_size}",
        f"{count(event.parameter_count)} parameters, on {event.device}",
    ]


def epoch_line(event: EpochEnded) -> str:
    """Say what an epoch came to, accuracy and loss: what there is no room for at the end is left out in all its run."""
    width = len(str(event.epochs))
    line = (
        f"epoch {event.epoch:>{width}}/{event.epochs}"
        f"  test {_aligned(event.test_accuracy)} {loss(event.test_loss):>6}"
        f"  train {_aligned(event.train_accuracy)} {loss(event.train_loss):>6}"
    )
    if event.validation_accuracy is not None:
        line += f"  val {_aligned(event.validation_accuracy)}"
    last = rate(event.images_per_second, "img") if event.part is UNSET else f"{percent(event.part, 0)} of it"
    for figure, room in ((duration(event.seconds), 7), (last, 13)):
        if len(line.rstrip()) + 2 + room > COLUMNS:
            break
        line += f"  {figure:<{room}}"
    return line.rstrip()


def _aligned(fraction: float | None) -> str:
    """Give a fraction in percent in seven columns, all of it included."""
    return f"{percent(fraction, 1 if fraction == 1 else 2):>7}"


def length_of(spec: RunSpec) -> str:
    """Say how long a run is to be: `5 epochs`, `60s of training`, `5 epochs or 60s of training`."""
    asked = [counted(spec.epochs, "epoch")] if spec.epochs else []
    return " or ".join([*asked, f"{span(spec.budget)} of training"] if spec.budget else asked)


def wishes_of(spec: RunSpec) -> list[str]:
    """Say what is asked beyond what most runs are asked, and its recipe says: `validation 5000`, `one-cycle`."""
    parts = [name for name in DECIDED if name not in _SAID_WITH_ALL_ELSE]
    usual = {name: getattr(RunSpec(), name) for name in _SELDOM_ASKED}
    usual |= recipe_fields(spec.recipe, spec.dataset, spec.budget)
    wishes = {name: getattr(spec, name) for name in (*_SELDOM_ASKED, *parts)}
    return [wish(name, value) for name, value in wishes.items() if value != usual[name]]


def wish(name: str, value: float | str | None) -> str:
    """Say what a field of a spec asks for: `no flip`, `one-cycle`, `label smoothing 0.1`."""
    words = name.replace("_", " ")
    if isinstance(value, bool) or value is None:
        return words if value else f"no {words}"
    if name in ("optimizer", "schedule"):
        return str(value)
    return f"{words} {number(value) if isinstance(value, float) else value}"


def done_of(run: RunSummary) -> str:
    """Give how many epochs are done, of how many or in what time: `3/5`, `14/60s`."""
    spec = run.spec
    if spec is None:
        return str(run.epochs_done)
    return f"{run.epochs_done}/{span(spec.budget) if spec.budget else spec.epochs}"


def summary_lines(event: RunFinished, took: str) -> list[str]:
    """Say what the run came to, over the whole sets, and what it `took`; nothing of figures that it does not have."""
    lines = []
    if event.test_accuracy is not None:
        lines.append(f"test accuracy {percent(event.test_accuracy)}, test loss {loss(event.test_loss)}")
    if event.train_accuracy is not None:
        lines.append(f"train accuracy {percent(event.train_accuracy)}, train loss {loss(event.train_loss)}")
    if event.best_epoch is not None:
        lines.append(
            f"best epoch {event.best_epoch}, test accuracy {percent(event.best_test_accuracy)}, {chosen_on(event)}"
        )
    lines.append(f"{event.state} after {counted(event.epochs, 'epoch')}, {took}")
    return lines


def attempt_took(event: RunFinished, epochs_before: int) -> str:
    """Say what the attempt that ends took, before which so many epochs were done."""
    took = duration(event.seconds)
    return f"{event.epochs - epochs_before} of them in {took}" if epochs_before else took


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
    """Give the table of runs; `now` is in Unix seconds. Names and tags are in it where some run has any."""
    rows = [
        (
            run.run_id,
            run.state,
            done_of(run),
            percent(run.best_test_accuracy),
            ago(now - run.started) if run.started is not None else "-",
            what_is_trained(run.spec) if run.spec else "-",
            " ".join(filter(None, (run.name, tags_in_words(run.tags)))),
        )
        for run in summaries
    ]
    heads = ("run", "state", "epochs", "best", "began", "what", "name")
    columns = len(heads) if any(row[-1] for row in rows) else len(heads) - 1
    return table(heads[:columns], [row[:columns] for row in rows], right=(2, 3))


def tags_in_words(tags: Iterable[str]) -> str:
    """Give tags as they are typed: `#fast #keep`."""
    return " ".join(f"#{tag}" for tag in tags)


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
