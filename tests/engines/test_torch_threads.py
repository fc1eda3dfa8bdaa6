import numpy as np
import pytest
import torch

from engines import torch_engine, torch_threads
from engines.datasets import load
from engines.spec import RunSpec
from engines.thread_tuner import ThreadTuner
from engines.torch_threads import exact_counts

STEPS = 12


@pytest.fixture(autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def cores(monkeypatch):
    return lambda count: monkeypatch.setattr(torch_threads, "core_count", lambda: count)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (1,)), (2, (1, 2)), (3, (1, 2)), (4, (1, 2, 3)), (8, (1, 2, 4, 7)), (9, (1, 2, 4, 8))]
)
def test_all_cores_but_one_may_be_shared_and_both_of_two(count, expected, cores):
    cores(count)
    assert exact_counts(lambda: [torch.ones(3)], 1) == expected


def test_a_count_that_gives_other_numbers_is_not_used(cores):
    cores(9)

    def compute():
        return [torch.ones(3), torch.tensor(torch.get_num_threads() == 4)]

    assert exact_counts(compute, 1) == (1, 2, 8)


def test_where_every_count_gives_other_numbers_one_is_used_for_all_of_a_run(cores):
    cores(8)
    assert exact_counts(lambda: [torch.tensor(torch.get_num_threads())], 7) == (7,)


@pytest.mark.parametrize(("model", "count", "expected"), [("nn", 8, 1), ("lenet", 8, 7), ("lenet", 2, 1)])
def test_without_a_choice_convolutions_take_all_cores_but_one_and_a_dense_network_one(
    model, count, expected, cores, monkeypatch
):
    cores(count)
    monkeypatch.setattr(torch_engine, "exact_counts", lambda _, otherwise: (otherwise,))
    assert torch_engine.create(RunSpec(model=model, device="cpu")).threads.counts == (expected,)


@pytest.mark.parametrize("model", ["nn", "lenet", "lenet1"])
@pytest.mark.parametrize(("batch_size", "precision"), [(32, "float32"), (15, "float32"), (32, "bfloat16")])
def test_weights_are_the_same_to_the_last_bit_with_however_many_threads(model, batch_size, precision, cores):
    cores(2)
    data = load("digits", None, lambda *_: None)
    states = []
    for count in (1, 2):
        spec = RunSpec(model=model, dataset="digits", device="cpu", batch_size=batch_size, precision=precision)
        engine = torch_engine.create(spec)
        if 2 not in engine.threads.counts:
            pytest.skip("the library here adds in another order with more threads")
        engine.threads = ThreadTuner([count], torch.set_num_threads)
        engine.load_data(data)
        engine.begin_epoch(np.arange(len(data.train_labels)))
        engine.train(0, STEPS)
        assert torch.get_num_threads() == count
        states.append(engine.state())
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])


def test_a_batch_larger_than_memory_is_not_tried_before_there_are_images(cores):
    cores(2)
    engine = torch_engine.create(RunSpec(model="lenet", device="cpu", batch_size=10**9))
    assert engine.batch_size == 10**9
