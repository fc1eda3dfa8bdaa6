"""A worker as what it is, a process: signals from outside, failures within, and the code that it ends with."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import mishaps
import pytest
import real_worker

from engines import control, launch
from engines.event_tail import EventTail
from engines.events import Batch, CheckpointSaved, ControlApplied, EpochEnded, Log, Phase, RunStarted, Samples
from engines.run_reader import RunReader


@pytest.fixture
def slow_to_load(python_finds, tmp_path):
    """Let a module load only once the file is there that this gives; one with a `?` tells that it is waited for."""

    def slow_to_load(module):
        go = tmp_path / "go"
        python_finds("sitecustomize", SLOW.format(module=module, go=str(go)))
        return go

    return slow_to_load


SLOW = """
import os, sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        while name == {module!r} and not os.path.exists({go!r}):
            open({go!r} + "?", "w").close()
            time.sleep(0.01)

sys.meta_path.insert(0, Slow())
"""

DEAF = """
import sys, time

class Deaf:
    def find_spec(self, name, path=None, target=None):
        while name == "engines.rehearsal_engine":
            try:
                time.sleep(0.01)
            except Exception:
                pass

sys.meta_path.insert(0, Deaf())
"""

BROKEN = """
from engines import rehearsal_engine

def create(spec):
    raise {error}

