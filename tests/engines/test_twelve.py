"""Every framework, model and dataset together, through a real worker: one epoch on the CPU has to learn so much.

The floors lie about two points below what one epoch with the default options and seed 0 gives: test accuracy in
percent, measured on two cores.

    ==============  =======  =====  ==========
    dataset         model    torch  tensorflow
    ==============  =======  =====  ==========
    mnist           nn        94.2        95.9
    mnist           lenet     97.4        97.6
    mnist           lenet1    97.9        98.4
    fashion-mnist   nn        84.3        84.0
    fashion-mnist   lenet     84.7        84.9
    fashion-mnist   lenet1    87.1        87.3
    digits          nn        86.7        83.9
    digits          lenet     83.1        82.2
    digits          lenet1    86.1        87.5
    ==============  =======  =====  ==========

The digits, with batches of eight, stand in where the real datasets are not at hand; of their 360 test images ten more
or less are chance, so that their floors lie lower.
"""

import os
from contextlib import contextmanager
from itertools import cycle

import contract
import pytest
import real_worker

from engines.catalog import DATASETS, FRAMEWORKS
from engines.models import MODELS
from engines.run_reader import RunReader

FLOORS = {
    ("mnist", "nn"): {"torch": 0.92, "tensorflow": 0.94},
    ("mnist", "lenet"): {"torch": 0.955, "tensorflow": 0.955},
    ("mnist", "lenet1"): {"torch": 0.96, "tensorflow": 0.965},
    ("fashion-mnist", "nn"): {"torch": 0.82, "tensorflow": 0.82},
    ("fashion-mnist", "lenet"): {"torch": 0.825, "tensorflow": 0.825},
    ("fashion-mnist", "lenet1"): {"torch": 0.85, "tensorflow": 0.85},
    ("digits", "nn"): {"torch": 0.80, "tensorflow": 0.78},
    ("digits", "lenet"): {"torch": 0.77, "tensorflow": 0.76},
    ("digits", "lenet1"): {"torch": 0.80, "tensorflow": 0.81},
}
PATIENCE_SECONDS = 840.0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("dataset", "model"), FLOORS, ids=lambda value: value)
def test_one_epoch_learns_what_it_should_in_both_frameworks(store, data_dir, dataset, model):
    if (dataset == "digits") == (data_dir is not None):
        pytest.skip("trained on the real datasets instead" if data_dir else "MNIST_TUI_DATA_DIR has no real datasets")
    asked = {
        "model": model,
        "dataset": dataset,
        "epochs": 1,
        "device": "cpu",
        "data_dir": str(data_dir) if data_dir else None,
        "batch_size": 8 if dataset == "digits" else 32,
    }
    workers = {}
    try:
        for framework, core in zip(FRAMEWORKS, cycle(os.sched_getaffinity(0))):
            with only_core(core):
                workers[framework] = real_worker.start(store, framework=framework, **asked)
        for framework, worker in workers.items():
            run = real_worker.ended(worker, PATIENCE_SECONDS)
            assert run.exit_code == 0
            assert run.finished.test_accuracy >= FLOORS[dataset, model][framework]
            check_what_was_told(run.directory, framework, model, DATASETS[dataset])
    finally:
        for worker in workers.values():
            worker.process.kill()
            worker.process.wait()


@contextmanager
def only_core(core):
    """Give what is started meanwhile one core, for threads of runs side by side would wait for one another."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def check_what_was_told(directory, framework, model, dataset):
    contract.check_directory(directory)
    contract.check_attempt((directory / "events.jsonl").read_bytes())
    started = RunReader(directory).read_all().started
    assert started.parameter_count == MODELS[model].parameter_count(framework)
    assert (started.train_size, started.test_size) == (dataset.train_size, dataset.test_size)
    assert tuple(started.class_names) == dataset.class_names
