"""A worker as what it is, a process: signals and requests from outside."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import mishaps
import pytest
import real_worker
from real_worker import status_of

from engines import control
from engines.events import Batch, CheckpointSaved, ControlApplied, RunStarted


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


def told_on(worker):
    """Wait until the run has told of more than it has so far: it goes on."""
    told = real_worker.wait_until(worker.run_directory, real_worker.in_training).batch_count
    return real_worker.wait_until(worker.run_directory, lambda state: state.batch_count > told)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_the_first_int_or_term_saves_a_checkpoint_and_stops(running, number, code):
    running.process.send_signal(number)
    run = real_worker.ended(running)
    assert run.exit_code == code
    assert run.finished.state == "stopped"
    assert [(event.action, event.by) for event in run.of_type(ControlApplied)] == [("stop", number.name)]
    newest = run.of_type(CheckpointSaved)[-1]
    told = run.of_type(Batch)[-1]
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
    assert [(event.action, event.id) for event in run.of_type(ControlApplied)] == [("stop", expected)]
    assert not run.of_type(RunStarted)
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
    assert [event.id for event in run.of_type(ControlApplied)] == [stop.id]


def test_what_is_asked_of_a_worker_before_it_has_loaded_anything_is_done_later(store, slow_to_load):
    go = slow_to_load("engines.attempt")
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(real_worker.start, store)
        mishaps.wait_for(go.with_name("go?").exists, "the worker")
        stop = control.ask(store.directories()[0], "stop")
        go.touch()
        run = real_worker.ended(starting.result())
    assert run.exit_code == 10
    assert [event.id for event in run.of_type(ControlApplied)] == [stop.id]
