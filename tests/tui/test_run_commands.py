"""Naming, tagging, deleting and queueing runs from a shell."""

import json

import command_line
import mishaps
import pytest
import real_worker
from aftermath import check_words
from real_terminal import RealTerminal
from real_worker import spec_of

from engines.label import Label, read_label
from engines.problems import RunNotFound, Unavailable
from engines.run_queue import RunQueue
from tui import cli

TRAIN = ("--no-ui", "-f", "rehearsal", "-m", "nn", "-d", "digits", "--epochs", "1")


@pytest.fixture
def unkept(store, monkeypatch):
    """A queue for which nobody is started that would begin its runs."""
    monkeypatch.setattr(RunQueue, "see_to_it", lambda _: None)
    return RunQueue(store)


def listed(capsys):
    assert cli.run(["runs", "--json"]) == 0
    return [(run["run_id"], run["state"]) for run in json.loads(capsys.readouterr().out)]


def test_a_run_is_named_and_tagged(finished_run, capsys):
    assert cli.run(["rename", "last", "the good one"]) == 0
    assert cli.run(["tag", "last", "#a", "b"]) == 0
    assert cli.run(["tag", "last", "a", "--remove"]) == 0
    assert read_label(finished_run) == Label(name="the good one", tags=("b",))
    assert cli.run(["runs", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert (run["name"], run["tags"]) == ("the good one", ["b"])


def test_a_name_and_tags_are_told_wherever_a_run_is(finished_run, store, capsys):
    other = store.create(spec_of())
    assert cli.run(["rename", finished_run.name, "the good one"]) == 0
    assert cli.run(["tag", finished_run.name, "a", "b"]) == 0
    assert cli.run(["show", finished_run.name]) == 0
    assert {"name: the good one", "tags: #a #b"} <= {*capsys.readouterr().out.splitlines()}
    assert cli.run(["show", finished_run.name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["tags"]) == ("the good one", ["a", "b"])
    assert cli.run(["runs"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[-2:] == ["what", "name"]
    assert [(row.split()[0], row.partition("digits  ")[2]) for row in sorted(rows)] == sorted(
        [(finished_run.name, "the good one #a #b"), (other.name, "")]
    )


@pytest.mark.parametrize(
    ("command", "way_out"),
    [
        ("attach {}", "Follow it without a screen: add --no-ui."),
        ("replay {}", "mnist-tui show"),
        ("race {} {}", "show"),
    ],
)
def test_without_a_terminal_what_needs_one_names_a_command_that_does_not(command, way_out, store, capsys):
    runs = [store.create(spec_of()).name for _ in range(2)]
    assert cli.run(command.format(*runs).split()) == Unavailable.exit_code
    error = capsys.readouterr().err
    assert way_out in error
    assert ("--no-ui" in error) == command.startswith("attach")


def test_of_a_run_without_a_name_nothing_is_said_of_names(finished_run, capsys):
    assert cli.run(["show", "last"]) == 0
    assert cli.run(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith(("name", "tags"))]
    assert lines[-2].split()[-1] == "what"


def test_a_tag_of_two_words_is_wrong_usage(finished_run, capsys):
    assert cli.run(["tag", "last", "two words"]) == 2
    assert "is no tag" in capsys.readouterr().err


def test_a_run_is_deleted_only_where_somebody_says_so(finished_run, capsys):
    assert cli.run(["delete", "last"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert finished_run.exists()
    assert cli.run(["delete", finished_run.name, "--yes"]) == 0
    assert listed(capsys) == []
    assert cli.run(["delete", finished_run.name, "--yes"]) == 3


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        (["n\n"], 1, "nothing is deleted."),
        (["\n"], 1, "nothing is deleted."),
        (["y\n", "n\n"], 1, "nothing is deleted."),
        (["\x04"], 1, "nothing is deleted."),
        (["\x03"], 130, ""),
        (["y\n", "yes\n"], 0, ""),
    ],
    ids=lambda value: ",".join(map(ascii, value)) if isinstance(value, list) else "",
)
def test_on_a_terminal_it_asks_twice_before_it_deletes(finished_run, answers, code, said):
    terminal = RealTerminal(command_line.COMMAND, "delete", "last", columns=200)
    for asked, answer in enumerate(answers, 1):
        terminal.wait_for(lambda asked=asked: terminal.text.count("[y/N]") == asked, "the question")
        terminal.child.send(answer)

    assert terminal.end() == code
    assert said in terminal.text.splitlines()[len(answers)]
    assert finished_run.exists() == (code != 0)


def test_a_run_that_is_alive_is_busy(running, capsys):
    assert cli.run(["delete", "last", "--yes"]) == 7
    assert "is alive" in capsys.readouterr().err
    assert running.run_directory.exists()


def test_on_a_terminal_nothing_is_asked_of_a_run_that_is_alive(running):
    terminal = RealTerminal(command_line.COMMAND, "delete", "last", columns=200)

    assert terminal.end() == 7
    assert "[y/N]" not in terminal.text
    assert running.run_directory.exists()


def test_a_queued_run_has_its_id_at_once_and_can_be_taken_out(running, store, capsys):
    assert cli.run([*TRAIN, "--queue"]) == 0
    run_id = capsys.readouterr().out.strip()
    assert listed(capsys) == [(run_id, "queued"), (running.run_directory.name, "running")]
    assert cli.run(["delete", run_id]) == 0
    assert listed(capsys) == [(running.run_directory.name, "running")]


@pytest.mark.parametrize(
    "line",
    [
        "attach RUN --no-ui",
        "replay RUN",
        "race RUN last",
        "pause RUN",
        "resume RUN",
        "stop RUN",
        "lr RUN 0.01",
        "epochs RUN 3",
        "rename RUN mine",
        "tag RUN mine",
        "--no-ui --continue-from RUN",
    ],
)
def test_of_a_queued_run_every_command_says_that_it_waits(unkept, line, capsys):
    (run_id,) = unkept.add([spec_of()])
    assert cli.run(line.replace("RUN", run_id).split()) == RunNotFound.exit_code
    error = capsys.readouterr().err
    check_words(error)
    assert f"run {run_id} waits in the queue and has not begun." in error
    assert f"mnist-tui delete {run_id}" in error


def test_a_queued_run_is_shown_as_what_it_will_be(unkept, capsys):
    (run_id,) = unkept.add([spec_of(epochs=7)], Label(tags=("night",)))
    assert cli.run(["show", run_id]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"run {run_id}: queued\n")
    assert "epochs            7\n" in out
    assert "tags: #night\n" in out
    assert out.splitlines()[-1].endswith(f"`mnist-tui delete {run_id}` takes it out.")
    assert cli.run(["show", run_id, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["run_id"], told["state"], told["spec"]["epochs"], told["epochs"]) == (run_id, "queued", 7, [])


def test_a_beginning_of_several_queued_runs_is_ambiguous(unkept, capsys):
    first, second = unkept.add([spec_of(), spec_of()])
    for command in ("show", "delete", "stop"):
        assert cli.run([command, first[:4]]) == RunNotFound.exit_code
        error = capsys.readouterr().err
        assert f"2 runs that wait begin with '{first[:4]}', among them {first} and {second}." in error
    assert len(unkept.waiting()) == 2


def test_a_beginning_names_a_run_that_has_begun_before_one_that_waits(unkept, store, capsys):
    begun = store.create(spec_of())
    unkept.add([spec_of()])
    assert cli.run(["show", begun.name[:2]]) == 0
    assert capsys.readouterr().out.startswith(f"run {begun.name}: ")


def test_a_queued_run_is_trained_under_its_id(store, capsys):
    assert cli.run([*TRAIN, "--queue"]) == 0
    run_id = capsys.readouterr().out.strip()
    mishaps.wait_for_queued(RunQueue(store), [run_id])
    state = real_worker.wait_until(store.root / run_id, lambda state: state.finished)
    assert state.finished.state == "completed"


@pytest.mark.parametrize("options", [("--queue",), (*TRAIN, "--queue", "--json"), (*TRAIN, "--queue", "--detach")])
def test_options_that_make_no_sense_beside_a_queue_are_refused(options, store, capsys):
    assert cli.run([*options]) == 2
    assert "--queue" in capsys.readouterr().err
    assert not RunQueue(store).orders()
