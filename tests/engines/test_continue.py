"""Going on with a run: however it was broken off, it ends with the numbers of one that nothing happened to."""

import json

import numpy as np
import pytest
import real_worker
from held_training import held

from engines import control, launch
from engines.checkpoints import CheckpointStore
from engines.events import EpochEnded, Log, RunStarted
from engines.problems import CheckpointProblem
from engines.run_reader import RunReader
from engines.runs import read_spec, summarise

EPOCHS = 4
REHEARSAL = {"framework": "rehearsal", "batch_size": 8, "epochs": EPOCHS}


def learned(directory):
    """Give what the whole run came to, epoch by epoch, over all its attempts."""
    return real_worker.figures(RunReader(directory).read_all().epochs)


def final_state(directory):
    return CheckpointStore(directory, read_spec(directory)).newest()[1]


def check_equal(directory, uninterrupted):
    assert learned(directory) == learned(uninterrupted)
    ours, theirs = final_state(directory), final_state(uninterrupted)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name, strict=True)


def pause_within_an_epoch(directory, after):
    """Pause a run that is held within the epoch `after` so many, or will be, with a checkpoint of there."""
    real_worker.wait_until(directory, lambda state: state.batch and len(state.epochs) >= after)
    while True:
        ask(directory, "pause")
        state = ask(directory, "checkpoint")
        newest = state.checkpoints[-1]
        if newest.step < state.steps_per_epoch:
            return newest
        ask(directory, "resume")


def ask(directory, action, value=None):
    """Ask, and give the run's state once it is in force."""
    request = control.ask(directory, action, value)
    return real_worker.wait_until(directory, lambda state: any(done.id == request.id for done in state.controls))


def break_off_and_ask(worker, action, value):
    """Ask something of a held run within an epoch, and stop it once that is in force."""
    pause_within_an_epoch(worker.run_directory, 1)
    ask(worker.run_directory, action, value)
    control.ask(worker.run_directory, "stop")
    worker.process.wait()


def set_back(directory, seconds):
    """Have all that a run has told happen so long before."""
    path = directory / "events.jsonl"
    events = [json.loads(line) for line in path.read_bytes().splitlines()]
    path.write_text("".join(json.dumps(event | {"time": event["time"] - seconds}) + "\n" for event in events))


def is_on(state, attempt):
    return state.started is not None and state.started.attempt == attempt


def break_off(worker, how, after=1):
    """Break a run off within an epoch, by `stop` or by `kill`, and give the place that it can go on from."""
    saved = pause_within_an_epoch(worker.run_directory, after)
    if how == "stop":
        control.ask(worker.run_directory, "stop")
    else:
        worker.process.kill()
    worker.process.wait()
    return saved


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    from engines.runs import RunStore

    return real_worker.train(RunStore(tmp_path_factory.mktemp("uninterrupted")), **REHEARSAL).directory


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_run_broken_off_within_an_epoch_ends_as_one_that_was_not(store, uninterrupted, how):
    with held(1, within=True):
        worker = real_worker.start(store, **REHEARSAL)
        saved = break_off(worker, how)
    run = real_worker.go_on(worker.run_directory)
    started = next(event for event in run.events if isinstance(event, RunStarted))
    assert (started.attempt, started.epochs_done, started.steps_done) == (2, saved.epoch - 1, saved.step)
    assert run.finished.state == "completed"
    check_equal(run.directory, uninterrupted)


