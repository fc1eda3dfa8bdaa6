"""A sweep in lines of text: what each run's end is called, and which exit code all of them together come to."""

import errno
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rows import row_of

from engines.sweep import expand
from engines.sweep_driver import Ended
from engines.sweep_progress import SweepProgress
from tui import streams, sweep_headless
from tui.streams import OutputRefused
from tui.sweep_headless import PlainPrinter, exit_code, group_lines, train

SWEEP = expand({"framework": ["torch"], "model": ["nn", "lenet"], "dataset": ["digits"], "lr": [0.1, 1]}, [7])
FIRST, _, _, LAST = SWEEP.specs


def row(spec, state="completed"):
    return row_of("20261126-120000-torch-nn-digits-0000", state=state, spec=spec, test_accuracy=0.97, seconds=10.0)


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (Ended(FIRST, row(FIRST)), "1/4  torch nn digits lr 0.1 seed 7: 97.00 % in 10.0 s\n"),
        (
            Ended(LAST, row(LAST), is_new=False),
            "4/4  torch lenet digits lr 1 seed 7: 97.00 % in 10.0 s (was there)\n",
        ),
        (Ended(FIRST, row(FIRST, "stopped")), "1/4  torch nn digits lr 0.1 seed 7: stopped\n"),
        (Ended(FIRST, row(FIRST, "running")), "1/4  torch nn digits lr 0.1 seed 7: running elsewhere, and goes on\n"),
        (Ended(FIRST, None), ""),
    ],
    ids=["done", "was there", "stopped", "elsewhere", "never begun"],
)
def test_a_run_that_ended_is_a_line(ended, told, capsys):
    PlainPrinter(SWEEP).show(ended)
    assert capsys.readouterr() == (told, "")


@pytest.mark.parametrize(
    ("completed", "failed", "stopped_by", "code"),
    [
        (4, 0, None, 0),
        (4, 0, signal.SIGINT, 0),
        (1, 0, signal.SIGTERM, 143),
        (1, 1, signal.SIGINT, 130),
        (1, 1, None, 1),
        (1, 0, None, 10),
    ],
)
def test_an_exit_code_tells_what_all_runs_came_to(completed, failed, stopped_by, code):
    rows = {spec: row(spec) for spec in SWEEP.specs[:completed]}
    reasons = {LAST: "the disk is full."} if failed else {}
    progress = SweepProgress(rows, reasons, training=(), to_come=(), is_stopping=False)
    assert exit_code(progress, len(SWEEP.specs), stopped_by) == code


def at(progress):
    """Give a driver that has come so far and goes no further; its first step tells of a run."""
    told = iter([[Ended(FIRST, row(FIRST))]])
    return SimpleNamespace(sweep=SWEEP, progress=progress, step=lambda: next(told, []), stop=lambda _: None)


class Unread(PlainPrinter):
    """Prints the lines of runs, or not even those; the table is refused for the same reason."""

    def __init__(self, error, *, takes_lines=False):
        super().__init__(SWEEP)
        self._error, self._takes_lines = error, takes_lines

    def show(self, ended):
        if not self._takes_lines:
            raise OutputRefused(self._error)

    def show_groups(self, groups):
        raise OutputRefused(self._error)


OVER = SweepProgress({FIRST: row(FIRST)}, {}, training=(), to_come=(), is_stopping=True)
AT_WORK = replace(OVER, training=("a run",), is_stopping=False)
CLOSED, GONE = BrokenPipeError(errno.EPIPE, "Broken pipe"), OSError(errno.EIO, "Input/output error")


def test_a_table_that_nobody_reads_is_an_error_unless_a_signal_came_first(monkeypatch):
    given_up = []
    monkeypatch.setattr(sweep_headless, "give_up_stdout", lambda: given_up.append(True))
    with pytest.raises(OutputRefused):
        train(at(OVER), Unread(CLOSED, takes_lines=True))
    assert train(at(OVER), Unread(CLOSED, takes_lines=True), signal.SIGTERM) == 143
    assert given_up == [True]


@pytest.mark.parametrize(("error", "code"), [(GONE, 129), (CLOSED, 0)], ids=["terminal", "reader"])
def test_a_terminal_or_reader_that_is_gone_leaves_the_runs_in_training_to_themselves(error, code, monkeypatch, capsys):
    monkeypatch.setattr(streams, "give_up_stdout", lambda: None)
    assert train(at(AT_WORK), Unread(error)) == code
    assert "1 run in training goes on; the same command trains the rest." in capsys.readouterr().err


def test_where_no_run_is_in_training_a_reader_that_is_gone_is_an_error():
    with pytest.raises(OutputRefused):
        train(at(OVER), Unread(CLOSED))


def test_a_table_of_runs_that_are_not_done_has_no_figures():
    lines = group_lines(expand({"model": ["nn", "lenet"]}, range(3)).groups({}))
    assert [line.split() for line in lines[1:]] == [["nn", "0/3", *"-----"], ["lenet", "0/3", *"-----"]]
