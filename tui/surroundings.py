"""What there is to train with, as far as it is known: machine, frameworks, datasets, runs; looked at in threads."""

import asyncio

from engines.catalog import FRAMEWORK_TITLES, FRAMEWORKS
from engines.problems import DatasetProblem, Unavailable
from engines.runs import RunSummary
from engines.spec import RunSpec
from tui.background import in_background
from tui.dataset_look import DatasetLook, look_at
from tui.machine import Machine, installed_version, look_at_machine
from tui.run_index import RunIndex

NEWEST_RUNS = 50
IMAGE_COUNT = 60


class Surroundings:
    """Knows what was found so far; `runs` are the newest. Datasets are looked for in `data_dir` too."""

    def __init__(self, index: RunIndex, data_dir: str | None) -> None:
        self._index = index
        self._data_dir = data_dir
        self._versions: dict[str, str | None] = {}
        self._looks: dict[str, asyncio.Task[DatasetLook]] = {}
        self._machine: Machine | None = None
        self.runs: list[RunSummary] = []

    def describe_version(self, framework: str) -> str:
        """Give the framework's version; nothing while that is not known."""
        version = self._versions.get(framework, "")
        return "(not installed)" if version is None else version

    def check(self, spec: RunSpec) -> None:
        """Raise `Unavailable` or `DatasetProblem` where framework or dataset of `spec` are known not to be had."""
        if self._versions.get(spec.framework, "") is None:
            title = FRAMEWORK_TITLES[spec.framework]
            raise Unavailable(f"{title} is not installed.", f"pip install {spec.framework}, or press f for another.")
        look = self.dataset(spec.dataset)
        if look and not look.is_trainable:
            raise DatasetProblem(f"{look.summary.removesuffix('.')}.", "Press d for another dataset.")

    def warn_of(self, spec: RunSpec) -> str:
        """Say in a few words what is known to speak against a run of `spec` on this machine; nothing where nothing."""
        return self._machine.warn_of(spec) if self._machine else ""

    def dataset(self, name: str) -> DatasetLook | None:
        """Give what the dataset called `name` looked like; None while that is not known."""
        look = self._looks.get(name)
        return look.result() if look and look.done() else None

    def forget_missing(self) -> None:
        """Have the datasets that were not here looked at once more: a run may have downloaded them meanwhile."""
        self._looks = {
            name: look for name, look in self._looks.items() if not look.done() or look.result().state == "here"
        }

    async def look_at_machine(self) -> Machine:
        """Ask the machine what it has, as it is now."""
        self._machine = machine = await in_background(look_at_machine)
        return machine

    async def look_at_frameworks(self) -> None:
        """Find out which versions are installed."""
        self._versions = await in_background(lambda: {name: installed_version(name) for name in FRAMEWORKS})

    async def look_at_dataset(self, name: str) -> DatasetLook:
        """Find out what the dataset called `name` looks like, once for all who ask."""
        if name not in self._looks:
            look = in_background(lambda: look_at(name, self._data_dir, IMAGE_COUNT))
            self._looks[name] = asyncio.create_task(look)
        return await asyncio.shield(self._looks[name])  # Who asked may give up; others still want to know.

    async def look_for_dataset(self, name: str) -> DatasetLook:
        """Find out what the dataset called `name` looks like; once more, where it could not be trained on before."""
        if (look := self.dataset(name)) and not look.is_trainable:
            del self._looks[name]
        return await self.look_at_dataset(name)

    async def look_at_runs(self) -> None:
        """Read the newest runs; raises `StorageProblem`."""
        self.runs = await in_background(lambda: self._index.look(NEWEST_RUNS))