rehearsal_engine.create = create
"""


def of_type(run, kind):
    return [event for event in run.events if isinstance(event, kind)]


def status_of(directory):
    reader = RunReader(directory)
    reader.read_all()
    return reader.status()


def told_on(worker):
    """Wait until the run has told of more than it has so far: it goes on."""
    told = real_worker.wait_until(worker.run_directory, real_worker.in_training).batch_count
    return real_worker.wait_until(worker.run_directory, lambda state: state.batch_count > told)


# Signals.


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_the_first_int_or_term_saves_a_checkpoint_and_stops(running, number, code):
    running.process.send_signal(number)
    run = real_worker.ended(running)
    assert run.exit_code == code
    assert run.finished.state == "stopped"
    assert [(event.action, event.by) for event in of_type(run, ControlApplied)] == [("stop", number.name)]
    newest = of_type(run, CheckpointSaved)[-1]
    told = of_type(run, Batch)[-1]
    assert (newest.epoch, newest.step) >= (told.epoch, told.step)
    assert (run.directory / newest.path).exists()
    assert status_of(run.directory) == "stopped"


def test_the_second_ends_the_worker_even_where_a_framework_does_not_come_back(store, python_finds):
    python_finds("sitecustomize", DEAF)
    worker = real_worker.start(store)
    real_worker.wait_until(worker.run_directory, lambda state: "import" in state.phases)
    worker.process.send_signal(signal.SIGTERM)
    worker.process.send_signal(signal.SIGINT)
    assert worker.process.wait() in (130, 143)
    assert status_of(worker.run_directory) == "crashed"


def test_a_hangup_changes_nothing(running):
    running.process.send_signal(signal.SIGHUP)
    told_on(running)
    assert running.process.poll() is None


def test_usr1_saves_a_checkpoint_and_training_goes_on(running):
    before = real_worker.wait_until(running.run_directory, real_worker.in_training)
    running.process.send_signal(signal.SIGUSR1)
    state = real_worker.wait_until(running.run_directory, lambda state: state.controls)
    assert (state.controls[0].action, state.controls[0].by) == ("checkpoint", "SIGUSR1")
    newest = state.checkpoints[-1]
    assert (newest.epoch, newest.step) > (before.batch.epoch - 1, before.batch.step)
    told_on(running)


def test_quit_writes_the_stacks_to_the_log_and_training_goes_on(running):
    running.process.send_signal(signal.SIGQUIT)
    told_on(running)
    log = (running.run_directory / "worker.log").read_text()
    assert "most recent call first" in log
    assert "training_loop.py" in log


def test_a_killed_worker_has_crashed(running):
    running.process.kill()
    running.process.wait()
    assert status_of(running.run_directory) == "crashed"


@pytest.mark.parametrize("by", ["request", "signal"])
def test_a_stop_before_training_is_acknowledged_and_the_run_can_be_gone_on_with(store, slow_to_load, by):
    go = slow_to_load("engines.rehearsal_engine")
    worker = real_worker.start(store)
    real_worker.wait_until(worker.run_directory, lambda state: "import" in state.phases)
    if by == "request":
        expected, code = control.ask(worker.run_directory, "stop").id, 10
    else:
        worker.process.send_signal(signal.SIGTERM)
        expected, code = "", 143
    run = real_worker.ended(worker)  # It does not wait for what it will not need.
    go.touch()
    assert (run.exit_code, run.finished.state, run.finished.epochs) == (code, "stopped", 0)
    assert [(event.action, event.id) for event in of_type(run, ControlApplied)] == [("stop", expected)]
    assert not of_type(run, RunStarted)
    assert real_worker.go_on(run.directory).finished.state == "completed"


def test_a_stop_before_training_waits_for_nothing_that_was_asked_before_it(store, slow_to_load):
    slow_to_load("engines.rehearsal_engine")
    worker = real_worker.start(store)
    real_worker.wait_until(worker.run_directory, lambda state: "import" in state.phases)
    control.ask(worker.run_directory, "pause")
    time.sleep(3 * control.POLL_SECONDS)  # It has been looked at.
    stop = control.ask(worker.run_directory, "stop")
    run = real_worker.ended(worker)
    assert (run.exit_code, run.finished.state) == (10, "stopped")
    assert [event.id for event in of_type(run, ControlApplied)] == [stop.id]


def test_what_is_asked_of_a_worker_before_it_has_loaded_anything_is_done_later(store, slow_to_load):
    go = slow_to_load("engines.attempt")
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(real_worker.start, store)
        mishaps.wait_for(go.with_name("go?").exists, "the worker")
        stop = control.ask(store.directories()[0], "stop")
        go.touch()
        run = real_worker.ended(starting.result())
    assert run.exit_code == 10
    assert [event.id for event in of_type(run, ControlApplied)] == [stop.id]


# Failures, each with its own code.


@pytest.mark.parametrize("file", ["missing", "an HTML page"])
def test_a_dataset_that_is_not_there_or_not_what_it_should_be(store, tmp_path, monkeypatch, file):
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:9")  # where nobody answers
    monkeypatch.setenv("HOME", str(tmp_path))
    if file != "missing":
        (tmp_path / "data" / "mnist").mkdir(parents=True)
        (tmp_path / "data" / "mnist" / "train-images-idx3-ubyte").write_text("<html>Please log in</html>")
    run = real_worker.train(store, dataset="mnist", data_dir=str(tmp_path / "data"))
    assert (run.exit_code, run.finished.error.kind) == (4, "dataset")
    assert not of_type(run, RunStarted)


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps"])
def test_a_device_that_is_not_there(store, device):
    run = real_worker.train(store, device=device)
    assert (run.exit_code, run.finished.error.kind) == (6, "unavailable")
    assert run.finished.error.hint


@pytest.mark.parametrize(
    ("framework", "module", "text"),
    [
        ("torch", "torch", "raise RuntimeError('broken \\x1b[31mbuild')"),
        ("torch", "torch", "raise ImportError('no such library')"),
        ("tensorflow", "tensorflow", "import nothing_of_that_name"),
    ],
    ids=["raises", "cannot-be-imported", "lacks-a-part"],
)
def test_a_framework_that_does_not_load(store, python_finds, framework, module, text):
    python_finds(module, text)
    run = real_worker.train(store, framework=framework)
    assert (run.exit_code, run.finished.error.kind) == (6, "unavailable")
    assert framework in run.finished.error.hint
    assert run.finished.error.message.isprintable()
    assert "Traceback" in (run.directory / "worker.log").read_text()


def test_a_bug_is_told_in_one_line_and_its_traceback_is_in_the_log(store, python_finds):
    python_finds("sitecustomize", BROKEN.format(error=r"ValueError('a\n\x1b[31mbug')"))
    run = real_worker.train(store)
    assert (run.exit_code, run.finished.error.kind) == (1, "failed")
    assert run.finished.error.message == "ValueError: a bug."
    assert "worker.log" in run.finished.error.hint
    assert "Traceback" in (run.directory / "worker.log").read_text()


def test_a_machine_without_memory_has_its_own_code(store, python_finds):
    python_finds("sitecustomize", BROKEN.format(error="MemoryError"))
    run = real_worker.train(store)
    assert (run.exit_code, run.finished.error.kind) == (11, "out-of-memory")


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_what_was_finite(store):
    run = real_worker.train(store, lr=1e38)
    assert (run.exit_code, run.finished.error.kind) == (9, "non-finite-loss")
    for told in ("step", "epoch 1", "learning rate 1e+38", "gradient norm"):
        assert told in run.finished.error.message
    last = of_type(run, Batch)[-1]
    assert (last.loss, last.nonfinite) == (None, ["loss"])
    assert not of_type(run, CheckpointSaved)


def test_a_rate_that_goes_wrong_later_leaves_the_last_finite_checkpoint(store):
    worker = real_worker.start(store, epochs=real_worker.LONG)
    directory = worker.run_directory
    real_worker.wait_until(directory, lambda state: state.checkpoints)
    control.ask(directory, "lr", 1e38)
    run = real_worker.ended(worker)
    assert run.exit_code == 9
    assert "last checkpoint before it is kept" in run.finished.error.message
    again = real_worker.go_on(directory, more_epochs=1)
    assert of_type(again, EpochEnded)[0].test_loss < 2.4


def test_a_loss_that_is_not_finite_can_be_trained_on_with(store):
    run = real_worker.train(store, lr=1e38, on_nan="continue")
    assert (run.exit_code, run.finished.state) == (0, "completed")
    assert [event.epoch for event in of_type(run, EpochEnded)] == [1, 2]
    assert of_type(run, EpochEnded)[-1].nonfinite == ["train_loss", "test_loss"]
    assert not of_type(run, CheckpointSaved)
    assert run.finished.test_loss is None
    assert of_type(run, Log)[-1].level == "warning"


@pytest.mark.parametrize(("has_units", "told"), [(False, 1), (True, 0)])
def test_bfloat16_on_a_processor_without_units_for_it_is_warned_of_before_training(
    store, python_finds, has_units, told
):
    python_finds("sitecustomize", f"from engines import processor\nprocessor.has_bfloat16_units = lambda: {has_units}")
    run = real_worker.train(store, precision="bfloat16", epochs=1)
    warnings = [event for event in of_type(run, Log) if event.level == "warning"]
    assert len(warnings) == told
    for warning in warnings:
        assert "--precision auto" in warning.message
        assert warning.seq < of_type(run, Batch)[0].seq


# The target.


def test_a_target_that_is_reached_ends_the_run_early(store):
    run = real_worker.train(store, epochs=real_worker.LONG, target_accuracy=0.5)
    assert (run.exit_code, run.finished.state) == (0, "completed")
    epochs = of_type(run, EpochEnded)
    assert epochs[-1].test_accuracy >= 0.5
    assert all(event.test_accuracy < 0.5 for event in epochs[:-1])
    assert run.finished.epochs == len(epochs) < real_worker.LONG


def test_a_target_that_is_never_reached_has_its_own_code(store):
    run = real_worker.train(store, epochs=2, target_accuracy=1.0)
    assert (run.exit_code, run.finished.state) == (13, "completed")
    assert len(of_type(run, EpochEnded)) == 2


# What is told.


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
