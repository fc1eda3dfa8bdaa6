"""The runs' rows, kept from one look to the next: only runs that go on or changed are read again."""

import os
import threading
from contextlib import suppress
from pathlib import Path

from engines.problems import Problem
from engines.run_queue import RunQueue
from engines.run_reader import ALIVE
from engines.runs import RunStore, RunSummary, summarise
from engines.spec import RunSpec

_Stamp = tuple[int, ...]


class RunIndex:
    """Rows of the runs in a store, newest first. Several threads may read; each row is shared."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self._queue = RunQueue(store)
        self._lock = threading.Lock()
        self._rows: dict[Path, tuple[_Stamp, RunSummary]] = {}

    def read(self, newest: int | None = None) -> list[RunSummary]:
        """Give the rows, of the `newest` only where a number is given; raises `StorageProblem`.

        Runs that wait for their turn come first, the next to begin below the others, next to those that have begun.
        """
        directories = self.store.directories()
        rows = [self._row(directory) for directory in directories[:newest]]
        with self._lock:
            for gone in self._rows.keys() - set(directories):
                del self._rows[gone]
        begun = {row.run_id for row in rows}
        waiting = [one.summary() for one in reversed(self._queue.orders()) if one.run_id not in begun]
        return waiting + rows

    def look(self, newest: int | None = None) -> list[RunSummary]:
        """Give the rows as `read` does, and see that those which wait are begun, which is up to whoever shows them."""
        rows = self.read(newest)
        if any(row.state == "queued" for row in rows):
            with suppress(Problem):  # To show them comes first, and a start by hand will say what is wrong.
                self._queue.see_to_it()
        return rows

    def _row(self, directory: Path) -> RunSummary:
        stamp = (*_stamp(f"{directory}/events.jsonl"), *_stamp(f"{directory}/label.json"))
        with self._lock:
            known = self._rows.get(directory)
        if known and known[0] == stamp and known[1].state not in ALIVE:
            return known[1]
        row = summarise(directory)
        with self._lock:
            self._rows[directory] = stamp, row
        return row


def best_of(rows: list[RunSummary], spec: RunSpec) -> RunSummary | None:
    """Give the run of the same framework, model and dataset with the best test accuracy; None where there is none."""
    alike = [row for row in rows if row.spec and row.spec.title == spec.title and row.best_test_accuracy is not None]
    return max(alike, key=lambda row: row.best_test_accuracy or 0.0, default=None)


def _stamp(path: str) -> _Stamp:
    try:
        stat = os.stat(path)  # noqa: PTH116 - a third of the time that Path.stat takes, and there are thousands
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
