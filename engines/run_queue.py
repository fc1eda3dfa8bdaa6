"""Runs that wait for their turn: an order file for each in a hidden folder beside the runs, and the keeper's lock.

A run that waits has no directory yet, so that whoever reads runs knows nothing of it; it has its id from the start.
Whatever is done to an order is one rename or one unlink, so that two at once, or one that is killed, leave it whole:
`<rank>-<run id>.json` waits, `<rank>-<run id>.begun` was taken by the keeper (`queue_keeper`) and is being started.
"""

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engines import run_lock
from engines.atomic_file import write_atomically
from engines.label import Label, clean_label
from engines.own_command import command
from engines.problems import RunBusy, RunNotFound, StorageProblem, UsageProblem, WorkerDied
from engines.regular_file import open_to_append, read_regular
from engines.runs import RUN_NAME, RunStore, RunSummary, new_run_id
from engines.spec import RunSpec, clean_spec

FOLDER = ".queue"
WAITING, BEGUN = ".json", ".begun"
_ORDER_NAME = re.compile(rf"(\d{{20}})-({RUN_NAME.pattern})(\{WAITING}|\{BEGUN})")
_MAX_BYTES = 64 << 10
_ROOM = 10**9
"""Ranks at least between two runs as they are added, or moved to the front, for others to be moved between them."""


class _Order(msgspec.Struct, frozen=True, kw_only=True):
    spec: RunSpec
    label: Label = Label()


class QueuedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that waits, under the id that it will have; the lowest `rank` (about nanoseconds) first."""

    run_id: str
    rank: int
    spec: RunSpec
    label: Label = Label()
    path: Path

    @property
    def is_begun(self) -> bool:
        """Tell whether the keeper has taken it already."""
        return self.path.suffix == BEGUN

    def summary(self) -> RunSummary:
        """Give its row in the table of runs."""
        return RunSummary(
            run_id=self.run_id,
            state="queued",
            name=self.label.name,
            tags=self.label.tags,
            spec=self.spec,
            attempt=0,
            epochs_done=0,
            directory=str(self.path.parents[1] / self.run_id),
        )


class RunQueue:
    """The runs that wait in one store. Several processes may add, move and take out at once."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.folder = store.root / FOLDER

    def add(self, specs: Iterable[RunSpec], label: Label | None = None) -> list[str]:
        """Put runs at the end, in this order, see that they are begun, and give their ids.

        Raises `StorageProblem`, `WorkerDied` where there is nobody to begin them, and `UsageProblem` where one can
        never be begun; then none is put there.
        """
        ids, specs = [], list(specs)
        for spec in specs:
            self.store.check(spec)
        try:
            self.store.make_root()
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with self._adding():
                orders = self.orders()
                taken, rank = {order.run_id for order in orders}, orders[-1].rank if orders else 0
                for spec in specs:
                    rank = max(time.time_ns(), rank + _ROOM)  # Behind the others also where the clock was put back.
                    ids.append(self._add(_Order(spec=spec, label=label or Label()), rank, taken))
        except OSError as error:
            raise StorageProblem(
                f"cannot queue a run in {self.folder}: {error.strerror}.", "Name another folder with --runs-dir."
            ) from error
        self.see_to_it()
        return ids

    def waiting(self) -> list[QueuedRun]:
        """Give the runs that wait, the next to begin first."""
        return [order for order in self.orders() if not order.is_begun]

    def orders(self) -> list[QueuedRun]:
        """Give all orders by rank, those too that are being started."""
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208 - names are all it takes
        except OSError:
            return []
        return [order for name in names if (order := self._read(name))]

    def remove(self, run_id: str) -> None:
        """Take a run out; raises `RunNotFound` where it does not wait, `RunBusy` where it has just begun."""
        order = self._find(run_id)
        try:
            order.path.unlink()
        except FileNotFoundError as error:
            raise RunBusy(f"run {run_id} has just begun.", "Stop it as any other.") from error
        except OSError as error:
            raise _refused(order, error) from error

    def move_up(self, run_id: str) -> None:
        """Have a run begin before the one that is before it now; raises as `remove` does."""
        order, waiting = self._find(run_id), self.waiting()
        at = [one.run_id for one in waiting].index(run_id) if order in waiting else 0
        if at == 0:
            return
        below = waiting[at - 2].rank if at > 1 else waiting[0].rank - _ROOM
        rank = (below + waiting[at - 1].rank) // 2
        try:
            order.path.rename(order.path.with_name(f"{rank:020}-{run_id}{WAITING}"))
        except FileNotFoundError as error:
            raise RunBusy(f"run {run_id} has just begun.", "Its place matters no more.") from error
        except OSError as error:
            raise _refused(order, error) from error

    def see_to_it(self) -> None:
        """Start the keeper where runs wait and there is none; raises `StorageProblem` and `WorkerDied`."""
        if self.orders() and run_lock.holder(self.folder / "lock") is None:
            self._start_keeper()

    @contextmanager
    def _adding(self) -> Iterator[None]:
        """Let no other adder give the same id meanwhile; of those given in one second, few digits tell them apart."""
        fd = open_to_append(self.folder / "adding")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _add(self, order: _Order, rank: int, taken: set[str]) -> str:
        while (run_id := new_run_id(order.spec)) in taken or (self.store.root / run_id).exists():
            pass
        taken.add(run_id)
        name = f"{rank:020}-{run_id}{WAITING}"
        write_atomically(self.folder / name, msgspec.json.encode(order), durable=True)
        return run_id

    def _start_keeper(self) -> None:
        try:
            log = open_to_append(self.folder / "keeper.log")
        except OSError as error:
            raise StorageProblem(f"cannot write to {self.folder}: {error.strerror}.", "Check the disk.") from error
        # -P: a file named like a library in the folder where a person stands must not be imported.
        keeper = [sys.executable, "-P", "-m", "engines.queue_keeper", str(self.store.root)]
        try:
            # It forks once more, so that it is nobody's child and no zombie of ours.
            subprocess.run(
                keeper, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, check=False
            )
        except OSError as error:
            raise WorkerDied(
                f"nothing begins the queue: {error.strerror}.", "Free some memory or processes."
            ) from error
        finally:
            os.close(log)

    def _find(self, run_id: str) -> QueuedRun:
        for order in self.orders():
            if order.run_id == run_id and not order.is_begun:
                return order
        raise RunNotFound(f"run {run_id} does not wait.", f"`{command(self.store.root, 'runs')}` lists those that do.")

    def _read(self, name: str) -> QueuedRun | None:
        matched = _ORDER_NAME.fullmatch(name)
        if matched is None:
            return None
        try:
            order = msgspec.json.decode(read_regular(self.folder / name, _MAX_BYTES), type=_Order)
            self.store.check(order.spec)  # One that can never be begun must not hold up those behind it.
        except (OSError, ValueError, RecursionError, UsageProblem):
            return None
        return QueuedRun(
            run_id=matched[2],
            rank=int(matched[1]),
            spec=clean_spec(order.spec),
            label=clean_label(order.label),
            path=self.folder / name,
        )


def _refused(order: QueuedRun, error: OSError) -> StorageProblem:
    return StorageProblem(f"cannot change the queue at {order.path}: {error.strerror}.", "Check who owns the folder.")
