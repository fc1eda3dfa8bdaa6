"""What hints say to type: it finds the runs that it speaks of, and can be shown and pasted."""

import os
import subprocess
from pathlib import Path

import command_line
import pytest

from engines.folders import usual_runs_folder
from engines.own_command import command


@pytest.fixture
def elsewhere(store, monkeypatch):
    """A command for runs in a folder that it names, and how hints for them begin."""
    monkeypatch.delenv("MNIST_TUI_RUNS_DIR")
    named = ("--runs-dir", str(store.root))
    return lambda *arguments: command_line.run(*named, *arguments), " ".join(["`mnist-tui", *named, ""])


def test_the_folder_is_what_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_TUI_RUNS_DIR", str(tmp_path / "here"))
    assert usual_runs_folder() == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MNIST_TUI_RUNS_DIR", "~/there")
    assert usual_runs_folder() == tmp_path / "there"
    monkeypatch.delenv("MNIST_TUI_RUNS_DIR")
    assert usual_runs_folder() == Path(os.environ["XDG_DATA_HOME"]) / "mnist-tui" / "runs"


def test_a_command_names_the_runs_folder_only_where_it_is_another(store):
    assert command(store.root, "runs") == "mnist-tui runs"
    assert command(Path("/my runs"), "runs") == "mnist-tui --runs-dir '/my runs' runs"


def test_a_command_names_the_folder_where_the_usual_one_cannot_be_told(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("MNIST_TUI_RUNS_DIR", "runs")
    assert command(Path("/runs"), "runs") == "mnist-tui --runs-dir /runs runs"


@pytest.mark.parametrize(
    "name",
    ["/my runs", "/it's", "/réseau 1", "/x\x1b[31m\ny'\\7", "/\x9b2J\u202egpj", "/\udcff", "/a\u3000b"],
    ids=ascii,
)
def test_a_command_can_be_shown_and_pasted_whatever_the_folder_is_called(name):
    line = command(Path(name), "show", "last")
    assert line.isprintable()
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"],
        capture_output=True,
        check=True,
        encoding="utf-8",
        errors="surrogateescape",
    ).stdout.split("\0")
    assert words == ["mnist-tui", "--runs-dir", name, "show", "last", ""]


def test_where_there_is_no_run_hints_are_for_the_folder_that_was_named(elsewhere):
    run, start = elsewhere
    assert f"{start}--no-ui`" in run("show", "last").stderr
    assert f"{start}runs`" in run("attach", "--no-ui").stderr


def test_where_there_are_runs_hints_are_for_the_folder_that_was_named(running, elsewhere):
    run, start = elsewhere
    assert f"{start}runs`" in run("stop", "no-such-run").stderr
    assert f"{start}attach {running.run_directory.name}`" in run("--no-ui", "--continue-from", "last").stderr
    assert f"{start}show {running.run_directory.name}`" in run("replay", "last").stderr