def test_a_run_broken_off_again_and_again_does_too(store, uninterrupted):
    with held(1, within=True):
        worker = real_worker.start(store, **REHEARSAL)
        break_off(worker, "kill")
        for how in ("stop", "kill"):
            worker = launch.go_on(worker.run_directory)
            real_worker.wait_until(worker.run_directory, lambda state, number=worker.attempt: is_on(state, number))
            if how == "kill":
                worker.process.kill()
            else:
                control.ask(worker.run_directory, "stop")
            worker.process.wait()
    assert real_worker.go_on(worker.run_directory).finished.state == "completed"
    check_equal(worker.run_directory, uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_so_does_a_real_framework_with_dropout_bit_for_bit_on_the_cpu(store, framework):
    asked = {"framework": framework, "model": "nn", "batch_size": 8, "epochs": 2, "device": "cpu", "seed": 3}
    with held(0, within=True):  # A later epoch may be done in one call of the engine.
        worker = real_worker.start(store, **asked)
        break_off(worker, "stop", after=0)
    run = real_worker.go_on(worker.run_directory)
    check_equal(run.directory, real_worker.train(store, **asked).directory)


def test_five_epochs_more(store, finished_run):
    run = real_worker.go_on(finished_run, more_epochs=5)
    assert (run.exit_code, run.finished.epochs) == (0, 8)
    assert [event.epoch for event in run.events if isinstance(event, EpochEnded)] == [4, 5, 6, 7, 8]
    assert {event.epochs for event in run.events if isinstance(event, EpochEnded)} == {8}
    assert json.loads((finished_run / "spec.json").read_text())["epochs"] == 8
    at_once = real_worker.train(store, epochs=8)
    check_equal(finished_run, at_once.directory)


def test_epochs_asked_for_while_it_trains_are_trained_and_known_to_the_next_attempt(store):
    with held(1, within=True):
        worker = real_worker.start(store, **REHEARSAL)
        break_off_and_ask(worker, "epochs", 2)
    assert json.loads((worker.run_directory / "spec.json").read_text())["epochs"] == EPOCHS + 2
    run = real_worker.go_on(worker.run_directory)
    assert (run.exit_code, run.finished.epochs) == (0, EPOCHS + 2)
    at_once = real_worker.train(store, **{**REHEARSAL, "epochs": EPOCHS + 2})
    check_equal(worker.run_directory, at_once.directory)


def test_the_best_of_all_attempts_is_known_to_the_last(finished_run):
    before = RunReader(finished_run).read_all().best
    run = real_worker.go_on(finished_run, more_epochs=1)
    best = RunReader(finished_run).read_all().best
    assert run.finished.best_test_accuracy == best.test_accuracy >= before.test_accuracy
    assert run.finished.best_epoch == best.epoch


def test_a_rate_that_was_changed_is_still_in_force(store):
    with held(1, within=True):
        worker = real_worker.start(store, **REHEARSAL)
        ask(worker.run_directory, "lr", 0.0005)
        break_off(worker, "kill")
    run = real_worker.go_on(worker.run_directory)
    assert {event.lr for event in run.events if type(event).__name__ == "Batch"} == {0.0005}


def test_a_run_killed_before_its_first_checkpoint_begins_again(store, uninterrupted):
    with held(0):
        worker = real_worker.start(store, **REHEARSAL)
        real_worker.wait_until(worker.run_directory, lambda state: state.started)
        worker.process.kill()
        worker.process.wait()
    run = real_worker.go_on(worker.run_directory)
    assert next(event for event in run.events if isinstance(event, RunStarted)).attempt == 2
    check_equal(run.directory, uninterrupted)


def test_a_run_completed_without_a_checkpoint_is_not_trained_again(store):
    run = real_worker.train(store, **REHEARSAL, lr=1e38, on_nan="continue")
    with pytest.raises(CheckpointProblem, match="was completed without a checkpoint"):
        launch.go_on(run.directory)
    assert real_worker.read_events(run.directory)[-1] == run.finished


def test_a_run_stopped_with_nothing_worth_saving_begins_again_and_says_so(store):
    asked = {**REHEARSAL, "epochs": real_worker.LONG}
    with real_worker.training(store, **asked, lr=1e38, on_nan="continue") as worker:
        control.ask(worker.run_directory, "stop")
        first = real_worker.ended(worker)
    assert first.exit_code == 10
    set_back(worker.run_directory, 3600)  # What passes between attempts is not what the run took.
    going_on = launch.go_on(worker.run_directory)
    control.ask(going_on.run_directory, "stop")
    again = real_worker.ended(going_on)
    logs = again.of_type(Log)
    assert any("it begins again" in log.message for log in logs)
    attempts = [run.finished.seconds for run in (first, again)]
    assert summarise(worker.run_directory).seconds == pytest.approx(sum(attempts), abs=60)


def test_a_run_killed_after_its_last_epoch_still_gets_its_figures(finished_run, recorded_run):
    events = finished_run / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(line for line in lines if b'"run_finished"' not in line))
    run = real_worker.go_on(finished_run)
    finished = real_worker.read_events(recorded_run)[-1]
    assert (run.finished.state, run.finished.test_accuracy) == ("completed", finished.test_accuracy)
    assert run.finished.train_loss == finished.train_loss


def damage_newest(directory, kinds):
    for kind in kinds:
        newest = sorted((directory / "checkpoints").glob(f"{kind}-*.safetensors"))[-1]
        newest.write_bytes(newest.read_bytes()[:-1])


def test_a_damaged_newest_checkpoint_costs_its_epoch_and_no_more(finished_run, recorded_run):
    damage_newest(finished_run, ["last"])
    best = sorted((finished_run / "checkpoints").glob("best-*"))
    for path in best:
        path.unlink()
    run = real_worker.go_on(finished_run, more_epochs=1)
    started = next(event for event in run.events if isinstance(event, RunStarted))
    assert started.epochs_done == 2
    warning = next(event for event in run.events if isinstance(event, Log))
    assert "last-00003" in warning.message
    assert learned(finished_run) == learned(recorded_run)
    assert run.finished.state == "completed"


def test_where_every_checkpoint_is_damaged_nothing_is_touched_and_the_code_is_5(finished_run):
    for path in (finished_run / "checkpoints").glob("*.safetensors"):
        path.write_bytes(b"")
    before = (finished_run / "events.jsonl").read_bytes()
    with pytest.raises(CheckpointProblem, match="none of the") as caught:
        launch.go_on(finished_run, more_epochs=1)
    assert caught.value.exit_code == 5
    assert (finished_run / "events.jsonl").read_bytes() == before


def test_a_torn_last_event_is_left_and_the_numbers_go_on_without_a_gap(finished_run):
    events = finished_run / "events.jsonl"
    events.write_bytes(events.read_bytes()[:-30])
    real_worker.go_on(finished_run, more_epochs=1)
    seqs = [event.seq for event in real_worker.read_events(finished_run)]
    assert seqs == list(range(len(seqs)))
    assert RunReader(finished_run).read_all().finished.epochs in (3, 4)
