import json

import command_line
import mishaps
import pytest
import real_worker
from aftermath import check_words

from engines.control import Request
from engines.event_line import encode_event
from engines.events import ControlApplied
from engines.run_reader import RunReader
from tui import cli, control_request


@pytest.fixture
def live_run(store):
    """A run that has a worker as long as the test lasts."""
    with real_worker.training(store, epochs=100_000) as worker:
        yield worker.run_directory


def lines_of(output):
    return output.splitlines()


def test_runs_lists_the_newest_first_with_state_and_best(finished_run, live_run, capsys):
    assert cli.run(["runs"]) == 0

    head, newest, oldest = lines_of(capsys.readouterr().out)
    assert head.split() == ["run", "state", "epochs", "best", "began", "what"]
    assert newest.split()[:2] == [live_run.name, "running"]
    assert oldest.split()[:3] == [finished_run.name, "completed", "3/3"]
    assert oldest.endswith("rehearsal nn digits")


def test_without_runs_it_says_how_to_start_one(capsys):
    assert cli.run(["runs"]) == 0
    assert "mnist-tui --no-ui" in capsys.readouterr().out
    assert cli.run(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    "arguments",
    [["runs"], ["runs", "--json"], ["show", "last"], ["attach", "--no-ui"], ["sweep", *command_line.TRAIN]],
    ids=" ".join,
)
def test_a_file_in_the_place_of_the_runs_folder_is_not_called_empty(arguments, store, capsys):
    store.root.write_text("mine", encoding="utf-8")

    assert cli.run(arguments) == 8
    out, err = capsys.readouterr()
    assert out == ""
    check_words(err)
    assert f"cannot read {store.root}: Not a directory. Name another folder with --runs-dir." in err


def test_runs_as_json_is_one_array(finished_run, capsys):
    assert cli.run(["runs", "--json"]) == 0

    (run,) = json.loads(capsys.readouterr().out)
    assert run["run_id"] == finished_run.name
    assert run["state"] == "completed"
    assert run["spec"]["framework"] == "rehearsal"
    assert 0.5 < run["best_test_accuracy"] <= 1


def test_show_tells_spec_epochs_results_and_place(finished_run, capsys):
    assert cli.run(["show", "last"]) == 0

    out = capsys.readouterr().out
    assert f"run {finished_run.name}: completed" in out
    assert str(finished_run) in out
    for words in ("batch-size        32", "epoch 3/3", "evaluate", "test accuracy"):
        assert words in out
    labels = [line.partition("  ")[0] for line in out.splitlines() if "  " in line]
    assert len(labels) == len(set(labels)), "two lines have the same label"


@pytest.mark.parametrize(("bad", "words"), [("x\n", "1 line of"), ("x\ny\n", "2 lines of")])
def test_show_counts_lines_that_are_no_events(finished_run, capsys, bad, words):
    with (finished_run / "events.jsonl").open("a", encoding="utf-8") as events:
        events.write(bad)
    assert cli.run(["show", "last"]) == 0
    assert f"{words} events.jsonl cannot be read." in capsys.readouterr().out


def test_show_as_json_is_one_object(finished_run, capsys):
    assert cli.run(["show", finished_run.name, "--json"]) == 0

    run = json.loads(capsys.readouterr().out)
    assert (run["run_id"], run["state"], run["spec"]["epochs"]) == (finished_run.name, "completed", 3)
    assert [epoch["epoch"] for epoch in run["epochs"]] == [1, 2, 3]
    assert run["results"]["test_accuracy"] == run["epochs"][-1]["test_accuracy"]
    assert run["last_word"] == ""


def test_show_says_how_a_crashed_run_goes_on(live_run, capsys, store):
    mishaps.wait_for_epoch(live_run, 2)
    mishaps.end_all(store.root)

    assert cli.run(["show", "last"]) == 0
    out = capsys.readouterr().out
    assert "crashed" in lines_of(out)[0]
    assert f"--continue-from {live_run.name}" in out


def test_nothing_in_a_planted_run_commands_the_terminal(finished_run, capsys):
    attack = "\x1b]0;owned\x07\x1b[2J\u202e[red]"
    (finished_run / "worker.log").write_text(attack, encoding="utf-8")
    spec = json.dumps({"framework": "torch", "model": attack, "dataset": attack})
    (finished_run / "spec.json").write_text(spec, encoding="utf-8")
    (finished_run / "events.jsonl").write_text('{"type":"log","seq":0,"time":1}\nrubbish\x1b[2J\n', encoding="utf-8")

    for arguments in (["runs"], ["show", "last"], ["runs", "--json"], ["show", "last", "--json"]):
        assert cli.run(arguments) == 0
        out = capsys.readouterr().out
        assert all(line.isprintable() for line in lines_of(out)), ascii(out)


