"""A worker as what it is, a process: what it tells, and the code that it ends with."""

import pytest
import real_worker

from engines import launch
from engines.event_tail import EventTail
from engines.events import Batch, EpochEnded, Log, Phase, Samples
from engines.problems import UsageProblem
from engines.runs import read_spec


@pytest.mark.parametrize(("has_units", "told"), [(False, 1), (True, 0)])
def test_bfloat16_on_a_processor_without_units_for_it_is_warned_of_before_training(
    store, python_finds, has_units, told
):
    python_finds("sitecustomize", f"from engines import processor\nprocessor.has_bfloat16_units = lambda: {has_units}")
    run = real_worker.train(store, precision="bfloat16", epochs=1)
    warnings = [event for event in run.of_type(Log) if event.level == "warning"]
    assert len(warnings) == told
    for warning in warnings:
        assert "--precision auto" in warning.message
        assert warning.seq < run.of_type(Batch)[0].seq


def test_a_target_that_is_reached_ends_the_run_early(store):
    run = real_worker.train(store, epochs=real_worker.LONG, target_accuracy=0.86)
    assert (run.exit_code, run.finished.state) == (0, "completed")
    epochs = run.of_type(EpochEnded)
    assert epochs[-1].test_accuracy >= 0.86
    assert max(event.test_accuracy for event in epochs[:-1]) < 0.86
    assert run.finished.epochs == len(epochs) < real_worker.LONG


def test_a_run_whose_target_was_reached_goes_on_for_the_epochs_that_are_asked(store):
    first = real_worker.train(store, epochs=real_worker.LONG, target_accuracy=0.1)
    with pytest.raises(UsageProblem, match="has reached its target accuracy") as refusal:
        launch.go_on(first.directory)
    assert "--epochs" in refusal.value.hint
    second = real_worker.ended(launch.go_on(first.directory, more_epochs=2))
    assert second.finished.epochs == first.finished.epochs + 2
    assert read_spec(first.directory).target_accuracy is None


def test_a_run_that_lost_its_patience_goes_on_for_the_epochs_that_are_asked(store):
    first = real_worker.train(store, epochs=real_worker.LONG, patience=1, lr=1e-30)
    with pytest.raises(UsageProblem, match="has done 1 epoch without a better one"):
        launch.go_on(first.directory)
    second = real_worker.ended(launch.go_on(first.directory, more_epochs=1))
    assert second.finished.epochs == first.finished.epochs + 1


def test_a_target_that_is_never_reached_has_its_own_code(store):
    run = real_worker.train(store, epochs=2, target_accuracy=1.0)
    assert (run.exit_code, run.finished.state) == (13, "completed")
    assert len(run.of_type(EpochEnded)) == 2


def test_every_phase_is_told_with_its_time(recorded_run):
    phases = [event for event in real_worker.read_events(recorded_run) if isinstance(event, Phase)]
    finished = {phase.name: phase for phase in phases if phase.state == "finished"}
    assert list(finished) == ["import", "data", "build", "train", "save", "evaluate"]
    assert (finished["data"].done, finished["data"].unit) == (1_797, "images")
    assert (finished["train"].done, finished["train"].total) == (3, 3)
    assert finished["evaluate"].done == 1_797


def test_two_test_images_of_each_class_are_watched(recorded_run):
    samples = [event for event in real_worker.read_events(recorded_run) if isinstance(event, Samples)]
    assert samples[0].labels == [*range(10)] * 2
    assert len(set(samples[0].indices)) == 20
    right = sum(map(int.__eq__, samples[-1].predictions, samples[-1].labels))
    assert right > 10


def test_the_figures_at_the_end_are_those_of_the_last_checkpoint(recorded_run):
    events = real_worker.read_events(recorded_run)
    last = [event for event in events if isinstance(event, EpochEnded)][-1]
    assert events[-1].test_accuracy == last.test_accuracy
    assert events[-1].test_loss == pytest.approx(last.test_loss, abs=1e-6)
    assert events[-1].train_accuracy > 0.5


def test_the_first_event_comes_before_any_framework_is_loaded(store, python_finds):
    python_finds("torch", "raise ImportError('never')")
    run = real_worker.train(store, framework="torch")
    assert (run.events[0].name, run.events[0].state) == ("import", "started")


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_nothing_is_left_among_the_temporary_files(store, tmp_path, monkeypatch, framework):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    run = real_worker.train(store, framework=framework, epochs=1)
    assert run.exit_code == 0
    assert list(temporary.iterdir()) == []


def test_a_spare_that_is_told_nothing_ends_with_0():
    spare = launch.Spare("rehearsal")
    spare.process.stdin.close()
    assert spare.process.wait() == 0
    spare.process.stdout.close()


def test_events_can_be_followed_while_they_are_written(running):
    tail = EventTail(running.run_directory / "events.jsonl")
    seqs = []
    while len(seqs) < 20:
        seqs += [event.seq for event in tail.read(1_000)]
    assert seqs == list(range(len(seqs)))
