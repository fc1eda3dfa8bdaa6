"""The runs of a sweep that are there, kept from one look to the next: a look reads only what is new in the store."""

from pathlib import Path

from engines.run_reader import ALIVE, RunReader
from engines.runs import RunStore, RunSummary, summarise
from engines.spec import RunSpec
from engines.sweep import Sweep


class FoundRuns:
    """The runs of `sweep` in `store`, whoever began them; `rows` is how each stood when it was last read."""

    def __init__(self, store: RunStore, sweep: Sweep) -> None:
        self.rows: dict[RunSpec, RunSummary] = {}
        self._store = store
        self._sweep = sweep
        self._seen: set[Path] = set()

    def look(self) -> None:
        """Take note of the runs that were begun since the last look; raises `StorageProblem`."""
        new = [directory for directory in self._store.directories() if directory not in self._seen]
        self._seen.update(new)
        completed = {spec: row for spec, row in self.rows.items() if row.state == "completed"}
        self.rows |= self._sweep.find_runs(new) | completed

    def pass_over(self, directory: Path) -> None:
        """Do not take a run that is ours for one that was begun by somebody else."""
        self._seen.add(directory)

    def is_completed(self, spec: RunSpec) -> bool:
        """Tell whether the run of `spec` is, as far as is known."""
        return spec in self.rows and self.rows[spec].state == "completed"

    def is_at_work(self, spec: RunSpec) -> bool:
        """Tell whether somebody has the run of `spec` at work now."""
        row = self.rows.get(spec)
        if row is None or row.state == "completed":
            return False
        # One that was just made has no worker yet; but its row may be older than that.
        return RunReader(Path(row.directory)).has_worker() or (row.state in ALIVE and self.read(spec).state in ALIVE)

    def read(self, spec: RunSpec) -> RunSummary:
        """Read how a run that was found stands now."""
        self.rows[spec] = row = summarise(Path(self.rows[spec].directory))
        return row