def test_pause_and_resume_wait_until_it_is_so(live_run, capsys):
    assert cli.run(["pause", "last"]) == 0
    assert cli.run(["runs"]) == 0
    assert cli.run(["resume", live_run.name]) == 0
    assert cli.run(["runs"]) == 0

    paused, _, row, goes_on, _, row_again = lines_of(capsys.readouterr().out)
    assert paused == f"run {live_run.name} is paused."
    assert row.split()[1] == "paused"
    assert goes_on == f"run {live_run.name} goes on."
    assert row_again.split()[1] == "running"


def test_another_learning_rate_is_in_force_when_the_command_ends(live_run, capsys):
    assert cli.run(["lr", "last", "0.0005"]) == 0

    assert capsys.readouterr().out == f"run {live_run.name} has a new learning rate.\n"
    applied = RunReader(live_run).read_all().controls[-1]
    assert (applied.action, applied.value) == ("lr", 0.0005)


def test_a_run_that_time_alone_ends_is_not_asked_for_epochs(store, capsys):
    run = real_worker.train(store, epochs=None, budget=0.1)
    assert cli.run(["epochs", run.directory.name, "3"]) == 2
    assert "ends with its budget" in capsys.readouterr().err


def test_epochs_more_are_in_force_when_the_command_ends(live_run, capsys):
    assert cli.run(["epochs", "last", "3"]) == 0

    assert "has that many more epochs to train" in capsys.readouterr().out
    state = RunReader(live_run).read_all()
    assert (state.controls[-1].action, state.controls[-1].value) == ("epochs", 3)
    assert state.spec.epochs == 100_003


@pytest.mark.parametrize("more", ["0", "-1", "1.5", "some"])
def test_epochs_that_are_no_number_of_them_are_wrong_usage(capsys, more):
    assert cli.run(["epochs", "last", "--", more]) == 2
    assert "N takes a whole number" in capsys.readouterr().err


@pytest.mark.parametrize("rate", ["0", "nan", "fast"])
def test_a_rate_that_is_none_is_wrong_usage(live_run, capsys, rate):
    assert cli.run(["lr", "last", rate]) == 2
    assert "RATE takes a number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("how", [[], ["--now"]])
def test_stop_waits_until_the_run_has_ended(live_run, capsys, how):
    assert cli.run(["stop", "last", *how]) == 0
    assert cli.run(["runs"]) == 0

    stopped, _, row = lines_of(capsys.readouterr().out)
    assert stopped == f"run {live_run.name} is stopped."
    assert row.split()[1] == "stopped"


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_a_run_that_has_ended_cannot_be_controlled_and_is_left_as_it_is(finished_run, action, capsys):
    assert cli.run([action, "last"]) == 1

    error = capsys.readouterr().err
    check_words(error)
    assert "is not running: it is completed" in error
    assert not (finished_run / "control.json").exists()


def test_a_request_that_was_in_force_when_the_run_ended_is_said_to_be(finished_run, capsys, monkeypatch):
    events = finished_run / "events.jsonl"
    *before, last = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(before))
    is_alive = [True]

    def ask_of_one_that_ends(_directory, action, value, **_):
        events.write_bytes(
            b"".join([*before, encode_event(ControlApplied(action=action, value=value, id="x", seq=0, time=1.0)), last])
        )
        is_alive.clear()
        return Request(id="x", action=action, value=value)

    monkeypatch.setattr(RunReader, "has_worker", lambda _: bool(is_alive))
    monkeypatch.setattr(control_request.control, "ask", ask_of_one_that_ends)
    assert cli.run(["lr", "last", "0.0005"]) == 0
    assert "has a new learning rate" in capsys.readouterr().out


def test_a_run_that_does_not_answer_is_said(live_run, capsys, monkeypatch):
    monkeypatch.setattr(control_request, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(control_request.control, "ask", lambda _directory, action, _value, **_: NeverSeen(action))

    assert cli.run(["pause", "last"]) == 1
    assert "has not answered yet" in capsys.readouterr().err


class NeverSeen:
    """A request that no worker ever reads."""

    def __init__(self, action):
        self.id = f"lost {action}"


def test_attach_without_a_live_run_says_so(finished_run):
    attached = command_line.run("attach", "--no-ui")

    assert attached.returncode == 3
    check_words(attached.stderr)


def test_attach_to_an_ended_run_shows_it_and_ends_as_it_did(finished_run):
    attached = command_line.run("attach", "last", "--no-ui")

    assert attached.returncode == 0
    assert "epoch 3/3" in attached.stdout
