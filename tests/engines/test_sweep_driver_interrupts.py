"""A sweep that is stopped, whose workers die or whose runs somebody else has at work: it goes on there, once each."""

import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import real_worker
import views
from driven_sweep import EPOCHS, HELD, all_train, drive, sweep_of
from held_training import held
from open_files import held_open

from engines import begin_lock, launch, run_lock
from engines.event_writer import EventWriter
from engines.events import Phase
from engines.launch import Worker
from engines.places import Places
from engines.run_reader import RunReader
from engines.sweep_driver import SweepDriver


def test_so_many_at_once_are_each_stopped_with_a_checkpoint_and_go_on_there(store, monkeypatch):
    sweep = sweep_of(seeds=3, epochs=[EPOCHS])
    driver = SweepDriver(store, sweep, Places(jobs=2))
    with held(HELD):
        drive(driver, all_train(2))
        assert [run.spec for run in driver.progress.training] == [*sweep.specs[:2]]
        assert driver.progress.to_come == sweep.specs[2:]
        with monkeypatch.context() as patch:
            patch.setattr(begin_lock, "hold", lambda _: pytest.fail("kept others from beginning a run, with no place"))
            assert driver.step() == []
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
        driver.go_on()
        assert driver.progress.to_come == ()  # It still stops.
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


def test_a_signal_that_comes_while_a_stop_is_passed_on_is_passed_on_too(store, monkeypatch):
    driver = SweepDriver(store, sweep_of(seeds=1, epochs=[100_000]), Places())
    drive(driver, all_train(1))
    sent = []

    def send(_, number):
        sent.append(number)
        if len(sent) == 1:
            driver.stop(signal.SIGTERM)

    monkeypatch.setattr(subprocess.Popen, "send_signal", send)
    driver.stop()
    assert sent == [signal.SIGINT, signal.SIGTERM]


def test_a_worker_that_does_not_stop_is_killed_when_it_is_told_twice(store, monkeypatch):
    monkeypatch.setattr(launch, "AT_ONCE_SECONDS", 0.05)
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
        driver = SweepDriver(store, sweep_of(), Places())
        ended = drive(driver)
    assert [row.state for row in driver.progress.rows.values()] == ["crashed"] * 2
    for one in ended:
        assert one.row.state == "crashed"
        assert "the worker died" in one.reason


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
    assert driver.progress.to_come == (diverges, dies)
    drive(driver)
    assert driver.progress.rows[dies].state == "completed"
    assert driver.progress.reasons.keys() == {diverges}


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


def test_a_run_that_is_done_stays_so_whatever_somebody_else_begins(store):
    real_worker.train(store, epochs=1, seed=0)
    driver = SweepDriver(store, sweep_of(), Places())
    store.create(driver.sweep.specs[0])
    drive(driver)
    assert driver.progress.completed == 2


def test_a_run_that_somebody_else_began_meanwhile_and_stopped_goes_on(store):
    driver = SweepDriver(store, sweep_of(seeds=1, epochs=[EPOCHS]), Places())
    with held(HELD):
        other = real_worker.start(store, epochs=EPOCHS)
        real_worker.wait_until(other.run_directory, lambda state: state.epochs)
        other.process.terminate()
        other.process.wait()
    (ended,) = drive(driver)
    assert (ended.row.run_id, ended.row.state, ended.row.attempt) == (other.run_directory.name, "completed", 2)


def stop_the_run_of(store, sweep):
    """Train the only run of a sweep until it is stopped, and give how it ended."""
    driver = SweepDriver(store, sweep, Places())
    with held(HELD):
        drive(driver, all_train(1))
        driver.stop()
        (ended,) = drive(driver)
    return ended


def test_a_stopped_run_that_somebody_else_completed_meanwhile_is_done(store):
    sweep = sweep_of(seeds=1, epochs=[EPOCHS])
    stopped = stop_the_run_of(store, sweep)
    later = SweepDriver(store, sweep, Places())
    real_worker.go_on(store.root / stopped.row.run_id)
    (ended,) = drive(later)
    assert (ended.row.state, ended.is_new, ended.reason) == ("completed", False, "")


def test_a_stopped_run_that_somebody_else_goes_on_with_this_very_moment_is_waited_for(store, monkeypatch):
    sweep, go_on = sweep_of(seeds=1, epochs=[EPOCHS]), launch.go_on

    def go_on_too_late(directory, **settings):
        go_on(directory)
        return go_on(directory, **settings)

    with held(HELD):
        first = SweepDriver(store, sweep, Places())
        drive(first, all_train(1))
        first.stop()
        drive(first)
        monkeypatch.setattr(launch, "go_on", go_on_too_late)
        later = SweepDriver(store, sweep, Places())
        later.step()
        assert [run.is_ours for run in later.progress.training] == [False]
    (ended,) = drive(later)
    assert (ended.row.state, ended.row.attempt, ended.reason) == ("completed", 2, "")


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
    assert held_open(store.root) == 0
    driver.go_on()
    drive(driver)
    assert driver.progress.completed == 2


def test_a_worker_is_killed_that_does_not_leave_after_its_end_and_not_after_that_of_the_attempt_before(
    store, monkeypatch
):
    sweep = sweep_of(seeds=1, epochs=[EPOCHS])
    ended = stop_the_run_of(store, sweep)
    monkeypatch.setattr(launch, "LEAVE_SECONDS", 0.05)
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
