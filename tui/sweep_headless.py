"""A sweep without a screen: a line for each run as it ends, then the table; or objects, one a line."""

import time
from signal import Signals
from typing import Protocol

import msgspec

from engines.problems import STOPPED_EXIT_CODE
from engines.run_reader import ALIVE
from engines.runs import RunSummary
from engines.spec import RunSpec
from engines.sweep import Group, Sweep
from engines.sweep_driver import Ended, SweepDriver
from engines.sweep_progress import SweepProgress
from engines.text import clean_value
from tui import plain
from tui.formats import counted, duration, percent, spread
from tui.interrupts import Interrupts
from tui.streams import OutputRefused, give_up_stdout, say, tell_of_refusal, write_out

POLL_SECONDS = 0.1
_FAILED_EXIT_CODE = 1


class SweepPrinter(Protocol):
    """Shows what a sweep comes to; raises `OutputRefused` where nobody takes what is printed."""

    def show(self, ended: Ended) -> None:
        """Print a run that has ended."""

    def show_groups(self, groups: list[Group]) -> None:
        """Print what all runs together came to."""


class PlainPrinter:
    """A line for each run, and a table."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def show(self, ended: Ended) -> None:
        """See `SweepPrinter.show`."""
        what, row = _describe(ended.spec, self._sweep), ended.row
        if ended.reason:
            say(f"{what}: {ended.reason}")
        if row is None:
            return
        if row.state == "completed":
            result = f"{percent(row.test_accuracy)} in {duration(row.seconds)}"
        else:
            result = f"{row.state} elsewhere, and goes on" if row.state in ALIVE else row.state
        write_out(f"{what}: {result}{'' if ended.is_new else ' (was there)'}\n")

    def show_groups(self, groups: list[Group]) -> None:
        """See `SweepPrinter.show_groups`."""
        write_out("\n" + "".join(f"{line}\n" for line in group_lines(groups)))


class JsonPrinter:
    """A JSON object a line; what a person should know goes to stderr."""

    def show(self, ended: Ended) -> None:
        """See `SweepPrinter.show`."""
        if ended.reason:
            say(f"{ended.row.run_id if ended.row else plain.what_is_trained(ended.spec)}: {ended.reason}")
        write_out(run_line(ended.row) if ended.row else _unbegun_line(ended.spec))

    def show_groups(self, groups: list[Group]) -> None:
        """See `SweepPrinter.show_groups`."""
        write_out("".join(msgspec.json.encode(group).decode() + "\n" for group in groups))


def run_line(row: RunSummary, **known: object) -> str:
    """Give a run as JSON in a line, `known` in the place of what the row says."""
    return msgspec.json.encode(clean_value({"type": "run", **msgspec.to_builtins(row), **known})).decode() + "\n"


def _unbegun_line(spec: RunSpec) -> str:
    """Give a run that could not even be made: it has no id and no directory."""
    row = RunSummary(run_id="", state="failed", spec=spec, attempt=0, epochs_done=0, directory="")
    return run_line(row, run_id=None, directory=None)


def choose_printer(sweep: Sweep, *, as_json: bool) -> SweepPrinter:
    """Give the printer for what was asked."""
    return JsonPrinter() if as_json else PlainPrinter(sweep)


def train(driver: SweepDriver, printer: SweepPrinter, stopped_by: Signals | None = None) -> int:
    """Train what is missing of a sweep to its end, print what it comes to, and give the exit code.

    The first INT or TERM has the runs stop with a checkpoint, the second at once; `stopped_by` is one that came before.
    After HUP, and where nobody takes what is printed, the runs in training go on without us.
    """
    with Interrupts() as interrupts:
        interrupts.pass_on_to(driver.stop)
        try:
            while not _is_over(driver, printer, interrupts):
                if interrupts.hung_up:
                    return let_go(driver)
                time.sleep(POLL_SECONDS)
        except OutputRefused as refusal:
            if refusal.is_hung_up:
                return let_go(driver)
            if not driver.progress.training:
                raise
            tell_of_refusal(refusal, _going_on(driver))
            return 0
        signal = interrupts.first or stopped_by
    try:
        show_table(driver, printer)
    except OutputRefused:
        if not signal:
            raise
        give_up_stdout()
    code = exit_code(driver.progress, len(driver.sweep.specs), signal)
    if code not in (0, _FAILED_EXIT_CODE):
        say("the same command goes on where this one was.")
    return code


def show_table(driver: SweepDriver, printer: SweepPrinter) -> None:
    """Print what each combination has come to."""
    printer.show_groups(driver.sweep.groups(driver.progress.rows))


def exit_code(progress: SweepProgress, runs: int, stopped_by: Signals | None) -> int:
    """Give the exit code of a sweep of so many runs that has ended, or was left."""
    if progress.completed == runs:
        return 0
    if stopped_by:
        return 128 + stopped_by
    return _FAILED_EXIT_CODE if progress.failed else STOPPED_EXIT_CODE


def group_lines(groups: list[Group]) -> list[str]:
    """Give the table of a sweep: a line for each combination, means with the spread of a single run."""
    varied = list(groups[0].varied) if groups else []
    holds_out = any(group.validation_mean is not None for group in groups)
    lines = [
        [
            *(str(group.varied[name]) for name in varied),
            f"{group.completed}/{group.runs}",
            percent(group.mean),
            spread(group.spread),
            *([percent(group.validation_mean), spread(group.validation_spread)] if holds_out else []),
            percent(group.lowest),
            percent(group.highest),
            duration(group.seconds),
        ]
        for group in groups
    ]
    figures = ["runs", "mean", "+-", *(["validation", "+-"] if holds_out else []), "lowest", "highest", "seconds"]
    heads = [*(name.replace("_", "-") for name in varied), *figures]
    return plain.table(heads, lines, right=range(len(varied), len(heads)))


def _is_over(driver: SweepDriver, printer: SweepPrinter, interrupts: Interrupts) -> bool:
    for ended in driver.step():
        try:
            printer.show(ended)
        except OutputRefused:
            if not interrupts.first:
                raise
            # A Ctrl-C that ended our reader too: what it asked of the runs is still to be seen through.
            give_up_stdout()
    return driver.progress.is_over


def let_go(driver: SweepDriver) -> int:
    """Say that runs in training go on without us, and give the exit code."""
    say(f"{Signals.SIGHUP.name}: {_going_on(driver)}")
    return 128 + Signals.SIGHUP


def _going_on(driver: SweepDriver) -> str:
    count = len(driver.progress.training)
    return f"{counted(count, 'run')} in training {'goes' if count == 1 else 'go'} on; the same command trains the rest."


def _describe(spec: RunSpec, sweep: Sweep) -> str:
    beside = [name for name in sweep.varied if name not in ("framework", "model", "dataset")]
    differing = "".join(f" {name.replace('_', '-')} {getattr(spec, name)}" for name in beside)
    place = sweep.specs.index(spec) + 1
    return f"{place}/{len(sweep.specs)}  {plain.what_is_trained(spec)}{differing} seed {spec.seed}"
