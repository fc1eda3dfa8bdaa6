"""`mnist-tui sweep` as a person runs it: a table, nothing trained twice, and going on where it was."""

import json
import os
import re
import signal

import command_line
import mishaps
import pytest
import real_worker
from held_training import held

from engines import control
from engines.run_queue import RunQueue
from engines.run_reader import RunReader
from engines.runs import summarise
from engines.spec import RunSpec
from tui.sweep import sweep

SWEEP = ("sweep", "-f", "rehearsal", "-m", "nn", "-d", "digits", "--epochs", "1", "--lr", "0.001,0.01", "--seeds", "2")


def test_a_sweep_trains_every_combination_once_and_goes_on_with_what_was_stopped(store, tmp_path, monkeypatch):
    with held(0):
        worker = real_worker.start(store, epochs=1, lr=0.01, seed=0, batch_size=32)
        monkeypatch.setenv("MNIST_TUI_DATA_DIR", str(tmp_path))  # Where data lies makes no other run of it.
        real_worker.wait_until(worker.run_directory, lambda state: state.started is not None)
        control.ask(worker.run_directory, "stop")
        real_worker.ended(worker)

    first = command_line.run(*SWEEP)
    assert (first.returncode, first.stderr.count("Traceback")) == (0, 0)
    lines = first.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == [
        f"{place}/4  rehearsal nn digits lr {lr} seed {seed}"
        for place, (seed, lr) in enumerate([(0, 0.001), (0, 0.01), (1, 0.001), (1, 0.01)], 1)
    ]
    assert lines[5].split() == ["lr", "runs", "mean", "+-", "lowest", "highest", "seconds"]
    assert [line.split()[:2] for line in lines[6:]] == [["0.001", "2/2"], ["0.01", "2/2"]]
    assert len(store.directories()) == 4

    again = command_line.run(*SWEEP, "--json")
    told = [json.loads(line) for line in again.stdout.splitlines()]
    assert [line["type"] for line in told] == ["run"] * 4 + ["group"] * 2
    assert len(store.directories()) == 4
    accuracies = [run["test_accuracy"] for run in told[:4] if run["spec"]["lr"] == 0.01]
    group = told[5]
    assert (group["varied"], group["completed"]) == ({"lr": 0.01}, 2)
    assert abs(group["mean"] - sum(accuracies) / 2) < 1e-9


def table_of(text):
    """Give the cells of the table at the end of what a sweep printed."""
    return [line.split() for line in text.rpartition("\n\n")[2].splitlines()]


LONG = (*SWEEP[:-6], "--epochs", "3", "--seeds", "3", "--jobs", "2")


def wait_for_two_in_training(store):
    mishaps.wait_for(lambda: len(store.directories()) == 2, "two runs")
    for directory in store.directories():
        mishaps.wait_for_epoch(directory, 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_stops_all_that_train_with_a_checkpoint_and_the_same_command_goes_on(store, number):
    with held(2):
        front = command_line.start(*LONG)
        wait_for_two_in_training(store)
        front.send_signal(number)
        out, err = front.communicate(timeout=command_line.PATIENCE_SECONDS)
    assert front.returncode == 128 + number
    assert out.count(": stopped\n") == 2
    assert "the same command goes on" in err
    stopped = store.directories()
    assert [summarise(directory).state for directory in stopped] == ["stopped"] * 2

    again = command_line.run(*LONG)
    assert (again.returncode, again.stderr) == (0, "")
    assert table_of(again.stdout)[1][0] == "3/3"
    assert len(store.directories()) == 3
    for directory in stopped:
        state = RunReader(directory).read_all()
        assert (state.started.attempt, state.finished.state) == (2, "completed")
        assert state.started.epochs_done >= 1


def test_a_signal_that_ends_the_reader_too_still_stops_all_that_train(store):
    with held(2):
        front = command_line.start(*LONG)
        wait_for_two_in_training(store)
        front.stdout.close()
        front.send_signal(signal.SIGINT)
        _, err = front.communicate(timeout=command_line.PATIENCE_SECONDS)
    assert front.returncode == 130
    assert "the same command goes on" in err
    assert [summarise(directory).state for directory in store.directories()] == ["stopped"] * 2


def test_after_a_line_that_dropped_what_trains_goes_on_and_the_same_command_waits_for_it(store):
    with held(2):
        front = command_line.start(*LONG)
        wait_for_two_in_training(store)
        front.send_signal(signal.SIGHUP)
        _, err = front.communicate(timeout=command_line.PATIENCE_SECONDS)
    assert front.returncode == 129
    assert "2 runs in training go on" in err
    again = command_line.run(*LONG)
    assert again.returncode == 0
    assert table_of(again.stdout)[1][0] == "3/3"
    assert [RunReader(directory).read_all().started.attempt for directory in store.directories()] == [1, 1, 1]


def test_a_reader_that_has_enough_is_no_error_and_it_is_said_what_goes_on(store):
    assert command_line.run(*SWEEP[:7], "--epochs", "1", "--no-ui").returncode == 0
    with held(0):
        unheard = command_line.run_unheard(*SWEEP[:7], "--epochs", "1", "--seeds", "2")
        refused = command_line.run_refused(*SWEEP[:7], "--epochs", "1", "--seeds", "3", "--jobs", "2")
    assert (unheard.returncode, refused.returncode) == (0, 8)
    assert "nobody reads stdout any more: 1 run in training goes on" in unheard.stderr
    assert "No space left on device. 2 runs in training go on" in refused.stderr


def test_ids_that_nobody_takes_are_queued_all_the_same_which_is_said(store, running):
    refused = command_line.run_refused(*SWEEP, "--queue")
    assert refused.returncode == 8
    assert "4 runs queued" in refused.stderr
    assert len(RunQueue(store).orders()) == 4


def test_its_help_speaks_of_no_option_that_it_does_not_take():
    taken = {name for option in sweep.params for name in (*option.opts, *option.secondary_opts)}
    told = set(re.findall(r"--[a-z-]+", command_line.run("sweep", "--help").stdout))
    assert told - taken == {"--help"}


def test_a_run_that_fails_gets_a_word_why_and_the_sweep_goes_on(store):
    ended = command_line.run(*SWEEP[:7], "--epochs", "1", "--lr", "1e38,0.001")
    assert ended.returncode == 1
    assert ": failed\n" in ended.stdout
    assert "the loss is nan" in ended.stderr
    assert "the same command" not in ended.stderr
    assert [row[:2] for row in table_of(ended.stdout)[1:]] == [["1e+38", "0/1"], ["0.001", "1/1"]]


def test_what_cannot_be_begun_is_no_success(store):
    store.root.symlink_to("nowhere")
    ended = command_line.run(*SWEEP, "--jobs", "2")
    assert ended.returncode == 1
    assert ended.stderr.count("cannot make a run in") == 4


def test_a_run_that_could_not_be_made_is_an_object_without_an_id_too(store):
    store.root.symlink_to("nowhere")
    ended = command_line.run(*SWEEP, "--json")
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["type"] for line in told] == ["run"] * 4 + ["group"] * 2
    for run in told[:4]:
        assert (run["run_id"], run["directory"], run["state"]) == (None, None, "failed")
    assert [run["spec"]["seed"] for run in told[:4]] == [0, 0, 1, 1]
    assert ended.stderr.count("cannot make a run in") == 4


