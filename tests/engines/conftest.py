"""What tests of training may ask for."""

import subprocess
import sys
from itertools import count

import pytest
import views
from real_worker import spec_of
from scripted_training import Trained
from small_checkpoints import SPEC, save

from engines import launch
from engines.checkpoints import CheckpointStore
from engines.event_writer import EventWriter
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
def feign(store):
    """Make a run that says it trains on a device of this name, or says nothing yet, and have its lock held."""
    holding = "import sys; from pathlib import Path; from engines import run_lock\n"
    holding += "lock = run_lock.acquire(Path(sys.argv[1])); print(flush=True); input()"
    holders = []

    def make(on, **asked):
        directory = store.create(spec_of(**asked))
        if on:
            writer = EventWriter(directory / "events.jsonl")
            writer.write(views.started(device=on))
            writer.close()
        command = [sys.executable, "-c", holding, str(directory / "lock")]
        holders.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        holders[-1].stdout.readline()

    yield make
    for holder in holders:
        holder.kill()
        holder.communicate()


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
