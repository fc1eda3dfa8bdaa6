"""What the fault tests share: runs made once, to be copied or compared with."""

import shutil

import mishaps
import pytest
import real_worker
from held_training import held

from engines.runs import RunStore


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory):
    """A run that nothing happened to; not to be changed."""
    return real_worker.ended(mishaps.start(RunStore(tmp_path_factory.mktemp("uninterrupted")))).directory


@pytest.fixture(scope="session")
def _crashed(tmp_path_factory):
    with held(4):
        worker = mishaps.start(RunStore(tmp_path_factory.mktemp("crashed")))
        real_worker.wait_until(worker.run_directory, lambda state: any(c.epoch == 4 for c in state.checkpoints))
        mishaps.kill(worker)
    for unfinished in worker.run_directory.glob("checkpoints/.tmp-*"):
        unfinished.unlink()  # Whether it was just writing one is chance, and its next attempt would clear it away.
    return worker.run_directory


@pytest.fixture
def crashed(_crashed, store):
    """A copy of a run whose worker was killed after four epochs, all of them saved."""
    return shutil.copytree(_crashed, store.root / _crashed.name)
