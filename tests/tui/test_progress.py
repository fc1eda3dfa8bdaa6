import command_line
import pytest
from real_terminal import RealTerminal

TRAIN = ("--no-ui", "-f", "rehearsal", "-m", "nn", "-d", "digits")


def test_on_a_terminal_bars_move_and_only_the_lines_stay(store):
    terminal = RealTerminal(command_line.COMMAND, *TRAIN, "--epochs", "100")
    terminal.wait_for(lambda: "/100 epochs" in terminal.text and "left" in terminal.text, "the bar of the run")
    terminal.wait_for(lambda: "img/s" in terminal.text and "/45" in terminal.text, "the bar of the epoch")

    assert terminal.end() == 0
    assert "/45" not in terminal.text
    assert "epoch 100/100" in terminal.text
    assert "test accuracy" in terminal.text
    assert not terminal.screen.cursor.hidden
    assert terminal.settings() == terminal.before


def test_a_size_of_nothing_is_that_of_the_terminal():
    terminal = RealTerminal(command_line.COMMAND, *TRAIN, "--epochs", "100", COLUMNS="0", LINES="0")
    terminal.wait_for(lambda: "/100 epochs" in terminal.text and "left" in terminal.text, "the bar of the run")

    assert terminal.end() == 0
    assert "epoch 100/100" in terminal.text


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
