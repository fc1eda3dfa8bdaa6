"""Workers that are killed: wherever it happens, the run goes on and ends as one that nothing happened to."""

import os
import shutil
import signal
import time
from contextlib import closing

import aftermath
import command_line
import mishaps
import pytest
import real_worker
from held_training import held

from engines import launch
from engines.run_reader import LOCKING_SECONDS, RunReader


def check_same_end(directory, uninterrupted):
    aftermath.check(directory, "crashed")
    assert aftermath.learned(directory) == aftermath.learned(uninterrupted)


@pytest.mark.parametrize("phase", ["import", "data", "build", "train"])
def test_a_run_killed_as_a_phase_begins_ends_like_one_that_was_not(store, uninterrupted, phase):
    with held(mishaps.EPOCHS - 1):
        worker = mishaps.start(store)
        real_worker.wait_until(worker.run_directory, lambda state: phase in state.phases)
        assert mishaps.kill(worker) == -signal.SIGKILL
    check_same_end(worker.run_directory, uninterrupted)


@pytest.mark.parametrize("epoch", range(1, 6))
@pytest.mark.parametrize("milliseconds", [0, 17])
def test_a_run_killed_in_an_epoch_ends_like_one_that_was_not(store, uninterrupted, epoch, milliseconds):
    with held(mishaps.EPOCHS - 1):
        worker = mishaps.start(store)
        mishaps.wait_for_epoch(worker.run_directory, epoch)
        time.sleep(milliseconds / 1000)  # Any instant will do: at once is while the epoch's checkpoint is written.
        assert mishaps.kill(worker) == -signal.SIGKILL
    check_same_end(worker.run_directory, uninterrupted)


def test_a_run_killed_in_each_of_its_attempts_ends_like_one_that_was_not(store, uninterrupted):
    with held(mishaps.EPOCHS - 1):
        worker = mishaps.start(store)
        for epoch in (1, 2, 3, 4, 5):
            mishaps.wait_for_epoch(worker.run_directory, epoch)
            mishaps.kill(worker)
            worker = launch.go_on(worker.run_directory)
        mishaps.kill(worker)
    check_same_end(worker.run_directory, uninterrupted)


@pytest.mark.parametrize("lines", [1, 2, 3, 4, 5])
def test_a_run_killed_while_its_results_are_worked_out_ends_like_one_that_was_not(store, uninterrupted, lines):
    directory = shutil.copytree(uninterrupted, store.root / uninterrupted.name)
    events = directory / "events.jsonl"
    events.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:-lines]))
    check_same_end(directory, uninterrupted)


FAULTS = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGILL: "illegal instruction",
}


@pytest.mark.parametrize("number", FAULTS, ids=lambda number: number.name)
def test_a_worker_that_faults_is_told_of_by_its_fault_and_the_run_goes_on(store, uninterrupted, number):
    with held(mishaps.EPOCHS - 1):
        worker = mishaps.start(store)
        mishaps.wait_for_epoch(worker.run_directory, 2)
        assert launch.describe_exit(mishaps.kill(worker, number)) == f"it was killed by {number.name}"
    told = command_line.run("show", "last").stdout
    assert f"died: {FAULTS[number]}" in told
    assert f"--continue-from {worker.run_directory.name}" in told
    assert "Extension modules" not in told, "the stack is no last word"
    check_same_end(worker.run_directory, uninterrupted)


def test_a_killed_worker_is_told_of_with_what_it_may_have_died_of_and_the_way_on(store):
    with held(mishaps.EPOCHS - 1):
        worker = mishaps.start(store)
        mishaps.wait_for_epoch(worker.run_directory, 2)
        mishaps.kill(worker)
    told = command_line.run("show", "last").stdout
    assert "crashed" in told
    assert "memory" in told
    assert f"--continue-from {worker.run_directory.name}" in told


def test_a_run_whose_worker_was_killed_before_its_first_word_is_not_taken_for_one_that_starts(store, uninterrupted):
    with held(0):
        worker = mishaps.start(store)
        mishaps.kill(worker)
    (worker.run_directory / "events.jsonl").write_bytes(b"")
    os.utime(worker.run_directory / "lock", (0, time.time() - 2 * LOCKING_SECONDS))
    check_same_end(worker.run_directory, uninterrupted)


def test_a_run_that_ended_between_two_looks_is_never_called_crashed(store):
    """Its last event may come after a reader has read, and its lock be free before that reader looks there."""
    worker = mishaps.start(store, epochs=1)
    with closing(RunReader(worker.run_directory)) as reader:
        mishaps.wait_for(reader.advance, "an event")
        worker.process.wait(real_worker.PATIENCE_SECONDS)
        assert reader.status() == "completed"


@pytest.mark.slow
@pytest.mark.parametrize(("framework", "tolerance"), [("torch", 0), ("tensorflow", 1e-4)])
def test_a_killed_run_of_a_real_framework_ends_like_one_that_was_not(store, framework, tolerance):
    asked = {"framework": framework, "epochs": 3}
    whole = mishaps.start(store, **asked)
    real_worker.ended(whole)
    with held(2):
        worker = mishaps.start(store, **asked)
        mishaps.wait_for_epoch(worker.run_directory, 1)
        assert mishaps.kill(worker) == -signal.SIGKILL
    aftermath.check(worker.run_directory, "crashed")
    (figures, weights), (expected, same_weights) = (
        aftermath.learned(directory) for directory in (worker.run_directory, whole.run_directory)
    )
    for epoch, expected_epoch in zip(figures, expected, strict=True):
        assert epoch[:5] == pytest.approx(expected_epoch[:5], abs=tolerance)
    if not tolerance:
        assert weights == same_weights
