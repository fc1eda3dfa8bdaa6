"""The folder of runs: making a run's directory, listing them, finding one by what a person types."""

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from engines.atomic_file import write_atomically
from engines.folders import is_there, make_private_folders
from engines.label import read_label
from engines.own_command import command
from engines.problems import RunNotFound, StorageProblem, UsageProblem
from engines.recipes import check_combination
from engines.regular_file import read_regular
from engines.run_reader import RunReader, RunStatus
from engines.run_state import RunState
from engines.spec import RunSpec, clean_spec, decode_spec, encode_spec

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SPEC_BYTES = 64 << 10

_Age = tuple[str, int, str]
"""What runs are sorted by: the moment in the id, that of the first lock, and the id."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run in one row; accuracies are fractions, `started` is in Unix seconds, `seconds` all that attempts took.

    `epoch_seconds` is the mean of its epochs, each as if all of it had been trained. `validation_accuracy` is over the
    images that are held out, with the weights that `test_accuracy` is of. What is not known, or not yet, is None. A run
    that waits for its turn is `queued`, and has no directory yet.
    """

    run_id: str
    state: RunStatus | Literal["queued"]
    name: str = ""
    tags: tuple[str, ...] = ()
    spec: RunSpec | None
    attempt: int
    epochs_done: int
    started: float | None = None
    seconds: float | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    validation_accuracy: float | None = None
    best_epoch: int | None = None
    best_test_accuracy: float | None = None
    epoch_seconds: float | None = None
    directory: str


class RunStore:
    """All runs under one folder, each a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._ages: dict[str, tuple[Path, _Age]] = {}

    def create(self, spec: RunSpec, run_id: str = "") -> Path:
        """Make a new run's directory with its `spec.json`; a `run_id` that was given before is made whole.

        Raises `StorageProblem` where the disk refuses, `UsageProblem` where a folder's name cannot be told as text or
        fields of `spec` make no sense together.
        """
        self.check(spec)
        spec_text = encode_spec(spec)
        try:
            self.make_root()
            while True:
                directory = self.root / (run_id or new_run_id(spec))
                try:
                    directory.mkdir(mode=0o700)
                    break
                except FileExistsError:
                    if run_id and not directory.is_symlink():
                        break
            _fill(directory, spec_text)
        except OSError as error:
            raise StorageProblem(
                f"cannot make a run in {self.root}: {error.strerror}.", "Name another folder with --runs-dir."
            ) from error
        return directory

    def check(self, spec: RunSpec) -> None:
        """Raise `UsageProblem` where no run of `spec` can ever be made here; see `create`."""
        check_can_be_told(self.root, spec.data_dir)
        check_combination(spec)

    def make_root(self) -> None:
        """Make the folder of runs where it is missing, for its owner alone; raises OSError."""
        make_private_folders(self.root)

    def directories(self) -> list[Path]:
        """Give the runs' directories, newest first; links and whatever is no run are left out."""
        found = sorted(self._scan(), key=lambda run: run[1], reverse=True)
        return [directory for directory, _ in found]

    def find(self, name: str) -> Path:
        """Give the directory of the run with this id, unambiguous beginning of one, or `last`.

        Raises `RunNotFound` where there is none, or several.
        """
        directories = self.directories()
        if not directories:
            start = command(self.root, "--no-ui")
            raise RunNotFound(f"there are no runs in {self.root}.", f"Start one with `{start}`.")
        if name == "last":
            return directories[0]
        matching = [d for d in directories if d.name == name] or [d for d in directories if d.name.startswith(name)]
        if not name or not matching:
            raise RunNotFound(f"no run is called {name!r}.", f"`{command(self.root, 'runs')}` lists them.")
        if len(matching) > 1:
            raise RunNotFound(
                f"{len(matching)} runs begin with {name!r}, among them {matching[0].name} and {matching[1].name}.",
                "Give more of the id.",
            )
        return matching[0]

    def alive(self) -> list[Path]:
        """Give the directories of the runs that have a worker, newest first."""
        return [directory for directory in self.directories() if RunReader(directory).has_worker()]

    def _scan(self) -> Iterator[tuple[Path, _Age]]:
        try:
            with os.scandir(self.root) as entries:
                for entry in entries:
                    if RUN_NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False) and _is_run(entry.path):
                        yield self._ages.get(entry.name) or self._look_up_age(Path(entry.path))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageProblem(
                f"cannot read {self.root}: {error.strerror}.", "Name another folder with --runs-dir."
            ) from error

    def _look_up_age(self, directory: Path) -> tuple[Path, _Age]:
        found = directory, _age_of(directory)
        if is_there(directory / "lock"):  # From then on it stays as it is; there may be thousands of runs.
            self._ages[directory.name] = found
        return found


