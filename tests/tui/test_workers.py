import os
import signal

import pytest
import real_worker

from engines import launch
from engines.launch import Spare
from engines.problems import CheckpointProblem, StorageProblem, Unavailable, WorkerDied
from engines.run_queue import RunQueue
from engines.runs import RunStore
from engines.spec import RunSpec
from tui.warm_spare import WarmSpare
from tui.workers import Workers


@pytest.fixture
def warm():
    warm = WarmSpare()
    yield warm
    warm.end()


def have(warm, framework, **asked):
    warm.want(real_worker.spec_of(framework=framework, **asked) if framework else None)
    warm.adjust()
    return warm._spare


def test_one_spare_is_kept_as_long_as_it_is_wanted(warm):
    first = have(warm, "rehearsal")
    assert have(warm, "rehearsal") is first
    assert first.is_alive()
    assert have(warm, "") is None
    assert first.process.returncode == -signal.SIGKILL


def test_a_spare_of_another_framework_takes_its_place(warm):
    first = have(warm, "rehearsal")
    second = have(warm, "torch")
    assert (first.process.returncode, second.framework) == (-signal.SIGKILL, "torch")


def test_the_spare_stays_where_only_its_run_changes(warm):
    first = have(warm, "rehearsal", epochs=3)
    assert have(warm, "rehearsal", epochs=4) is first


def test_a_spare_that_died_is_replaced(warm):
    first = have(warm, "rehearsal")
    first.process.kill()
    first.process.wait()
    assert have(warm, "rehearsal").is_alive()


def test_a_spare_that_was_taken_belongs_to_the_taker(warm):
    spare = have(warm, "rehearsal")
    assert warm.take() is spare
    warm.adjust()
    assert warm._spare is None
    assert spare.is_alive()
    spare.end()


def test_no_room_for_a_spare_is_no_trouble(warm, monkeypatch):
    def refuse(_framework):
        raise WorkerDied("no process could be started.", "Free some memory.")

    monkeypatch.setattr("engines.launch.Spare", refuse)
    assert have(warm, "rehearsal") is None


def test_a_spare_ends_by_itself_when_its_app_is_gone():
    spare = Spare("rehearsal")
    spare.process.stdin.close()  # What the kernel does for an app that was killed.
    assert spare.process.wait(real_worker.PATIENCE_SECONDS) == 0
    spare.process.stdout.close()


def test_a_run_is_trained_by_the_spare_that_fits(store):
    workers = Workers(store)
    spare = have(workers.spare, "rehearsal")
    worker = workers.start(real_worker.spec_of(epochs=1))
    assert worker.process.pid == spare.process.pid
    assert real_worker.ended(worker).exit_code == 0


def test_a_spare_that_does_not_fit_is_ended_and_the_run_starts_all_the_same(store):
    workers = Workers(store)
    spare = have(workers.spare, "torch")
    worker = workers.start(real_worker.spec_of(epochs=1))
    assert spare.process.returncode == -signal.SIGKILL
    assert real_worker.ended(worker).exit_code == 0


def test_a_start_that_fails_leaves_no_spare_behind(tmp_path):
    (tmp_path / "file").write_text("in the way")
    workers = Workers(RunStore(tmp_path / "file"))
    spare = have(workers.spare, "rehearsal")
    with pytest.raises(StorageProblem):
        workers.start(real_worker.spec_of())
    assert spare.process.returncode == -signal.SIGKILL


def test_a_run_that_cannot_go_on_says_why(store, finished_run):
    for file in (finished_run / "checkpoints").iterdir():
        file.unlink()
    with pytest.raises(CheckpointProblem):
        Workers(store).go_on(finished_run, 1)


def test_an_ended_worker_is_reaped(store):
    workers = Workers(store)
    worker = launch.start(store, real_worker.spec_of(epochs=1))
    workers._running.append(worker)
    os.waitid(os.P_PID, worker.process.pid, os.WEXITED | os.WNOWAIT)  # It is a zombie from here on.
    workers.reap()
    assert workers._running == []
    assert worker.process.returncode == 0


def test_farewell_names_what_goes_on(store, finished_run, live_run):
    workers = Workers(store)
    assert workers.farewell() == ""
    workers.watch(finished_run)
    workers.watch(live_run.run_directory)
    workers.watch(live_run.run_directory)
    assert live_run.run_directory.name in workers.farewell()
    assert finished_run.name not in workers.farewell()
    other = workers.start(real_worker.spec_of(epochs=100_000))
    assert workers.farewell().startswith("2 runs go on; list them with: mnist-tui")
    other.process.kill()
    other.process.wait()


def test_farewell_counts_what_waits(store, live_run):
    workers = Workers(store)
    directories = workers.queue([real_worker.spec_of(seed=seed) for seed in (1, 2)])
    assert workers.farewell().startswith("2 runs wait in the queue; list them with: mnist-tui")
    workers.watch(live_run.run_directory)
    assert workers.farewell().startswith("1 run goes on, 2 runs wait in the queue; list them with: mnist-tui")
    for directory in directories:
        RunQueue(store).remove(directory.name)


def test_a_race_of_what_is_not_installed_starts_nothing(store, monkeypatch):
    monkeypatch.setattr("tui.options.find_spec", lambda name: None if name == "tensorflow" else object())
    with pytest.raises(Unavailable):
        Workers(store).race([RunSpec(), RunSpec(framework="tensorflow")], beside=False)
    assert not RunQueue(store).orders()
