"""The run before, as a ghost behind the curves of the present one."""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engines.catalog import FRAMEWORK_TITLES
from engines.run_reader import RunReader
from engines.run_state import RunState
from engines.runs import RunStore, read_spec
from engines.spec import RunSpec

MOST_LOOKED_AT, MOST_READ = 200, 10
"""Runs before the present one; the one looked for is nearly always among the first."""

_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Ghost:
    """What an earlier run came to, and what it is called beside the present one."""

    title: str
    state: RunState


def find_ghost(directory: Path, spec: RunSpec) -> Ghost | None:
    """Read the newest run before the one in `directory` on the same dataset: of the same model first, completed first.

    None where none has done an epoch. Takes a while where runs are long: not for the event loop. Raises
    `StorageProblem`.
    """
    directories = RunStore(directory.parent).directories()
    earlier = directories[directories.index(directory) + 1 :] if directory in directories else directories
    specs = [(path, asked) for path in earlier[:MOST_LOOKED_AT] if (asked := read_spec(path))]
    alike = [(path, asked) for path, asked in specs if asked.dataset == spec.dataset]
    same = [(path, asked) for path, asked in alike if asked.model == spec.model]
    others = [(path, asked) for path, asked in alike if asked.model != spec.model]
    return _best_known(same, spec) or _best_known(others, spec)


def _best_known(runs: list[tuple[Path, RunSpec]], present: RunSpec) -> Ghost | None:
    """Give the first of `runs` that was completed, or else the first that did an epoch."""
    found: Ghost | None = None
    for path, asked in runs[:MOST_READ]:
        with closing(RunReader(path)) as reader:
            state = reader.read_all()
        is_completed = state.finished is not None and state.finished.state == "completed"
        if state.epochs and (is_completed or found is None):
            found = Ghost(_title(asked, present, state.first_time), state)
            if is_completed:
                return found
    return found


def _title(asked: RunSpec, present: RunSpec, began: float | None) -> str:
    what = asked.model if asked.framework == present.framework else f"{FRAMEWORK_TITLES[asked.framework]} {asked.model}"
    if began is None:
        return what
    pattern = "%H:%M" if abs(time.time() - began) < _DAY_SECONDS else "%b %d %H:%M"
    return f"{what} {time.strftime(pattern, time.localtime(began))}"
