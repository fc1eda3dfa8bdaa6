"""Checkpoints on disk: a safetensors file and its manifest, whose appearance is the commit. No pickle is ever read."""

import hashlib
import os
import re
import time
from pathlib import Path
from typing import Literal

import msgspec
import safetensors.numpy
from safetensors import SafetensorError

from engines.atomic_file import TEMPORARY_PREFIX, remove_here, sync_folder, write_atomically
from engines.engine import State
from engines.problems import CheckpointProblem
from engines.regular_file import open_regular
from engines.spec import RunSpec

SCHEMA = 1
KEPT = {"last": 2, "best": 1}
_MAX_MANIFEST_BYTES = 64 << 10
_MAX_TENSOR_BYTES = 4 << 30

Kind = Literal["last", "best"]


class Progress(msgspec.Struct, kw_only=True):
    """Where training is: `step` steps of `epoch` are done (both from 1), and what is carried from step to step.

    `lr` is the highest rate, which a schedule makes less. `loss_sum` and `correct` are over the `images` seen in this
    epoch so far; `epoch_seconds` is its training time, `seconds` that of the whole run. `best_epoch` is the one with
    the highest accuracy on what it is chosen on: `best_validation_accuracy` where images are held out, else
    `best_test_accuracy`, which is that epoch's in any case; `highest_test_accuracy` is that of any epoch. Patience
    counts from `patient_since`, the epochs that were done when more were asked for. `lift` belongs to a rate that was
    asked for where the schedule leaves next to nothing of `lr`, see `RunPlan`.
    """

    epoch: int = 1
    step: int = 0
    lr: float
    loss_sum: float = 0.0
    correct: int = 0
    images: int = 0
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    best_epoch: int | None = None
    best_test_accuracy: float | None = None
    best_validation_accuracy: float | None = None
    highest_test_accuracy: float | None = None
    patient_since: int = 0
    lift: float = 1.0

    def begin_next_epoch(self) -> None:
        """Stand at the beginning of the next epoch: none of its steps are done, none of its images seen."""
        self.epoch += 1
        self.step = self.correct = self.images = 0
        self.loss_sum = self.epoch_seconds = 0.0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint holds, of which run, and the size and hash that its safetensors file must have.

    `seal` is the hash of all else in the manifest, whose numbers training goes on with as much as with the weights.
    """

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
    seal: str = ""


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
        # Never through a link: what lies behind it is not ours to write or to remove.
        # An older manifest of the same name must not vouch for the new bytes while they are being replaced.
        remove_here(self._folder / f"{name}.json")
        write_atomically(self._folder / f"{name}.safetensors", data, durable=True, through_link=False)
        sealed = msgspec.structs.replace(manifest, seal=_seal_of(msgspec.json.encode(manifest)))
        manifest_text = msgspec.json.format(msgspec.json.encode(sealed), indent=2) + b"\n"
        write_atomically(self._folder / f"{name}.json", manifest_text, durable=True, through_link=False)
        self._drop_all_but(name, kind)
        return f"checkpoints/{name}.safetensors"

    def names(self) -> list[str]:
        """Give the names of all checkpoints that have a manifest, the furthest first, `last` before `best`."""
        return sorted(self._stems(".json"), key=_place, reverse=True)

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

        None where the run has no checkpoint yet. Raises `CheckpointProblem` where it has some and none is whole, and
        where a link or a file stands for their folder.
        """
        if self._folder.is_symlink() or self._folder.is_file():
            raise CheckpointProblem(f"{self._folder} is no folder of this run's.", "Put back the one that it had.")
        complaints: list[str] = []
        committed = self._stems(".json")
        for name in sorted(committed | self._stems(".safetensors"), key=_place, reverse=True):
            if name not in committed:
                complaints.append(f"{self._folder / name}.safetensors has no manifest: it was never finished.")
                continue
            try:
                manifest, state = self.load(name)
            except CheckpointProblem as problem:
                complaints.append(problem.message)
                continue
            return manifest, state, complaints
        if committed:
            raise CheckpointProblem(
                f"none of the {len(complaints)} checkpoints is whole; {complaints[0]}",
                "Start the run anew, or bring the files back from a copy.",
            )
        return None

    def best(self) -> tuple[Manifest, State] | None:
        """Give the best checkpoint; None where the run has none. Raises `CheckpointProblem` where it is damaged."""
        names = [name for name in self.names() if name.startswith("best-")]
        return self.load(names[0]) if names else None

    def remove_temporaries(self) -> None:
        """Remove what a killed worker left half written; only for the holder of the run's lock."""
        for folder in (self._folder, self._folder.parent):
            if folder.is_symlink():
                continue
            for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
                if path.is_file():
                    path.unlink(missing_ok=True)

    def _read_manifest(self, name: str) -> Manifest:
        path = self._folder / f"{name}.json"
        text = _read_regular(path)
        try:
            manifest, seal = msgspec.json.decode(text, type=Manifest), _seal_of(text)
        except (ValueError, RecursionError) as error:
            raise CheckpointProblem(f"{path} is no manifest of ours: {error}.") from error
        if manifest.schema > SCHEMA:
            raise CheckpointProblem(f"{path} was written by a newer version (schema {manifest.schema}, ours {SCHEMA}).")
        if manifest.seal != seal:
            raise CheckpointProblem(f"{path} is damaged: what it says does not match its own hash.")
        theirs = (manifest.framework, manifest.model, manifest.dataset)
        ours = (self._spec.framework, self._spec.model, self._spec.dataset)
        if theirs != ours:
            raise CheckpointProblem(f"{path} is of {' '.join(theirs)}, not of {' '.join(ours)}.")
        return manifest

    def _stems(self, suffix: str) -> set[str]:
        return {path.stem for path in self._folder.glob(f"*{suffix}")}

    def _drop_all_but(self, newest: str, kind: Kind) -> None:
        """Drop what is older than is kept, and what lies beyond `newest`: it was damaged, and has been passed over.

        A file without a manifest is none of ours to delete.
        """
        of_kind = [name for name in self.names() if name.startswith(f"{kind}-")]
        if newest not in of_kind:
            return  # Another folder has been put in the place of ours.
        at = of_kind.index(newest)
        for name in of_kind[:at] + of_kind[at + KEPT[kind] :]:
            # The manifest goes first: without it the other is no checkpoint.
            remove_here(self._folder / f"{name}.json")
            remove_here(self._folder / f"{name}.safetensors")
        sync_folder(self._folder)


def _place(name: str) -> tuple[list[int], str]:
    # As numbers: epoch 100,000 has a digit more than those before it.
    return [int(number) for number in re.findall(r"\d+", name)], name


def _seal_of(manifest_text: bytes) -> str:
    # Of the text's own fields, so that a manifest stays whole when later versions know more of them.
    fields = msgspec.json.decode(manifest_text, type=dict[str, object])
    fields.pop("seal", None)
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()


def _read_regular(path: Path, size: int | None = None) -> bytes:
    """Read a small file whole; with `size`, refuse any other length before reading it."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            length = os.fstat(file.fileno()).st_size
            if size is not None and (length != size or size > _MAX_TENSOR_BYTES):
                raise CheckpointProblem(f"{path} has {length} bytes, its manifest says {size}.")
            if size is None and length > _MAX_MANIFEST_BYTES:
                raise CheckpointProblem(f"{path} is too large for a manifest.")
            return file.read()
    except OSError as error:
        raise CheckpointProblem(f"{path} cannot be read: {error.strerror}.") from error
