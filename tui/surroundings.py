"""What there is to train with, as far as it is known: frameworks, datasets and runs, each looked at in a thread."""

from engines.catalog import FRAMEWORK_TITLES, FRAMEWORKS
from engines.problems import Unavailable
from engines.runs import RunSummary
from engines.spec import RunSpec
from tui.background import in_background
from tui.dataset_look import DatasetLook, look_at
from tui.machine import installed_version
from tui.run_index import RunIndex

NEWEST_RUNS = 50
IMAGE_COUNT = 60


class Surroundings:
    """Knows what was found so far; `runs` are the newest. Datasets are looked for in `data_dir` too."""

    def __init__(self, index: RunIndex, data_dir: str | None) -> None:
        self._index = index
        self._data_dir = data_dir
        self._versions: dict[str, str | None] = {}
        self._looks: dict[str, DatasetLook | None] = {}
        self.runs: list[RunSummary] = []

    def describe_version(self, framework: str) -> str:
        """Give the framework's version; nothing while that is not known."""
        version = self._versions.get(framework, "")
        return "(not installed)" if version is None else version

    def check(self, spec: RunSpec) -> None:
        """Raise `Unavailable` where the framework of `spec` is known not to be here."""
        if self._versions.get(spec.framework, "") is None:
            title = FRAMEWORK_TITLES[spec.framework]
            raise Unavailable(f"{title} is not installed.", f"pip install {spec.framework}, or press f for another.")

    def dataset(self, name: str) -> DatasetLook | None:
        """Give what the dataset called `name` looked like; None while that is not known."""
        return self._looks.get(name)

    def forget_missing(self) -> None:
        """Have the datasets that were not here looked at once more: a run may have downloaded them meanwhile."""
        self._looks = {name: look for name, look in self._looks.items() if look is None or look.is_there}

    async def look_at_frameworks(self) -> None:
        """Find out which versions are installed."""
        self._versions = await in_background(lambda: {name: installed_version(name) for name in FRAMEWORKS})

    async def look_at_dataset(self, name: str) -> DatasetLook | None:
        """Find out what the dataset called `name` looks like; None where that is known, or is being found out."""
        if name in self._looks:
            return None
        self._looks[name] = None
        self._looks[name] = look = await in_background(lambda: look_at(name, self._data_dir, IMAGE_COUNT))
        return look

    async def look_at_runs(self) -> None:
        """Read the newest runs; raises `StorageProblem`."""
        self.runs = await in_background(lambda: self._index.look(NEWEST_RUNS))
