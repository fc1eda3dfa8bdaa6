import subprocess
import sys
import tomllib
from pathlib import Path

import command_line
import pytest
import rows
from aftermath import check_words
from real_terminal import RealTerminal

from tui import cli, streams, ui_log

ROOT = Path(__file__).parents[2]
INTERRUPT_WHILE_LOADING = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
"""


def test_version_is_a_line_on_stdout():
    asked = command_line.run("--version")

    assert asked.returncode == 0
    assert asked.stdout.startswith("mnist-tui ")
    assert not asked.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "0"], "--epochs takes a whole number"),
        (["--json"], "--json goes with --no-ui"),
        (["--detach"], "--detach goes with --no-ui"),
        (["-v"], "--verbose goes with --no-ui"),
        (["--no-ui", "--start"], "--start shows the run on the screen"),
        (["--no-ui", "--json", "--detach"], "leave one out"),
        (["--epoch", "3"], "--epochs"),
        (["--epochs"], "See `mnist-tui --help`"),
        (["sweep", "-m"], "See `mnist-tui sweep --help`"),
        (["replay", "--speed"], "See `mnist-tui replay --help`"),
        (["trian"], "there is no command 'trian'"),
        (["rusn"], "Did you mean `runs`?"),
        (["show"], "RUN"),
        (["runs", "extra"], "extra"),
        (["--epochs", "3", "runs"], "--epochs does not go before `runs`"),
        (["--no-ui", "attach"], "--no-ui does not go before `attach`"),
        (["attach", "--json"], "--json goes with --no-ui"),
        (["-m", "\x1b[31mred\u202e"], "--model takes one of"),
        (["\x1b[2J"], "there is no command"),
    ],
    ids=lambda value: " ".join(value).encode("unicode_escape").decode() if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_and_exit_2_and_makes_nothing(arguments, said, capsys, tmp_path):
    assert cli.run(arguments) == 2

    output = capsys.readouterr()
    assert not output.out
    assert len(output.err.splitlines()) == 1
    check_words(output.err)
    assert output.err.startswith("mnist-tui: ")
    assert said in output.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments", [["show", "../../x"], ["stop", "x" * 300], ["attach", "\x1b[31m"], ["pause", "last"]]
)
def test_a_run_that_there_is_not_is_exit_3(arguments, capsys):
    assert cli.run(arguments) == 3
    check_words(capsys.readouterr().err)


@pytest.mark.parametrize(
    "arguments",
    [["show", ""], ["replay", ""], ["attach", "", "--no-ui"], [*command_line.TRAIN, "--continue-from", ""]],
    ids=lambda arguments: arguments[0],
)
def test_an_empty_name_is_no_run_and_starts_none(arguments, finished_run, store, capsys):
    assert cli.run(arguments) == 3
    assert "no run is called ''" in capsys.readouterr().err
    assert store.directories() == [finished_run]


@pytest.mark.parametrize("arguments", [["runs"], ["show", "last"], ["attach", "last", "--no-ui"]])
def test_what_has_no_screen_takes_no_notice_of_a_bad_frame_rate(arguments, finished_run, monkeypatch):
    monkeypatch.setenv("MNIST_TUI_FPS", "abc")

    assert cli.run(arguments) == 0


@pytest.mark.parametrize(
    "arguments", [["--continue-from", "last"], ["--start", "-d", "digits"], ["sweep"]], ids=" ".join
)
def test_a_bad_frame_rate_is_refused_before_anything_is_trained(arguments, finished_run, store):
    terminal = RealTerminal(command_line.COMMAND, *arguments, columns=120, MNIST_TUI_FPS="0")

    assert terminal.end() == 2
    assert "MNIST_TUI_FPS takes a whole number from 1 to 60, not '0'." in terminal.text
    assert store.directories() == [finished_run]
    assert rows.listed(store)[0].attempt == 1


def test_the_folders_go_before_a_command_and_after_it(finished_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MNIST_TUI_RUNS_DIR", str(tmp_path / "empty"))
    runs_dir = str(finished_run.parent)

    for arguments in (["--runs-dir", runs_dir, "runs"], ["runs", "--runs-dir", runs_dir]):
        assert cli.run(arguments) == 0
        assert finished_run.name in capsys.readouterr().out


def test_a_fault_of_ours_is_one_line_and_its_traceback_is_in_the_log(monkeypatch, capsys):
    def fail(_context):
        raise ZeroDivisionError("by \x1b[31mnothing")

    monkeypatch.setattr("tui.commands.run_store", fail)

    assert cli.run(["runs"]) == 1
    error = capsys.readouterr().err
    check_words(error)
    assert "ZeroDivisionError" in error
    assert str(ui_log.path()) in error
    assert "Traceback" in ui_log.path().read_text(encoding="utf-8")


@pytest.mark.parametrize("loaded_last", ["click", "engines.problems"])
def test_interrupted_while_it_loads_it_ends_without_a_traceback(loaded_last, tmp_path):
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["mnist-tui"]
    module, _, function = named.partition(":")
    program = INTERRUPT_WHILE_LOADING + f"from {module} import {function}; {function}()"
    ended = subprocess.run(
        [sys.executable, "-c", program, loaded_last], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize("asked", ["--help", "runs", "show last", "doctor --help"])
def test_stdout_closed_early_is_no_error(asked, finished_run):
    shell = command_line.run_in_shell(f"$T {asked} | true; echo ${{PIPESTATUS[0]}}")

    assert (shell.stdout, shell.stderr) == ("0\n", "")


@pytest.mark.parametrize("asked", ["--help", "--version", "runs", "show last", "doctor --help"])
def test_a_full_stdout_is_exit_8(asked, finished_run):
    shell = command_line.run_in_shell(f"$T {asked} >/dev/full; echo $?")

    assert shell.stdout == "8\n"
    check_words(shell.stderr)
    assert "cannot write to stdout: No space left on device." in shell.stderr
    assert not ui_log.path().exists()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("asked", "code"), [(" ".join(command_line.TRAIN) + " --epochs 1", 0), ("runs", 0), ("--epochs 0", 2), ("", 6)]
)
def test_closed_streams_change_no_exit_code(asked, code, closed):
    shell = command_line.run_in_shell(f"( $T {asked} {closed} ); echo $?")

    assert shell.stdout.splitlines()[-1] == str(code)
    assert "Traceback" not in shell.stderr
    assert "Exception ignored" not in shell.stderr


@pytest.mark.parametrize("asked", ["--runs-dir rel runs", "--data-dir rel doctor", "runs"])
def test_a_relative_folder_in_one_that_was_removed_is_said_in_words(asked, tmp_path):
    removed = tmp_path / "removed"
    line = f"mkdir {removed} && cd {removed} && rmdir {removed} && $T {asked}; echo $?"
    shell = command_line.run_in_shell(line, MNIST_TUI_RUNS_DIR="rel")

    assert shell.stdout == "8\n"
    check_words(shell.stderr)
    assert "the folder rel is: the one that you are in was removed" in shell.stderr
    assert not ui_log.path().exists()


def test_what_is_written_is_ascii_where_the_locale_is(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    assert streams.output_encoding() == "ascii"
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert streams.output_encoding() == "utf-8"


def test_no_framework_and_no_screen_is_imported_for_a_command():
    script = (
        "import sys; from tui import cli; cli.run(['runs']);"
        "heavy = {'torch', 'tensorflow', 'textual', 'rich', 'numpy', 'sklearn'};"
        "print({name.partition('.')[0] for name in sys.modules} & heavy)"
    )
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert asked.stdout.splitlines()[-1] == "set()"
