"""Training that waits for the test: what is done to a run comes before its end, however slow the machine is."""

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import mishaps
import pytest

# Looked for by name alone: a worker that may open no file is held as well.
_HOLD = """
import os, sys, time
from importlib.machinery import PathFinder

FOLDER = os.path.dirname(__file__)


def hold(obedience):
    obey = obedience.obey

    def is_held(self):
        plan, place = self._plan, os.path.join(FOLDER, f"after-{{self._plan.epochs_done}}")
        is_there = plan.progress.step % plan.steps_per_epoch or not {within}
        return is_there and self.stop is None and os.path.exists(place)

    def obey_and_wait(self):
        obey(self)
        while is_held(self):
            os.makedirs(os.path.join(FOLDER, f"waits-{{self._plan.epochs_done}}"), exist_ok=True)
            time.sleep(0.005)
            obey(self)

    obedience.obey = obey_and_wait


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "engines.obedience":
            return None
        spec = PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def load_and_hold(module):
            load(module)
            hold(module.Obedience)

        spec.loader.exec_module = load_and_hold
        return spec


sys.meta_path.insert(0, Finder())
"""


class Hold:
    """Where workers wait; they do what is asked of them there all the same."""

    def __init__(self, folder):
        self._folder = Path(folder)

    def place(self, epochs):
        return self._folder / f"after-{epochs}"

    def wait(self, epochs):
        """Wait until a worker waits there."""
        mishaps.wait_for((self._folder / f"waits-{epochs}").exists, f"{epochs} epochs")

    def let_on(self, epochs):
        """Let workers train on from there."""
        self.place(epochs).unlink()


@contextmanager
def held(*after, within=False):
    """Have workers that are started meanwhile wait after so many epochs, or some steps `within` the next one.

    Once the test leaves here, they train on.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, pytest.MonkeyPatch.context() as patch:
        hold = Hold(folder)
        Path(folder, "sitecustomize.py").write_text(_HOLD.format(within=within))
        for epochs in after:
            hold.place(epochs).touch()
        patch.setenv("PYTHONPATH", folder, prepend=os.pathsep)
        try:
            yield hold
        finally:
            for epochs in after:
                hold.place(epochs).unlink(missing_ok=True)
