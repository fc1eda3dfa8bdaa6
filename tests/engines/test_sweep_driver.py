"""A sweep that is driven: what trains at the same time, what a stop leaves, and that the same sweep goes on there."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import mishaps
import psutil
import pytest
import real_worker
import views
from held_training import held
from real_worker import spec_of

from engines import begin_lock, launch, run_lock, sweep_driver
from engines.event_writer import EventWriter
from engines.events import Phase
from engines.launch import Worker
from engines.places import Places
from engines.problems import StorageProblem
from engines.run_queue import RunQueue
from engines.run_reader import RunReader
from engines.runs import RunStore, read_spec
from engines.sweep import expand
from engines.sweep_driver import SweepDriver

EPOCHS, HELD = 3, 2
"""Epochs of a run that a test does something to, and after how many it waits for that."""


def sweep_of(seeds=2, **axes):
    fixed = {"framework": ["rehearsal"], "model": ["nn"], "dataset": ["digits"], "epochs": [1]}
    return expand({**fixed, **axes}, range(seeds))


def drive(driver, until=lambda progress: progress.is_over):
    """Step until it is over, or `until` holds of the progress, and give the runs that ended."""
    ended, end = [], time.monotonic() + real_worker.PATIENCE_SECONDS
    while True:
        ended += driver.step()
        if until(driver.progress):
            return ended
        assert time.monotonic() < end, driver.progress
        time.sleep(0.02)


def all_train(count):
    return lambda progress: len(progress.training) == count and all(run.epoch > 1 for run in progress.training)


@contextmanager
def stopped_at_last(driver):
    yield driver
    driver.stop()
    driver.stop()
    drive(driver)


def test_one_after_another_and_in_order(store):
    sweep = sweep_of(lr=[0.001, 0.01])
    driver = SweepDriver(store, sweep, Places())
    assert driver.progress.to_come == sweep.specs
    ended = drive(driver)
    assert [one.spec for one in ended] == [*sweep.specs]
    times = []
    for one in ended:
        state = RunReader(store.root / one.row.run_id).read_all()
        times += [state.first_time, state.last_time]
    assert times == sorted(times)
    assert driver.progress.completed == 4
    assert not driver.progress.reasons

    again = SweepDriver(store, sweep, Places())
    assert again.progress.is_over
    assert [(one.spec, one.is_new) for one in drive(again)] == [(spec, False) for spec in sweep.specs]
    assert len(store.directories()) == 4


def test_so_many_at_once_are_each_stopped_with_a_checkpoint_and_go_on_there(store):
    sweep = sweep_of(seeds=3, epochs=[EPOCHS])
    driver = SweepDriver(store, sweep, Places(jobs=2))
    with held(HELD):
        drive(driver, all_train(2))
        assert [run.spec for run in driver.progress.training] == [*sweep.specs[:2]]
        assert driver.progress.to_come == sweep.specs[2:]
        driver.stop()
        ended = drive(driver)
    assert [(one.row.state, one.reason) for one in ended] == [("stopped", "")] * 2
    assert driver.progress.is_stopping
    assert len(store.directories()) == 2

    later = SweepDriver(store, sweep, Places(jobs=2))
    assert {one.row.run_id for one in drive(later)[:2]} == {one.row.run_id for one in ended}
    assert later.progress.completed == 3
    for one in ended:
        state = RunReader(store.root / one.row.run_id).read_all()
        assert state.started.attempt == 2
        assert state.started.epochs_done >= 1
        assert len(state.epochs) == EPOCHS
    assert len(store.directories()) == 3


def test_a_sweep_that_was_stopped_goes_on_with_the_same_driver_too(store):
    driver = SweepDriver(store, sweep_of(seeds=1, epochs=[EPOCHS]), Places())
    with held(HELD):
        drive(driver, all_train(1))
        driver.stop()
        drive(driver)
    driver.go_on()
    assert not driver.progress.is_over
    drive(driver)
    assert driver.progress.completed == 1


def test_a_stop_that_comes_while_a_worker_comes_up_reaches_it(store, monkeypatch):
    start = launch.start

    def start_late(*arguments, **settings):
        driver.stop()
        return start(*arguments, **settings)

    monkeypatch.setattr(launch, "start", start_late)
    driver = SweepDriver(store, sweep_of(epochs=[100_000]), Places())
    (ended,) = drive(driver)
    assert ended.row.state == "stopped"


def test_a_worker_that_does_not_stop_is_killed_when_it_is_told_twice(store, monkeypatch):
    monkeypatch.setattr(sweep_driver, "AT_ONCE_SECONDS", 0.05)
    driver = SweepDriver(store, sweep_of(seeds=1, epochs=[100_000]), Places())
    drive(driver, all_train(1))
    worker = psutil.Process(run_lock.holder(driver.progress.training[0].directory / "lock"))
    worker.suspend()
    driver.stop()
    for _ in range(3):
        assert driver.step() == []
        time.sleep(0.06)
    assert worker.status() == psutil.STATUS_STOPPED  # Told once, it has all the time that its checkpoint takes.
    driver.stop()
    (ended,) = drive(driver)
    assert ended.row.state == "crashed"
    assert "SIGKILL" in ended.reason


def test_a_run_whose_worker_dies_at_once_is_crashed_however_young_it_is(store, monkeypatch):
    with subprocess.Popen(["true"]) as process:
        monkeypatch.setattr(launch, "start", lambda of, spec, *_, **__: Worker(of.create(spec), process, 1, 0))
        (ended,) = drive(SweepDriver(store, sweep_of(seeds=1), Places()))
    assert ended.row.state == "crashed"
    assert "the worker died" in ended.reason


def test_a_run_that_dies_or_diverges_is_said_why_and_the_sweep_goes_on(store):
    sweep = sweep_of(seeds=1, lr=[1e38, 0.001, 0.01], epochs=[EPOCHS])
    diverges, dies, _ = sweep.specs
    driver = SweepDriver(store, sweep, Places())
    with held(HELD) as hold:
        drive(
            driver, lambda progress: progress.training and progress.training[0].spec == dies and all_train(1)(progress)
        )
        psutil.Process(run_lock.holder(driver.progress.training[0].directory / "lock")).kill()
        hold.let_on(HELD)
        drive(driver)
    assert driver.progress.completed == 1
    assert [driver.progress.rows[spec].state for spec in sweep.specs] == ["failed", "crashed", "completed"]
    assert "the loss is nan" in driver.progress.reasons[diverges]
    assert "killed by SIGKILL" in driver.progress.reasons[dies]
    driver.go_on()
    drive(driver)
    assert driver.progress.rows[dies].state == "completed"
    assert driver.progress.reasons.keys() == {diverges}


def test_what_cannot_be_begun_is_said(tmp_path):
    (tmp_path / "runs").symlink_to("nowhere")
    driver = SweepDriver(RunStore(tmp_path / "runs"), sweep_of(), Places())
    ended = drive(driver)
    assert [(one.row, "cannot make a run" in one.reason) for one in ended] == [(None, True)] * 2
    assert driver.progress.is_over
    assert driver.progress.failed == 2


def test_a_run_that_somebody_else_trains_is_waited_for_and_not_stopped(store):
    other = real_worker.start(store, epochs=100_000)
    real_worker.wait_until(other.run_directory, real_worker.in_training)
    sweep = sweep_of(epochs=[100_000])
    driver = SweepDriver(store, sweep, Places())
    drive(driver, all_train(1))
    (run,) = driver.progress.training
    assert (run.directory, run.is_ours) == (other.run_directory, False)
    assert driver.progress.to_come == sweep.specs[1:]
    driver.stop()
    (ended,) = drive(driver)
    assert ended.row.state == "running"
    assert other.process.poll() is None
    other.process.terminate()
    other.process.wait()
    assert len(store.directories()) == 1


def test_two_at_once_train_each_run_once_and_both_have_all_of_them(store):
    sweep = sweep_of(seeds=4)
    drivers = [SweepDriver(store, sweep, Places()) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(drive, drivers))
    assert len(store.directories()) == 4
    for driver, ended in zip(drivers, both, strict=True):
        assert sorted(one.spec.seed for one in ended) == [0, 1, 2, 3]
        assert driver.progress.completed == 4
        assert not driver.progress.reasons


def test_a_run_that_somebody_else_completed_meanwhile_is_done(store):
    driver = SweepDriver(store, sweep_of(seeds=3), Places())
    other = real_worker.train(store, epochs=1, seed=1)
    ended = drive(driver)
    assert {one.spec.seed: one.is_new for one in ended} == {0: True, 1: False, 2: True}
    assert driver.progress.rows[driver.sweep.specs[1]].run_id == other.directory.name
    assert len(store.directories()) == 3


def test_a_run_that_somebody_else_began_meanwhile_and_stopped_goes_on(store):
    driver = SweepDriver(store, sweep_of(seeds=1, epochs=[EPOCHS]), Places())
    with held(HELD):
        other = real_worker.start(store, epochs=EPOCHS)
        real_worker.wait_until(other.run_directory, lambda state: state.epochs)
        other.process.terminate()
        other.process.wait()
    (ended,) = drive(driver)
    assert (ended.row.run_id, ended.row.state, ended.row.attempt) == (other.run_directory.name, "completed", 2)


def test_a_stopped_run_that_somebody_else_completed_meanwhile_is_done(store):
    sweep = sweep_of(seeds=1, epochs=[EPOCHS])
    first = SweepDriver(store, sweep, Places())
    with held(HELD):
        drive(first, all_train(1))
        first.stop()
        (stopped,) = drive(first)
    later = SweepDriver(store, sweep, Places())
    real_worker.go_on(store.root / stopped.row.run_id)
    (ended,) = drive(later)
    assert (ended.row.state, ended.is_new, ended.reason) == ("completed", False, "")


def test_a_run_whose_worker_is_about_to_come_up_is_waited_for(store):
    driver = SweepDriver(store, sweep_of(seeds=1), Places())
    directory = store.create(driver.sweep.specs[0])
    driver.step()
    assert [run.is_ours for run in driver.progress.training] == [False]
    launch.begin(directory)
    (ended,) = drive(driver)
    assert (ended.row.state, ended.row.attempt) == ("completed", 1)


def test_while_somebody_else_begins_a_run_nothing_is_begun_and_a_stop_is_heard(store):
    driver = SweepDriver(store, sweep_of(), Places())
    with begin_lock.hold(store):
        assert driver.step() == []
        assert driver.progress.to_come == driver.sweep.specs
        driver.stop()
        driver.step()
        assert driver.progress.is_over
    driver.go_on()
    drive(driver)
    assert driver.progress.completed == 2


def test_a_run_that_was_queued_meanwhile_is_taken_out_before_it_is_trained(store, monkeypatch):
    monkeypatch.setattr(RunQueue, "see_to_it", lambda _: None)
    driver = SweepDriver(store, sweep_of(), Places())
    other = spec_of(epochs=3)
    RunQueue(store).add([*driver.sweep.specs, other])
    drive(driver)
    assert [order.spec for order in RunQueue(store).orders()] == [other]


def test_each_gpu_has_a_run_of_its_own_and_auto_stays_auto(store, monkeypatch):
    given = []
    start = launch.start

    def noting(of, spec, spare, *, device):
        given.append(device)
        return start(of, spec, spare, device=device)

    monkeypatch.setattr(launch, "start", noting)
    sweep = sweep_of(seeds=4, epochs=[EPOCHS])
    driver = SweepDriver(store, sweep, Places(("cuda:0", "cuda:1")))
    with held(HELD), stopped_at_last(driver):
        drive(driver, all_train(2))
        assert given == ["cuda:0", "cuda:1"]
        assert len(driver.progress.to_come) == 2
    assert {read_spec(run).device for run in store.directories()} == {"auto"}
    assert sweep.find_runs(store.directories()).keys() == {*sweep.specs[:2]}


@pytest.mark.parametrize("begun", [False, True])
def test_a_run_gets_the_gpu_that_no_others_run_says_it_trains_on(store, feign, monkeypatch, begun):
    given = []

    def refuse(*_, device, **__):
        given.append(device)
        raise StorageProblem("the disk is full.", "Free some of it.")

    monkeypatch.setattr(launch, "go_on" if begun else "start", refuse)
    sweep = sweep_of()
    if begun:
        os.utime(store.create(sweep.specs[0]), (0, 0))
    feign("NVIDIA H200 (cuda:0)", epochs=1, seed=1)
    driver = SweepDriver(store, sweep, Places(("cuda:1", "cuda:0")))
    driver.step()
    assert given == ["cuda:1"]


def test_while_a_gpu_trains_a_spare_worker_imports_for_the_next_run(store, spares):
    driver = SweepDriver(store, sweep_of(seeds=3, epochs=[EPOCHS]), Places(["cuda:0"]))
    with held(HELD):
        drive(driver, lambda _: spares and spares[0].is_ready())
        psutil.Process(run_lock.holder(driver.progress.training[0].directory / "lock")).kill()
        drive(driver, lambda progress: len(progress.to_come) == 1)
        (second,) = driver.progress.training
        assert mishaps.worker_of(second.directory) == spares[0].process.pid
        drive(driver, lambda _: len(spares) == 2)
        driver.stop()
        assert [one.row.state for one in drive(driver)] == ["stopped"]
    assert not any(spare.is_alive() for spare in spares)


def test_a_processor_that_trains_has_no_spare_worker_beside_it(store, spares):
    drive(SweepDriver(store, sweep_of(), Places()))
    assert not spares


def test_a_run_on_any_gpu_is_one_that_auto_asked_for_and_one_on_the_processor_is_not(store):
    sweep = sweep_of(seeds=2)
    store.create(spec_of(epochs=1, seed=0, device="cuda:1", data_dir="/elsewhere"))
    store.create(spec_of(epochs=1, seed=1, device="cpu"))
    assert sweep.find_runs(store.directories()).keys() == {sweep.specs[0]}


def test_what_is_left_to_the_queue_is_taken_back_and_not_trained_twice(store, monkeypatch):
    monkeypatch.setattr(RunQueue, "see_to_it", lambda _: None)
    sweep = sweep_of(seeds=3, epochs=[EPOCHS])
    driver = SweepDriver(store, sweep, Places())
    with held(HELD):
        drive(driver, all_train(1))
        assert driver.hand_over() == 2
        assert sweep.waiting(store).keys() == {*sweep.specs[1:]}
        assert not driver.progress.is_over
    drive(driver)
    assert driver.progress.completed == 1

    sweep.take_back(store, sweep.specs)
    assert not RunQueue(store).orders()
    drive(later := SweepDriver(store, sweep, Places(jobs=2)))
    assert later.progress.completed == 3
    assert len(store.directories()) == 3


def test_a_worker_is_killed_that_does_not_leave_after_its_end_and_not_after_that_of_the_attempt_before(
    store, monkeypatch
):
    sweep = sweep_of(seeds=1, epochs=[EPOCHS])
    first = SweepDriver(store, sweep, Places())
    with held(HELD):
        drive(first, all_train(1))
        first.stop()
        (ended,) = drive(first)
    monkeypatch.setattr(sweep_driver, "LEAVE_SECONDS", 0.05)
    with subprocess.Popen(["sleep", "100"]) as process:
        monkeypatch.setattr(launch, "go_on", lambda directory, **_: Worker(directory, process, 2, 0))
        driver = SweepDriver(store, sweep, Places())
        driver.step()
        driver.step()
        began = Phase(name="import", state="started", done=0, total=1, unit="frameworks", seconds=0.0)
        writer = EventWriter(store.root / ended.row.run_id / "events.jsonl")
        writer.write(began)
        driver.step()
        time.sleep(0.1)
        driver.step()
        driver.step()
        assert process.poll() is None
        writer.write(views.finished())
        writer.close()
        drive(driver)
    assert process.returncode == -signal.SIGKILL
