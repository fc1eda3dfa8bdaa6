"""`mnist-tui sweep` as a person runs it: a table, nothing trained twice, and going on where it was."""

import json

import command_line
import real_worker

from engines import control
from engines.spec import RunSpec
from engines.sweep import expand
from tui.sweep import group_lines

SWEEP = ("sweep", "-f", "rehearsal", "-m", "nn", "-d", "digits", "--epochs", "1", "--lr", "0.001,0.01", "--seeds", "2")


def test_a_sweep_trains_every_combination_once_and_goes_on_with_what_was_stopped(store, tmp_path, monkeypatch):
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


def test_what_makes_no_sense_is_refused_before_anything_is_trained(store):
    refused = command_line.run("sweep", "-m", "nn,lenot")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "did you mean lenet" in refused.stderr
    both = command_line.run("sweep", "--seeds", "3", "--seed", "4")
    assert (both.returncode, store.directories()) == (2, [])


def test_a_table_of_runs_that_are_not_done_has_no_figures():
    lines = group_lines(expand({"model": ["nn", "lenet"]}, range(3)).groups({}))
    assert [line.split() for line in lines[1:]] == [["nn", "0/3", *"-----"], ["lenet", "0/3", *"-----"]]
    assert RunSpec(model="nn") in expand({"model": ["nn"]}).specs
