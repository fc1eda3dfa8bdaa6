import io

import command_line
import pytest
import views
from held_training import held
from msgspec.structs import replace
from real_terminal import RealTerminal
from rich.console import Console

from engines.run_state import RunState
from tui import progress

TRAIN = ("--no-ui", "-f", "rehearsal", "-m", "nn", "-d", "digits")


@pytest.fixture
def bars(monkeypatch):
    """Give a function that shows events and gives the bars that stand below the lines then."""
    written, state = io.StringIO(), RunState()
    console = Console(file=written, force_terminal=True, width=110, color_system=None)
    monkeypatch.setattr(progress, "_open_console", lambda: console)
    printer = progress.ProgressPrinter(verbose=False)

    def show(*events):
        for event in events:
            state.apply(views._stamped(event, state.next_seq))
            printer.show(event)
        written.seek(0)
        written.truncate()
        printer.refresh(state)
        lines = written.getvalue().splitlines()
        show.filled = [line.count("━") for line in lines]
        return [" ".join(part for part in line.split() if part.isascii()) for line in lines]

    yield show
    printer.close()


@pytest.mark.parametrize(
    ("phase", "bar"),
    [
        (views.phase("import", "started", 0, None), "importing the framework"),
        (views.phase("data", "progress", 1 << 19, 10 << 20, "bytes"), "reading the dataset 512 KiB of 10.0 MiB"),
        (views.phase("data", "progress", 7, 60, "images"), "reading the dataset 7/60 images"),
        (views.phase("data", "finished", 60, 60, "images"), ""),
    ],
)
def test_a_phase_has_a_bar_that_says_how_far_it_is(bars, phase, bar):
    assert bars(phase)[-1].endswith(bar)


def test_a_run_has_two_bars_until_it_is_over(bars):
    run, step = bars(views.started(), views.batch(1, 25, loss=0.5, accuracy=0.9, rate=9481.0))[-2:]
    assert "run" in run
    assert "0.2/5 epochs, 0:01 left" in run
    assert step == "epoch 1 25/100 loss 0.5000 accuracy 90.00 % 9,481 images/s"
    assert bars.filled[-2:] == [0, 4]
    run, step = bars(views.epoch_ended(1))[-2:]
    assert "1.0/5 epochs" in run
    assert bars.filled[-2] == 3
    assert "epoch" not in step
    assert not any("epochs" in line for line in bars(views.finished()))


def test_a_bar_of_no_length_takes_that_of_what_comes_next(bars):
    bars(views.phase("import", "started", 0, None))
    bars(views.batch(1, 25))
    assert bars.filled[-1] == 4


@pytest.mark.parametrize("end", [(), (views.finished("stopped"),)])
def test_a_run_that_goes_on_has_two_bars_too(bars, end):
    bars(views.started(), views.batch(1, 25))
    lines = bars(*end, replace(views.started(), attempt=2, steps_done=25), views.batch(1, 50))
    assert [line.split()[0].rpartition("\x1b[2K")[2] for line in lines if "/" in line] == ["run", "epoch"]


def test_on_a_terminal_bars_move_and_only_the_lines_stay(store):
    with held(0, within=True):
        terminal = RealTerminal(command_line.COMMAND, *TRAIN, "--epochs", "5")
        terminal.wait_for(lambda: "/5 epochs" in terminal.text and "left" in terminal.text, "the bar of the run")
        terminal.wait_for(lambda: "images/s" in terminal.text and "/45" in terminal.text, "the bar of the epoch")

    assert terminal.end() == 0
    assert "/45" not in terminal.text
    assert "epoch 5/5" in terminal.text
    assert "test accuracy" in terminal.text
    assert not terminal.screen.cursor.hidden
    assert terminal.settings() == terminal.before


def test_a_size_of_nothing_is_that_of_the_terminal():
    with held(0, within=True):
        terminal = RealTerminal(command_line.COMMAND, *TRAIN, "--epochs", "5", COLUMNS="0", LINES="0")
        terminal.wait_for(lambda: "/5 epochs" in terminal.text and "left" in terminal.text, "the bar of the run")

    assert terminal.end() == 0
    assert "epoch 5/5" in terminal.text


def test_interrupted_it_leaves_the_terminal_as_it_was():
    terminal = RealTerminal(command_line.COMMAND, *TRAIN, "--epochs", "100000")
    terminal.wait_for(lambda: "/100000 epochs" in terminal.text, "the bar")
    terminal.child.sendintr()

    assert terminal.end() == 130
    assert not terminal.screen.cursor.hidden
    assert "--continue-from" in terminal.text


def test_the_c_locale_gets_bars_of_ascii():
    terminal = RealTerminal(command_line.COMMAND, *TRAIN, "--epochs", "5", LC_ALL="C")

    assert terminal.end() == 0
    assert terminal.written.isascii()


def test_a_dumb_terminal_gets_plain_lines():
    terminal = RealTerminal(command_line.COMMAND, *TRAIN, "--epochs", "2", TERM="dumb")

    assert terminal.end() == 0
    assert b"\x1b" not in terminal.written
    assert "epoch 2/2" in terminal.text


@pytest.mark.parametrize("variable", ["NO_COLOR"])
def test_without_colour_nothing_is_coloured(variable):
    terminal = RealTerminal(command_line.COMMAND, *TRAIN, "--epochs", "5", **{variable: "1"})

    assert terminal.end() == 0
    assert b"\x1b[3" not in terminal.written
