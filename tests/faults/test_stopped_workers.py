"""Workers that stand still, and screens' commands that do: the truth is said, and nothing is lost when they go on."""

import signal

import aftermath
import command_line
import mishaps
import pytest
import real_worker
from held_training import held

from engines import control


def test_a_worker_that_stands_still_is_stalled_and_goes_on_where_it_stood(store, uninterrupted):
    with held(mishaps.EPOCHS - 1):
        worker = mishaps.start(store)
        mishaps.wait_for_epoch(worker.run_directory, 2)
        worker.process.send_signal(signal.SIGSTOP)
        assert real_worker.status_of(worker.run_directory) == "running"
        mishaps.wait_for(lambda: real_worker.status_of(worker.run_directory) == "stalled", "the truth")
        worker.process.send_signal(signal.SIGCONT)
    assert real_worker.ended(worker).exit_code == 0
    aftermath.check(worker.run_directory, "completed", goes_on=False)
    assert aftermath.learned(worker.run_directory) == aftermath.learned(uninterrupted)


def test_a_worker_that_is_killed_while_it_stands_still_has_crashed(store, uninterrupted):
    with held(mishaps.EPOCHS - 1):
        worker = mishaps.start(store)
        mishaps.wait_for_epoch(worker.run_directory, 2)
        worker.process.send_signal(signal.SIGSTOP)
        mishaps.kill(worker)
    aftermath.check(worker.run_directory, "crashed")
    assert aftermath.learned(worker.run_directory) == aftermath.learned(uninterrupted)


def test_a_worker_that_is_killed_while_paused_has_crashed_and_goes_on_unpaused(store, uninterrupted):
    with held(mishaps.EPOCHS - 1):
        worker = mishaps.start(store)
        mishaps.wait_for_epoch(worker.run_directory, 2)
        control.ask(worker.run_directory, "pause")
        real_worker.wait_until(worker.run_directory, lambda state: state.paused)
        mishaps.kill(worker)
    aftermath.check(worker.run_directory, "crashed")
    assert aftermath.learned(worker.run_directory) == aftermath.learned(uninterrupted)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_run_does_not_wait_for_a_command_in_front_of_it_that_stands_still(store, monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with held(1):
        front = command_line.start(*command_line.TRAIN, "--epochs", "30", "--json")
        directory = mishaps.wait_for(store.directories, "the run's directory")[0]
        mishaps.wait_for_epoch(directory, 1)
        front.send_signal(signal.SIGSTOP)
    try:
        mishaps.wait_for(lambda: real_worker.status_of(directory) == "completed", "the end")
    finally:
        front.send_signal(signal.SIGCONT)
    printed, _ = front.communicate()
    assert front.returncode == 0
    assert printed == (directory / "events.jsonl").read_text()
    aftermath.check(directory, "completed", goes_on=False)
