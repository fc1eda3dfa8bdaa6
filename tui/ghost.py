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

MOST_LOOKED_AT = 200
"""Runs before the present one; the one looked for is nearly always among the first."""

_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Ghost:
    """What an earlier run came to, and what it is called beside the present one."""

    title: str
    state: RunState


def find_ghost(directory: Path, spec: RunSpec) -> Ghost | None:
    """Read the newest run before the one in `directory` that did an epoch on the same dataset, of the same model first.

    None where there is none. Takes a while where runs are long: not for the event loop. Raises `StorageProblem`.
    """
    directories = RunStore(directory.parent).directories()
    earlier = directories[directories.index(directory) + 1 :] if directory in directories else directories
    specs = [(path, asked) for path in earlier[:MOST_LOOKED_AT] if (asked := read_spec(path))]
    alike = [(path, asked) for path, asked in specs if asked.dataset == spec.dataset]
    alike.sort(key=lambda run: run[1].model != spec.model)
    for path, asked in alike:
        with closing(RunReader(path)) as reader:
            state = reader.read_all()
        if state.epochs:
            return Ghost(_title(asked, spec, state.first_time), state)
    return None


def _title(asked: RunSpec, present: RunSpec, began: float | None) -> str:
    what = asked.model if asked.framework == present.framework else f"{FRAMEWORK_TITLES[asked.framework]} {asked.model}"
    if began is None:
        return what
    pattern = "%H:%M" if abs(time.time() - began) < _DAY_SECONDS else "%b %d %H:%M"
    return f"{what} {time.strftime(pattern, time.localtime(began))}"
