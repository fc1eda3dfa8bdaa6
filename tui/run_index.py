"""The runs' rows, kept from one look to the next: only runs that go on or changed are read again."""

from pathlib import Path

from engines.run_reader import ALIVE
from engines.runs import RunStore, RunSummary, summarise
from engines.spec import RunSpec

_Stamp = tuple[int, int]


class RunIndex:
    """Rows of the runs in a store, newest first. Read in one thread at a time."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._rows: dict[Path, tuple[_Stamp, RunSummary]] = {}

    def read(self, newest: int | None = None) -> list[RunSummary]:
        """Give the rows, of the `newest` only where a number is given; raises `StorageProblem`."""
        directories = self._store.directories()[:newest]
        self._rows = {directory: self._row(directory) for directory in directories} | (
            {directory: row for directory, row in self._rows.items() if newest is not None}
        )
        return [self._rows[directory][1] for directory in directories]

    def _row(self, directory: Path) -> tuple[_Stamp, RunSummary]:
        stamp = _stamp(directory / "events.jsonl")
        known = self._rows.get(directory)
        if known and known[0] == stamp and known[1].state not in ALIVE:
            return known
        return stamp, summarise(directory)


def best_of(rows: list[RunSummary], spec: RunSpec) -> RunSummary | None:
    """Give the run of the same framework, model and dataset with the best test accuracy; None where there is none."""
    alike = [row for row in rows if row.spec and row.spec.title == spec.title and row.best_test_accuracy is not None]
    return max(alike, key=lambda row: row.best_test_accuracy or 0.0, default=None)


def _stamp(path: Path) -> _Stamp:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
