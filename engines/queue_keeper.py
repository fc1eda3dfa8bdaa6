"""The keeper of a queue: begins waiting runs as places become free, and ends when none waits any more.

`python -m engines.queue_keeper ROOT`, in a session of its own; `run_queue` starts it, and another where one was killed.
Its runs are workers as any other, and go on without it.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engines import begin_lock, launch, run_lock
from engines.label import Label, write_label
from engines.launch import Worker
from engines.places import Places, find_gpus, gpu_in
from engines.problems import Problem, RunBusy, StorageProblem
from engines.run_queue import BEGUN, WAITING, QueuedRun, RunQueue
from engines.run_reader import RunReader
from engines.runs import RunStore, read_spec
from engines.spare_workers import SpareWorkers
from engines.spec import RunSpec

POLL_SECONDS = 0.25
RETRY_SECONDS = 5.0


class QueueKeeper:
    """Begins the runs of one queue; `gpus` are the devices that take one run each."""

    def __init__(self, store: RunStore, gpus: Sequence[str] = ()) -> None:
        self._store = store
        self._queue = RunQueue(store)
        self._places = Places(gpus)
        self._workers: list[Worker] = []
        self._spares = SpareWorkers()
        self._alive: dict[Path, str] = {}

    def step(self) -> bool:
        """Begin what can begin now, or get ready for it; False where nothing waits any more.

        Raises `StorageProblem`: try again later.
        """
        self._workers = [worker for worker in self._workers if worker.process.poll() is None]
        orders = self._queue.orders()
        for order in orders:
            if order.is_begun:
                self._start(order, order.spec)  # Whoever took it was killed before it could.
            elif place := self._free_place(order.spec.device):
                self._begin(order, place)
                return True  # The next look tells who waits now.
        on_gpus = sum(place in self._places.gpus for place in self._alive.values())
        self._spares.get_ready([order.spec for order in orders if not order.is_begun][:on_gpus])
        return bool(orders)

    def _free_place(self, device: str) -> str | None:
        self._alive = {run: place for run, place in self._alive.items() if RunReader(run).has_worker()}
        if self._places.free(device, [*self._alive.values()]) is None:
            return None
        # Somebody may have started one without us; asked only now, because there may be thousands of runs.
        self._alive = {run: self._places.of(_device(run)) for run in self._store.alive()}
        return self._places.free(device, [*self._alive.values()])

    def _begin(self, order: QueuedRun, place: str) -> None:
        try:
            with begin_lock.hold(self._store):
                self._take(order, place)
        except RunBusy:
            pass  # Somebody else begins a run this very moment, perhaps this one: the next look tells.

    def _take(self, order: QueuedRun, place: str) -> None:
        taken = order.path.with_suffix(BEGUN)
        try:
            order.path.rename(taken)
        except FileNotFoundError:
            return  # Somebody took it out, or moved it, this very moment.
        spec = order.spec
        if gpu := self._places.assign(spec.device, place):
            spec = msgspec.structs.replace(spec, device=gpu)
        try:
            self._start(msgspec.structs.replace(order, path=taken), spec)
        except StorageProblem:
            taken.rename(taken.with_suffix(WAITING))
            raise

    def _start(self, order: QueuedRun, spec: RunSpec) -> None:
        directory = self._store.root / order.run_id
        if not _has_begun(directory):
            self._store.create(spec, order.run_id)
            if order.label != Label():
                write_label(directory, order.label)
            try:
                self._workers.append(launch.begin(directory, self._spares.take(spec)))
            except RunBusy:
                pass  # The worker of a keeper that was killed came up after all.
            except Problem as problem:
                _say(f"{order.run_id}: {problem}")  # Readers call it crashed, and the next one's turn comes.
        order.path.unlink(missing_ok=True)


def keep(root: Path) -> None:
    """Keep the queue until nothing waits; returns at once where somebody else does."""
    queue = RunQueue(RunStore(root))
    keeper = QueueKeeper(queue.store, find_gpus())
    while queue.orders():  # Asked once more after the lock is given back: whoever added meanwhile saw it held.
        try:
            lock = run_lock.acquire(queue.folder / "lock")
        except RunBusy:
            return
        _begin_all(keeper)
        os.close(lock)


def _begin_all(keeper: QueueKeeper) -> None:
    while True:
        try:
            if not keeper.step():
                return
        except StorageProblem as problem:
            _say(str(problem))
            time.sleep(RETRY_SECONDS)
        time.sleep(POLL_SECONDS)


def _has_begun(directory: Path) -> bool:
    reader = RunReader(directory)
    has_events = reader.advance()
    reader.close()
    return has_events or reader.has_worker()


def _device(run: Path) -> str:
    """Give the device that a run says it trains on, or, before it does, the one that it was asked to."""
    reader = RunReader(run)
    started = reader.read_ends().started
    reader.close()
    spec = read_spec(run)
    return (started and gpu_in(started.device)) or (spec.device if spec else "auto")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    if os.fork() == 0:
        keep(Path(sys.argv[1]))
