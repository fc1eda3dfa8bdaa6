"""Sweeps of short runs on the rehearsal engine, driven step by step until something holds of them."""

import time
from contextlib import contextmanager

import real_worker

from engines.sweep import expand

EPOCHS, HELD = 3, 2
"""Epochs of a run that a test does something to, and after how many it waits for that."""


def sweep_of(seeds=2, **axes):
    fixed = {"framework": ["rehearsal"], "model": ["nn"], "dataset": ["digits"], "epochs": [1]}
    return expand({**fixed, **axes}, range(seeds))


def drive(driver, until=lambda progress: progress.is_over):
    """Step until it is over, or `until` holds of the progress, and give the runs that ended."""
    ended, end = [], time.monotonic() + real_worker.PATIENCE_SECONDS
    while True:
        ended += driver.step()
        if until(driver.progress):
            return ended
        assert time.monotonic() < end, driver.progress
        time.sleep(0.02)


def all_train(count):
    return lambda progress: len(progress.training) == count and all(run.epoch > 1 for run in progress.training)


@contextmanager
def stopped_at_last(driver):
    yield driver
    driver.stop()
    driver.stop()
    drive(driver)
