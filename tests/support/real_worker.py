"""Runs trained by a real worker process, on the rehearsal engine and the digits unless a test says otherwise."""

import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from engines import launch
from engines.event_tail import EventTail
from engines.events import RunFinished
from engines.run_reader import RunReader
from engines.spec import RunSpec

PATIENCE_SECONDS = 280.0
LONG = 500
"""Epochs enough for a test to do something to a run before it is over."""


@dataclass
class Ended:
    """A run whose worker is gone, the code that it ended with, and the events of its last attempt."""

    directory: Path
    exit_code: int
    events: list

    @property
    def finished(self):
        assert isinstance(self.events[-1], RunFinished)
        return self.events[-1]

    def of_type(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def spec_of(**asked):
    return RunSpec(**{"framework": "rehearsal", "model": "nn", "dataset": "digits", "epochs": 2, **asked})


def start(store, **asked):
    return launch.start(store, spec_of(**asked))


@contextmanager
def training(store, **asked):
    """Have a run in the middle of its training, and end its worker afterwards."""
    worker = start(store, **asked)
    wait_until(worker.run_directory, in_training)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()


def train(store, **asked):
    return ended(start(store, **asked))


def go_on(directory, more_epochs=None):
    return ended(launch.go_on(directory, more_epochs))


def ended(worker, patience=PATIENCE_SECONDS):
    """Wait for the worker to end by itself."""
    code = worker.process.wait(patience)
    return Ended(worker.run_directory, code, read_events(worker.run_directory, worker.offset))


def read_events(directory, offset=0):
    tail = EventTail(directory / "events.jsonl", offset)
    events = []
    while not tail.at_end:
        events += tail.read()
    tail.close()
    return events


def read_run(directory):
    """Give a reader that has read all of the run, and holds none of its files."""
    with closing(RunReader(directory)) as reader:
        reader.read_all()
    return reader


def status_of(directory):
    return read_run(directory).status()


def wait_until(directory, holds):
    """Read the run until `holds` is true of its state, and give that state."""
    reader = RunReader(directory)
    until = time.monotonic() + PATIENCE_SECONDS
    had_worker = False  # A run's directory is there a moment before its worker is.
    while True:
        has_worker = reader.has_worker()  # Asked before reading, so that the last events of one that is gone are read.
        if holds(reader.read_all()):
            reader.close()
            return reader.state
        assert has_worker or not had_worker, f"{directory.name} was over before it came to what was waited for"
        had_worker |= has_worker
        assert time.monotonic() < until, f"{directory.name} never came to what was waited for"
        time.sleep(0.01)


def in_training(state):
    """Tell whether some steps of an attempt that has not ended are done, but not yet all of its epochs."""
    return state.batch is not None and state.started is not None and state.finished is None


def figures(events):
    """Give what a run learned, epoch by epoch, without what the clock decides."""
    return [
        (e.epoch, e.train_loss, e.train_accuracy, e.test_loss, e.test_accuracy, e.confusion)
        for e in events
        if type(e).__name__ == "EpochEnded"
    ]
