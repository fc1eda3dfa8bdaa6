"""Runs that wait: what is asked of the queue, and that they begin one after another, whoever is killed meanwhile."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

import mishaps
import psutil
import pytest
import real_worker
from held_training import held
from open_files import held_open
from real_worker import spec_of, status_of

from engines import begin_lock, launch, queue_keeper
from engines.label import Label, read_label
from engines.problems import RunBusy, RunNotFound, StorageProblem, UsageProblem
from engines.queue_keeper import QueueKeeper
from engines.run_queue import BEGUN, RunQueue
from engines.run_reader import RunReader
from engines.runs import RunStore, new_run_id, read_spec


@pytest.fixture
def queue(store):
    return RunQueue(store)


@pytest.fixture
def unkept(queue, monkeypatch):
    """A queue for which nobody is started that would begin its runs."""
    monkeypatch.setattr(queue, "see_to_it", lambda: None)
    return queue


def ids(queue):
    return [order.run_id for order in queue.waiting()]


def test_orders_keep_their_order_can_be_moved_and_taken_out(unkept):
    first, second, third = unkept.add([spec_of(seed=seed) for seed in (1, 2, 3)], Label(name="seeds", tags=("sweep",)))
    assert ids(unkept) == [first, second, third]
    assert unkept.waiting()[1].spec.seed == 2
    unkept.move_up(third)
    unkept.move_up(third)
    unkept.move_up(third)
    assert ids(unkept) == [third, first, second]
    unkept.move_up(second)
    assert ids(unkept) == [third, second, first]
    unkept.remove(second)
    assert ids(unkept) == [third, first]
    for action in (unkept.remove, unkept.move_up):
        with pytest.raises(RunNotFound):
            action(second)
    row = unkept.waiting()[0].summary()
    assert (row.state, row.name, row.tags, row.run_id) == ("queued", "seeds", ("sweep",), third)


def test_the_first_of_many_stays_the_first_when_it_is_moved_up(unkept):
    given = unkept.add([spec_of()] * 5)
    unkept.move_up(given[0])
    assert ids(unkept) == given


def test_a_run_that_begins_while_it_is_moved_or_taken_out_is_busy(unkept, monkeypatch):
    first, second = unkept.add([spec_of()] * 2)
    stale = unkept.orders()
    monkeypatch.setattr(unkept, "orders", lambda: stale)
    for order in stale:
        order.path.rename(order.path.with_suffix(BEGUN))
    for action in (unkept.remove, unkept.move_up):
        with pytest.raises(RunBusy, match=second):
            action(second)
    stale[0].path.mkdir()
    with pytest.raises(StorageProblem, match="cannot change the queue"):
        unkept.remove(first)


def test_what_makes_no_sense_together_leaves_the_queue_as_it_was(unkept):
    with pytest.raises(UsageProblem, match="Hold out fewer"):
        unkept.add([spec_of(), spec_of(validation=100_000)])
    assert ids(unkept) == []


def test_what_cannot_be_told_as_text_is_refused_in_words(unkept, store):
    with pytest.raises(UsageProblem, match="not UTF-8"):
        unkept.add([spec_of(data_dir=os.fsdecode(b"data\xff"))])
    with pytest.raises(UsageProblem, match="not UTF-8"):
        RunQueue(RunStore(store.root / os.fsdecode(b"runs\xff"))).add([spec_of()])
    assert not store.root.exists()


def test_a_clock_put_back_puts_no_run_before_those_that_wait(unkept, monkeypatch):
    given = unkept.add([spec_of(), spec_of()])
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    given += unkept.add([spec_of(), spec_of()])
    assert ids(unkept) == given
    unkept.move_up(given[3])
    assert ids(unkept) == [*given[:2], given[3], given[2]]


def test_a_waiting_run_is_no_run_yet_and_its_owners_alone(unkept, store):
    unkept.add([spec_of()])
    assert store.directories() == []
    assert unkept.folder.stat().st_mode & 0o777 == 0o700


def test_a_queue_that_cannot_be_written_is_told(unkept, store):
    store.make_root()
    unkept.folder.write_text("no folder")
    with pytest.raises(StorageProblem, match="cannot queue a run"):
        unkept.add([spec_of()])


def test_nobody_is_started_for_a_queue_in_which_nothing_waits(queue, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a keeper was started"))
    queue.see_to_it()


def test_many_adders_at_once_lose_nothing_and_give_no_id_twice(unkept):
    given = []
    adders = [threading.Thread(target=lambda: given.extend(unkept.add([spec_of()] * 20))) for _ in range(4)]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()
    assert len(set(given)) == 80
    assert sorted(ids(unkept)) == sorted(given)


def test_what_is_no_order_is_passed_over(unkept):
    (kept,) = unkept.add([spec_of()])
    (unkept.folder / f"{1:020}-torn.json").write_text('{"spec": {')
    (unkept.folder / "notes.txt").write_text("mine")
    never = unkept.waiting()[0].path.read_text().replace('"validation":0', '"validation":100000')
    (unkept.folder / f"{2:020}-{new_run_id(spec_of())}.json").write_text(never)
    assert "100000" in never
    assert ids(unkept) == [kept]


def test_runs_begin_one_after_another_and_the_keeper_ends(queue, store):
    given = queue.add([spec_of(seed=seed, epochs=1) for seed in (1, 2)], Label(name="pair"))
    mishaps.wait_for_queued(queue, given)
    began_and_ended = []
    for run_id in given:
        state = RunReader(store.root / run_id).read_all()
        assert state.finished.state == "completed"
        assert read_label(store.root / run_id).name == "pair"
        began_and_ended += [state.first_time, state.last_time]
    assert began_and_ended == sorted(began_and_ended)
    assert queue.orders() == []
    mishaps.wait_for(lambda: mishaps.worker_of(queue.folder) is None, "the keeper's end")


def test_a_run_waits_for_one_that_was_started_beside_the_queue(unkept, store, running):
    (waiting,) = unkept.add([spec_of()])
    keeper = QueueKeeper(store)
    assert keeper.step()
    assert ids(unkept) == [waiting]
    running.process.kill()
    running.process.wait()
    assert keeper.step()
    assert not unkept.orders()
    real_worker.wait_until(store.root / waiting, lambda state: state.finished)
    assert not keeper.step()
    assert held_open(store.root) == 0


def test_a_run_waits_too_for_one_whose_spec_is_gone(unkept, store, feign):
    feign("CPU")
    (store.directories()[0] / "spec.json").unlink()
    (waiting,) = unkept.add([spec_of()])
    assert QueueKeeper(store).step()
    assert ids(unkept) == [waiting]


def test_while_a_run_waits_only_those_that_are_alive_are_looked_at(unkept, store, running, monkeypatch):
    unkept.add([spec_of()])
    keeper = QueueKeeper(store)
    assert keeper.step()
    monkeypatch.setattr(store, "alive", lambda: pytest.fail("all runs were looked at again"))
    assert keeper.step()


@pytest.mark.parametrize(("device", "asked"), [("NVIDIA H200 (cuda:0)", "auto"), (None, "cuda:0")])
def test_a_run_begins_on_the_gpu_that_no_other_has_or_is_to_have(unkept, store, feign, device, asked):
    feign(device, device=asked)
    (run_id,) = unkept.add([spec_of()])
    assert QueueKeeper(store, ["cuda:1", "cuda:0"]).step()
    assert read_spec(store.root / run_id).device == "cuda:1"


def test_a_run_taken_out_the_very_moment_it_would_begin_is_not_begun(unkept, store, monkeypatch):
    (run_id,) = unkept.add([spec_of()])
    hold = begin_lock.hold

    def hold_too_late(of):
        unkept.remove(run_id)
        return hold(of)

    monkeypatch.setattr(begin_lock, "hold", hold_too_late)
    assert QueueKeeper(store).step()
    assert store.directories() == []


def test_a_run_that_the_disk_refuses_waits_on(unkept, store, monkeypatch):
    (waiting,) = unkept.add([spec_of()])
    with monkeypatch.context() as patch:
        patch.setattr(store, "create", lambda *_: refuse())
        with pytest.raises(StorageProblem):
            QueueKeeper(store).step()
    assert ids(unkept) == [waiting]


def refuse():
    raise StorageProblem("the disk is full.", "Free some of it.")


def test_a_keeper_that_the_disk_refuses_says_so_and_tries_again(unkept, store, monkeypatch, capsys):
    (run_id,) = unkept.add([spec_of()])
    steps = iter([refuse, lambda: True, lambda: unkept.remove(run_id)])
    monkeypatch.setattr(QueueKeeper, "step", lambda _: next(steps)())
    monkeypatch.setattr(queue_keeper, "find_gpus", tuple)
    for pause in ("POLL_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(queue_keeper, pause, 0)
    queue_keeper.keep(store.root)
    assert next(steps, None) is None
    assert "the disk is full" in capsys.readouterr().err


def test_while_a_gpu_trains_a_spare_worker_imports_for_the_run_that_waits(unkept, store, running, spares):
    first, second = unkept.add([spec_of(seed=seed) for seed in (1, 2)])
    keeper = QueueKeeper(store, ["cuda:0"])
    with held(0):
        assert keeper.step()
        mishaps.wait_for(spares[0].is_ready, "a spare that is ready")
        running.process.kill()
        running.process.wait()
        assert keeper.step()
        assert mishaps.worker_of(store.root / first) == spares[0].process.pid
        assert keeper.step()
        assert len(spares) == 2
        unkept.remove(second)
        assert not keeper.step()
        assert not spares[1].is_alive()


def test_a_run_waits_while_a_sweep_begins_one_that_may_be_the_same(unkept, store):
    (waiting,) = unkept.add([spec_of()])
    keeper = QueueKeeper(store)
    with begin_lock.hold(store):
        assert keeper.step()
        assert ids(unkept) == [waiting]
    assert keeper.step()
    real_worker.wait_until(store.root / waiting, lambda state: state.finished)


def test_a_killed_worker_holds_nobody_up(queue, store):
    doomed, heir = queue.add([spec_of(epochs=100_000), spec_of()])
    pid = mishaps.wait_for(lambda: mishaps.worker_of(store.root / doomed), "the worker")
    psutil.Process(pid).kill()
    mishaps.wait_for_queued(queue, [heir])
    assert status_of(store.root / heir) == "completed"


def test_a_killed_keeper_is_replaced_by_whoever_sees_a_waiting_run(queue, store):
    present, heir = queue.add([spec_of(epochs=100_000), spec_of()])
    worker = mishaps.wait_for(lambda: mishaps.worker_of(store.root / present), "the worker")
    psutil.Process(mishaps.wait_for(lambda: mishaps.worker_of(queue.folder), "the keeper")).kill()
    mishaps.wait_for(lambda: mishaps.worker_of(queue.folder) is None, "the keeper's end")
    assert psutil.Process(worker).is_running()
    queue.see_to_it()
    mishaps.wait_for(lambda: mishaps.worker_of(queue.folder), "the keeper")
    assert ids(queue) == [heir]
    psutil.Process(worker).kill()
    mishaps.wait_for_queued(queue, [heir])
    assert status_of(store.root / heir) == "completed"


@pytest.mark.parametrize("died", ["before the run was made", "before its worker was told", "after it began"])
def test_a_keeper_killed_while_it_began_a_run_neither_loses_nor_repeats_it(unkept, store, died):
    (run_id,) = unkept.add([spec_of()])
    order = unkept.waiting()[0]
    order.path.rename(order.path.with_suffix(BEGUN))
    assert unkept.waiting() == []
    if died != "before the run was made":
        store.create(order.spec, run_id)
    if died == "after it began":
        launch.begin(store.root / run_id).process.wait()
    keeper = QueueKeeper(store)
    keeper.step()
    assert unkept.orders() == []
    state = real_worker.wait_until(store.root / run_id, lambda state: state.finished)
    assert state.started.attempt == 1
    assert len(store.directories()) == 1


@pytest.mark.parametrize("trains", [True, False])
def test_a_run_that_a_killed_keeper_has_begun_waits_no_more_and_is_left_as_it_is(unkept, store, trains):
    (run_id,) = unkept.add([spec_of()])
    order = unkept.waiting()[0]
    order.path.rename(order.path.with_suffix(BEGUN))
    with held(0):
        worker = launch.begin(store.create(spec_of(device="cpu"), run_id))
        if not trains:
            real_worker.wait_until(worker.run_directory, lambda state: state.started)
            worker.process.kill()
            worker.process.wait()
        QueueKeeper(store).step()
        assert unkept.orders() == []
    assert held_open(store.root) == 0
    assert read_spec(worker.run_directory).device == "cpu"


def test_a_run_that_has_ended_leaves_no_zombie_of_the_keeper(unkept, store):
    (run_id,) = unkept.add([spec_of()])
    keeper = QueueKeeper(store)
    with held(0):
        keeper.step()
        worker = psutil.Process(mishaps.worker_of(store.root / run_id))
        keeper.step()

    def is_gone():
        keeper.step()
        return not worker.is_running()  # A zombie would be running still.

    mishaps.wait_for(is_gone, "the worker's end")


def test_a_run_that_cannot_be_started_is_said_why_and_makes_room_for_the_next(unkept, store, capsys):
    doomed, heir = unkept.add([spec_of(), spec_of()])
    directory = store.create(spec_of(), doomed)
    (directory / "lock").mkdir()
    keeper = QueueKeeper(store)
    while keeper.step():
        pass
    assert f"{doomed}: " in capsys.readouterr().err
    assert RunReader(directory).read_all().started is None
    real_worker.wait_until(store.root / heir, lambda state: state.finished)


def test_of_two_keepers_one_leaves_at_once(queue):
    queue.add([spec_of(epochs=100_000), spec_of()])
    mishaps.wait_for(lambda: mishaps.worker_of(queue.folder), "the keeper")
    code = "import sys; from pathlib import Path; from engines.queue_keeper import keep; keep(Path(sys.argv[1]))"
    assert subprocess.run([sys.executable, "-c", code, str(queue.store.root)], timeout=120, check=False).returncode == 0
    for order in queue.orders():
        with suppress(RunNotFound):
            queue.remove(order.run_id)
