"""Checkpoints on disk: a safetensors file and its manifest, whose appearance is the commit. No pickle is ever read."""

import hashlib
import os
import stat
import time
from pathlib import Path
from typing import Literal

import msgspec
import safetensors.numpy
from safetensors import SafetensorError

from engines.atomic_file import TEMPORARY_PREFIX, sync_folder, write_atomically
from engines.engine import State
from engines.problems import CheckpointProblem
from engines.spec import RunSpec

SCHEMA = 1
KEPT = {"last": 2, "best": 1}
_MAX_MANIFEST_BYTES = 64 << 10
_MAX_TENSOR_BYTES = 4 << 30

Kind = Literal["last", "best"]


class Progress(msgspec.Struct, kw_only=True):
    """Where training is: `step` steps of `epoch` are done (both from 1), and what is carried from step to step.

    `loss_sum` and `correct` are over the `images` seen in this epoch so far, `epoch_seconds` its training time.
    """

    epoch: int = 1
    step: int = 0
    lr: float
    loss_sum: float = 0.0
    correct: int = 0
    images: int = 0
    epoch_seconds: float = 0.0
    best_epoch: int | None = None
    best_test_accuracy: float | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint holds, of which run, and the size and hash that its safetensors file must have."""

    schema: int
    kind: Kind
    epoch: int
    step: int
    framework: str
    model: str
    dataset: str
    time: float
    size: int
    sha256: str
    progress: Progress


class CheckpointStore:
    """The checkpoints of one run: `checkpoints/NAME.safetensors` with `checkpoints/NAME.json`."""

    def __init__(self, run_directory: Path, spec: RunSpec) -> None:
        self._folder = run_directory / "checkpoints"
        self._spec = spec

    def save(self, kind: Kind, progress: Progress, state: State) -> str:
        """Write a checkpoint durably, drop what is more than is kept, and give its path within the run.

        Raises OSError where the disk refuses; what was there before is then still whole.
        """
        name = f"{kind}-{progress.epoch:05d}-{progress.step:07d}"
        data = safetensors.numpy.save(state)
        manifest = Manifest(
            schema=SCHEMA,
            kind=kind,
            epoch=progress.epoch,
            step=progress.step,
            framework=self._spec.framework,
            model=self._spec.model,
            dataset=self._spec.dataset,
            time=time.time(),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            progress=progress,
        )
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # An older manifest of the same name must not vouch for the new bytes while they are being replaced.
        (self._folder / f"{name}.json").unlink(missing_ok=True)
        write_atomically(self._folder / f"{name}.safetensors", data, durable=True)
        manifest_text = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
        write_atomically(self._folder / f"{name}.json", manifest_text, durable=True)
        self._drop_older(kind)
        return f"checkpoints/{name}.safetensors"

    def names(self) -> list[str]:
        """Give the names of all checkpoints that have a manifest, the furthest first, `last` before `best`."""
        try:
            found = [path.stem for path in self._folder.glob("*.json") if not path.name.startswith(TEMPORARY_PREFIX)]
        except OSError:
            return []
        return sorted(found, key=lambda name: (name.split("-", 1)[-1], name), reverse=True)

    def load(self, name: str) -> tuple[Manifest, State]:
        """Read one checkpoint, size and hash first; raises `CheckpointProblem` where it is not whole, or not ours."""
        manifest = self._read_manifest(name)
        path = self._folder / f"{name}.safetensors"
        data = _read_regular(path, manifest.size)
        if hashlib.sha256(data).hexdigest() != manifest.sha256:
            raise CheckpointProblem(f"{path} is damaged: its bytes do not match the hash in its manifest.")
        try:
            return manifest, safetensors.numpy.load(data)
        except (SafetensorError, ValueError, KeyError) as error:
            raise CheckpointProblem(f"{path} is no safetensors file: {error}.") from error

    def newest(self) -> tuple[Manifest, State, list[str]] | None:
        """Give the furthest checkpoint that is whole, with a sentence for each damaged one passed over.

        None where the run has no checkpoint yet. Raises `CheckpointProblem` where it has some and none is whole.
        """
        complaints: list[str] = []
        for name in self.names():
            try:
                manifest, state = self.load(name)
            except CheckpointProblem as problem:
                complaints.append(problem.message)
                continue
            return manifest, state, complaints
        if complaints:
            raise CheckpointProblem(
                f"none of the {len(complaints)} checkpoints is whole; {complaints[0]}",
                "Start the run anew, or bring the files back from a copy.",
            )
        return None

    def remove_temporaries(self) -> None:
        """Remove what a killed worker left half written; only for the holder of the run's lock."""
        for folder in (self._folder, self._folder.parent):
            for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
                path.unlink(missing_ok=True)

    def _read_manifest(self, name: str) -> Manifest:
        path = self._folder / f"{name}.json"
        try:
            manifest = msgspec.json.decode(_read_regular(path), type=Manifest)
        except (ValueError, RecursionError) as error:
            raise CheckpointProblem(f"{path} is no manifest of ours: {error}.") from error
        if manifest.schema > SCHEMA:
            raise CheckpointProblem(f"{path} was written by a newer version (schema {manifest.schema}, ours {SCHEMA}).")
        theirs = (manifest.framework, manifest.model, manifest.dataset)
        ours = (self._spec.framework, self._spec.model, self._spec.dataset)
        if theirs != ours:
            raise CheckpointProblem(f"{path} is of {' '.join(theirs)}, not of {' '.join(ours)}.")
        return manifest

    def _drop_older(self, kind: Kind) -> None:
        for name in [name for name in self.names() if name.startswith(f"{kind}-")][KEPT[kind] :]:
            # The manifest goes first: without it the other is no checkpoint.
            (self._folder / f"{name}.json").unlink(missing_ok=True)
            (self._folder / f"{name}.safetensors").unlink(missing_ok=True)
        sync_folder(self._folder)


def _read_regular(path: Path, size: int | None = None) -> bytes:
    """Read a small file whole; with `size`, refuse any other length before reading it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise CheckpointProblem(f"{path} cannot be read: {error.strerror}.") from error
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise CheckpointProblem(f"{path} is not a regular file.")
        if size is not None and (status.st_size != size or size > _MAX_TENSOR_BYTES):
            raise CheckpointProblem(f"{path} has {status.st_size} bytes, its manifest says {size}.")
        if size is None and status.st_size > _MAX_MANIFEST_BYTES:
            raise CheckpointProblem(f"{path} is too large for a manifest.")
        try:
            return file.read()
        except OSError as error:
            raise CheckpointProblem(f"{path} cannot be read: {error.strerror}.") from error
