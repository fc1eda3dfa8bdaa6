"""What tests of training may ask for."""

from itertools import count

import pytest
from scripted_training import Trained
from small_checkpoints import SPEC, save

from engines import launch
from engines.checkpoints import CheckpointStore
from engines.launch import Spare


@pytest.fixture
def trained(tmp_path):
    """Train by a script, each time in a folder of its own."""
    numbers = count()
    return lambda **how: Trained(tmp_path / f"run{next(numbers)}", **how)


@pytest.fixture
def spares(monkeypatch):
    """Give the spare workers that a sweep or a queue gets ready, as they come."""
    made = []

    def note(framework):
        made.append(Spare(framework))
        return made[-1]

    monkeypatch.setattr(launch, "Spare", note)
    return made


@pytest.fixture
def saved(tmp_path):
    """A store of checkpoints, with none in it."""
    return CheckpointStore(tmp_path, SPEC)


@pytest.fixture
def two(saved):
    """A store whose newest checkpoint is of epoch 2, and the one before of epoch 1."""
    save(saved, 1)
    save(saved, 2)
    return saved
