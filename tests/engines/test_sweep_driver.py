"""A sweep that is driven: which run trains next, and on which GPU, beside spare workers and the queue."""

import fcntl
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import mishaps
import psutil
import pytest
import real_worker
from driven_sweep import EPOCHS, HELD, all_train, drive, stopped_at_last, sweep_of
from held_training import held
from open_files import held_open
from real_worker import spec_of

from engines import begin_lock, launch, run_lock
from engines.places import Places
from engines.problems import StorageProblem
from engines.run_queue import RunQueue
from engines.run_reader import RunReader
from engines.runs import RunStore, read_spec
from engines.sweep_driver import SweepDriver


def test_one_after_another_and_in_order(store):
    sweep = sweep_of(lr=[0.001, 0.01])
    driver = SweepDriver(store, sweep, Places())
    assert driver.progress.to_come == sweep.specs
    ended = drive(driver)
    assert [one.spec for one in ended] == [*sweep.specs]
    assert held_open(store.root) == 0
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


def test_what_cannot_be_begun_is_said(tmp_path):
    (tmp_path / "runs").symlink_to("nowhere")
    driver = SweepDriver(RunStore(tmp_path / "runs"), sweep_of(), Places())
    ended = drive(driver)
    assert [(one.row, "cannot make a run" in one.reason) for one in ended] == [(None, True)] * 2
    assert driver.progress.is_over
    assert driver.progress.failed == 2


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


def test_runs_are_left_to_the_queue_once_nobody_else_begins_one(store, monkeypatch):
    monkeypatch.setattr(RunQueue, "see_to_it", lambda _: None)
    driver = SweepDriver(store, sweep_of(), Places())
    flock, asked = fcntl.flock, threading.Event()

    def note(*how):
        asked.set()
        flock(*how)

    with ThreadPoolExecutor() as pool:
        with begin_lock.hold(store):
            monkeypatch.setattr(fcntl, "flock", note)
            handed_over = pool.submit(driver.hand_over)
            asked.wait()
        assert handed_over.result() == 2


def test_what_was_begun_meanwhile_is_not_left_to_the_queue(store, monkeypatch):
    monkeypatch.setattr(RunQueue, "see_to_it", lambda _: None)
    sweep = sweep_of(seeds=3)
    driver = SweepDriver(store, sweep, Places())
    real_worker.train(store, epochs=1, seed=1)
    os.utime(store.create(sweep.specs[2]), (0, 0))
    assert driver.hand_over() == 1
    assert sweep.waiting(store).keys() == {sweep.specs[0]}
    driver.stop()
    assert [(one.spec, one.is_new) for one in driver.step()] == [(sweep.specs[1], False)]


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
