"""Checkpoints of a network of twelve weights, to be saved, damaged and looked for."""

import json

import numpy as np

from engines.checkpoints import Progress
from engines.spec import RunSpec

SPEC = RunSpec(framework="rehearsal", model="nn", dataset="digits")


def state_of(epoch):
    return {
        "model/weight": np.full((4, 3), epoch, np.float32),
        "optimizer/step": np.array(epoch * 45, np.int64),
        "random/state": np.array([2**63 + epoch], np.uint64),
    }


def progress_of(epoch, step=45):
    return Progress(epoch=epoch, step=step, lr=0.001, loss_sum=0.1 + epoch, correct=7, images=9, epoch_seconds=0.25)


def save(saved, epoch, kind="last", step=45):
    return saved.save(kind, progress_of(epoch, step), state_of(epoch))


def newest_file(saved, suffix=".safetensors"):
    return saved._folder / f"{saved.names()[0]}{suffix}"


def edit_manifest(saved, **changes):
    path = newest_file(saved, ".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
