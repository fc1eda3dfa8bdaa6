"""How many threads TensorFlow shares a step among: what a network gains by, as measured on two cores."""

import pytest

from engines import tensorflow_threads
from engines.models import MODELS
from engines.spec import RunSpec
from engines.tensorflow_threads import ONE_THREAD, share_cores, threads_for


@pytest.mark.parametrize(
    ("cores", "threads", "small_threads"),
    [(1, (1, 1), (1, 1)), (2, (2, 1), (2, 1)), (3, (2, 1), (2, 1)), (4, (2, 2), (2, 1)), (16, (2, 14), (2, 1))],
)
def test_two_operations_at_once_share_the_cores(cores, threads, small_threads, monkeypatch):
    monkeypatch.setattr(tensorflow_threads, "core_count", lambda: cores)
    assert share_cores() == threads
    assert share_cores(are_small=True) == small_threads


@pytest.mark.parametrize(
    ("asked", "threads"),
    [
        ({"model": "nn"}, ONE_THREAD),
        ({"model": "lenet"}, (2, 1)),
        ({"model": "lenet", "batch_size": 512}, (2, 14)),
        ({"model": "lenet", "precision": "bfloat16"}, (2, 14)),
        ({"model": "lenet", "weight_decay": 0.1}, (2, 14)),
        ({"model": "lenet1"}, (2, 14)),
        ({"model": "airnet-s"}, (2, 14)),
    ],
)
def test_operations_that_are_small_take_a_thread_each(asked, threads, monkeypatch):
    monkeypatch.setattr(tensorflow_threads, "core_count", lambda: 16)
    spec = RunSpec(framework="tensorflow", **asked)
    assert threads_for(MODELS[spec.model].layers("tensorflow"), spec) == threads