def test_held_out_images_have_their_own_mean_and_spread(store):
    ended = command_line.run(*SWEEP[:7], "--epochs", "1", "--validation", "200", "--seeds", "2", "--no-ui")
    head, row = table_of(ended.stdout)
    assert head == ["runs", "mean", "+-", "validation", "+-", "lowest", "highest", "seconds"]
    rows = [summarise(directory) for directory in store.directories()]
    mean = 100 * sum(row.validation_accuracy for row in rows) / 2
    assert row[4] == f"{mean:.2f}"


def test_what_waits_in_the_queue_is_queued_once_and_taken_out_by_whoever_trains_it(store, running):
    first = command_line.run(*SWEEP, "--queue")
    assert len(first.stdout.split()) == 4
    assert command_line.run(*SWEEP, "--queue").stdout == ""
    assert command_line.run(*SWEEP).returncode == 0
    assert RunQueue(store).orders() == []
    assert len(store.directories()) == 5


def test_the_same_twice_at_once_is_trained_once_and_told_twice(store):
    both = [command_line.start(*SWEEP, "--json") for _ in range(2)]
    told = [front.communicate(timeout=command_line.PATIENCE_SECONDS)[0].splitlines() for front in both]
    assert [front.returncode for front in both] == [0, 0]
    assert len(store.directories()) == 4
    for lines in told:
        runs = [json.loads(line) for line in lines[:4]]
        assert {run["run_id"] for run in runs} == {directory.name for directory in store.directories()}


def test_the_same_queued_twice_at_once_waits_once(store, running):
    both = [command_line.start(*SWEEP, "--queue") for _ in range(2)]
    given = "".join(front.communicate(timeout=command_line.PATIENCE_SECONDS)[0] for front in both).split()
    assert sorted(given) == sorted(order.run_id for order in RunQueue(store).waiting())
    assert len(given) == 4


def test_queued_as_json_each_run_is_an_object_with_the_id_that_it_will_have(store, running):
    queued = command_line.run(*SWEEP, "--queue", "--json")
    told = [json.loads(line) for line in queued.stdout.splitlines()]
    assert [(run["type"], run["state"]) for run in told] == [("run", "queued")] * 4
    assert [run["run_id"] for run in told] == [order.run_id for order in RunQueue(store).waiting()]
    assert [run["spec"]["seed"] for run in told] == [0, 0, 1, 1]


def test_what_was_begun_and_broken_off_is_not_queued_which_is_said(store):
    died = store.create(RunSpec(framework="rehearsal", model="nn", dataset="digits", epochs=1, seed=1))
    os.utime(died, (0, 0))
    queued = command_line.run(
        "sweep", "-f", "rehearsal", "-m", "nn", "-d", "digits", "--epochs", "1", "--seed", "1", "--queue"
    )
    assert (queued.returncode, queued.stdout) == (0, "")
    assert "1 run stopped or failed before and cannot be queued" in queued.stderr


def test_what_makes_no_sense_is_refused_before_anything_is_trained(store):
    refused = command_line.run("sweep", "-m", "nn,lenot")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "did you mean lenet" in refused.stderr
    both = command_line.run("sweep", "--seeds", "3", "--seed", "4")
    assert (both.returncode, store.directories()) == (2, [])
    jobs = command_line.run("sweep", "--queue", "--jobs", "2")
    assert (jobs.returncode, store.directories()) == (2, [])