def check_can_be_told(*folders: Path | str | None) -> None:
    """Raise `UsageProblem` where a folder's name is not UTF-8: JSON could not tell a worker of it."""
    try:
        for folder in folders:
            str(folder).encode()
    except UnicodeEncodeError as error:
        raise UsageProblem("a folder's name is not UTF-8.", "Name another --data-dir or --runs-dir.") from error


def read_spec(directory: Path) -> RunSpec | None:
    """Read a run's `spec.json`, what it names safe to show; None where there is none that makes sense."""
    try:
        spec = decode_spec(read_regular(directory / "spec.json", _SPEC_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return clean_spec(spec)


def summarise(directory: Path) -> RunSummary:
    """Give the row of one run; of a huge file only the beginning and the end are read."""
    reader = RunReader(directory)
    state = reader.read_ends()
    status = reader.status()
    reader.close()
    best, finished = state.best, state.finished
    last = state.epochs[-1] if state.epochs else None
    took = [seconds for epoch in state.epochs if (seconds := epoch.whole_seconds) is not None]
    label = read_label(directory)
    return RunSummary(
        run_id=directory.name,
        state=status,
        name=label.name,
        tags=label.tags,
        spec=read_spec(directory) or state.spec,
        attempt=state.started.attempt if state.started else 1,
        epochs_done=state.epochs_done,
        started=state.first_time,
        seconds=state.seconds,
        test_accuracy=finished.test_accuracy if finished else last.test_accuracy if last else None,
        test_loss=finished.test_loss if finished else last.test_loss if last else None,
        validation_accuracy=_validation_accuracy(state),
        best_epoch=finished.best_epoch if finished else best.epoch if best else None,
        best_test_accuracy=finished.best_test_accuracy if finished else best.test_accuracy if best else None,
        epoch_seconds=sum(took) / len(took) if took else None,
        directory=str(directory),
    )


def _validation_accuracy(state: RunState) -> float | None:
    """Give the accuracy on held out images with a run's last weights, or the best where it went back to them."""
    finished = state.finished
    if finished and finished.state == "completed" and state.spec and state.spec.patience:
        return finished.best_validation_accuracy
    return state.epochs[-1].validation_accuracy if state.epochs else None


def new_run_id(spec: RunSpec) -> str:
    """Give an id for a run that begins, or is queued, now."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    named = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{spec.framework}-{spec.model}-{spec.dataset}")
    return f"{moment}-{named}-{os.urandom(2).hex()}"


def _fill(directory: Path, spec_text: bytes) -> None:
    try:
        (directory / "checkpoints").mkdir(mode=0o700, exist_ok=True)
        write_atomically(directory / "spec.json", spec_text, durable=True)
    except OSError:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _is_run(path: str) -> bool:
    # A folder that may not be looked into is no run of ours, and no reason to show none.
    return any(os.access(f"{path}/{name}", os.F_OK) for name in ("events.jsonl", "spec.json"))


def _age_of(directory: Path) -> _Age:
    # The id has whole seconds; within one, the lock, made once by the first worker, tells which came first.
    moment = directory.name[:15] if re.match(r"\d{8}-\d{6}-", directory.name) else ""
    stamp = 0
    for name in ("lock", "spec.json", "events.jsonl"):
        try:
            stat = (directory / name).stat()
        except OSError:
            continue
        stamp = stat.st_mtime_ns
        moment = moment or datetime.fromtimestamp(stat.st_mtime, UTC).strftime("%Y%m%d-%H%M%S")
        break
    return moment, stamp, directory.name
