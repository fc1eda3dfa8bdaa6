"""What every test may ask for: a folder of runs of its own, real data where there is some, a run that is done."""

import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

import hypothesis
import psutil
import pytest
import real_worker

from engines.dataset_files import locate
from engines.runs import RunStore

# No test is judged by the clock, none leaves its examples behind, and none fails of what another change has drawn.
hypothesis.settings.register_profile("mnist-tui", deadline=None, database=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, database=None, max_examples=3000)
hypothesis.settings.load_profile("mnist-tui")


def pytest_configure(config):
    # `nohup` and a shell's background jobs ignore these, and so would every process that a test starts.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("PYTHONUNBUFFERED", None)  # What a stream that is lost leaves in a buffer is to be seen here too.
    config.addinivalue_line("markers", "slow: trains a framework for seconds; runs after everything else")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(autouse=True)
def private_folders(tmp_path, monkeypatch):
    """No test, nor any process that it starts, finds or leaves a file of mnist-tui's outside `tmp_path`."""
    monkeypatch.setenv("MNIST_TUI_RUNS_DIR", str(tmp_path / "runs"))
    for name in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))


@pytest.fixture(autouse=True)
def no_worker_left(private_folders, tmp_path):
    """Whatever worker or spare a test leaves at work is killed, also where it failed, and slows down no other test."""
    yield
    while left := list(workers_of(tmp_path / "runs")):  # A keeper may have started one since they were looked for.
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait()


def workers_of(runs):
    for process in psutil.process_iter(["cmdline"]):
        if {"engines.worker", "engines.queue_keeper"} & {*(process.info["cmdline"] or ())}:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.environ().get("MNIST_TUI_RUNS_DIR") == str(runs):
                    yield process


@pytest.fixture(autouse=True)
def whole_floats():
    """An engine that flushes subnormal numbers to zero does so for its process: not for the tests that come after."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


@pytest.fixture(scope="session")
def data_dir():
    """The folder that MNIST_TUI_DATA_DIR names, as an absolute path, where it has both real datasets; else None."""
    named = os.environ.get("MNIST_TUI_DATA_DIR")
    if not named:
        return None
    folder = Path(named).absolute()
    whole = all(len(locate(dataset, str(folder))) == 4 for dataset in ("mnist", "fashion-mnist"))
    return folder if whole else None


@pytest.fixture(scope="session")
def recorded_run(tmp_path_factory):
    """A completed rehearsal run of three epochs on the digits; to be read, not changed."""
    return real_worker.train(RunStore(tmp_path_factory.mktemp("recorded")), epochs=3).directory


@pytest.fixture
def finished_run(recorded_run, store):
    """A copy of the recorded run in `store`, to do with as a test likes."""
    store.root.mkdir()
    return Path(shutil.copytree(recorded_run, store.root / recorded_run.name))


@pytest.fixture
def running(store):
    """A rehearsal worker in the middle of a training that takes half a minute; no test outlives it."""
    with real_worker.training(store, epochs=real_worker.LONG) as worker:
        yield worker


@pytest.fixture
def python_finds(tmp_path, monkeypatch):
    """Put a module where every Python started from here looks first."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    return lambda name, text: (folder / f"{name}.py").write_text(text)
