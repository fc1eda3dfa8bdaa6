"""Steps that are recorded and done again, as a CUDA graph does them: on a CPU, operation by operation."""

import numpy as np
import pytest
import torch
from fake_cuda import FakeCuda
from noisy_shapes import draw_dataset
from recorded_operations import record_nothing, record_operations, refuse_to_record

from engines import torch_engine
from engines.datasets import ImageData
from engines.models import ARTICLE_MODELS
from engines.spec import RunSpec
from engines.torch_engine import TorchEngine
from engines.torch_graph import FEWEST_STEPS, recorder_for

TRAIN_SIZE, BATCH_SIZE = 300, 32
STEPS = 10


@pytest.fixture(scope="module")
def data() -> ImageData:
    return draw_dataset(TRAIN_SIZE, 50)


def make(data: ImageData, model: str, record=None, **fields) -> TorchEngine:
    engine = torch_engine.create(RunSpec(model=model, device="cpu", **{"batch_size": BATCH_SIZE, **fields}))
    engine.record = record
    engine.load_data(data)
    engine.begin_epoch(np.random.default_rng(1).permutation(TRAIN_SIZE))
    return engine


def assert_same(one: TorchEngine, other: TorchEngine) -> None:
    mine, its = one.state(), other.state()
    assert mine.keys() == its.keys()
    for name, array in mine.items():
        np.testing.assert_allclose(array, its[name], rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_recorded_steps_are_those_that_python_asks_for(model, precision, data):
    recorded, asked = (make(data, model, record, precision=precision) for record in (record_operations, None))
    for first, count in [(0, 3), (3, 1), (4, STEPS - 4)]:  # The last batch is smaller, and not recorded.
        for engine in (recorded, asked):
            engine.train(first, count)
    assert recorded.recorded is not None
    assert_same(recorded, asked)
    for mine, its in zip(recorded.read_steps(0, STEPS), asked.read_steps(0, STEPS), strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-4)


def test_another_epoch_rate_and_state_reach_what_was_recorded(data):
    recorded, asked = (make(data, "nn", record) for record in (record_operations, None))
    saved = asked.state()
    for engine in (recorded, asked):
        engine.train(0, STEPS)
        engine.evaluate("test")
        engine.begin_epoch(np.random.default_rng(2).permutation(TRAIN_SIZE))
        engine.train(0, 5, np.array([0.02, 0.02, 0.01, 0.004, 0.002]))
    assert_same(recorded, asked)
    for engine in (recorded, asked):
        engine.load_state(saved)
        engine.train(5, 4)
    assert_same(recorded, asked)


@pytest.mark.parametrize(
    ("record", "reason"), [(refuse_to_record, "stream is capturing."), (record_nothing, "other numbers")]
)
def test_where_recording_fails_or_lies_the_log_says_why_and_training_goes_on_the_same(record, reason, data, capfd):
    failed, asked = make(data, "nn", record), make(data, "nn")
    for engine in (failed, asked):
        engine.train(0, STEPS)
    assert_same(failed, asked)
    said = capfd.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_an_epoch_shorter_than_it_takes_to_record_is_not_recorded(data):
    engine = make(data, "nn", record_operations, batch_size=TRAIN_SIZE // (FEWEST_STEPS - 1))
    engine.train(0, FEWEST_STEPS - 1)
    assert engine.recorded is None


@pytest.fixture
def cuda(monkeypatch):
    """CUDA's streams, whose current one is `first`."""
    fake = FakeCuda()
    monkeypatch.setattr(torch, "cuda", fake)
    return fake


def test_a_graph_is_recorded_after_steps_on_a_stream_of_their_own(cuda):
    recorder_for(torch.device("cuda:1"))(cuda.note_step)
    assert cuda.seen == [("aside", False)] * (FEWEST_STEPS - 1) + [("recorded", True)]
    assert cuda.waits == [("aside", "first"), ("first", "aside")]
    assert cuda.current.name == "first"


@pytest.mark.parametrize("failing", [2, FEWEST_STEPS], ids=["before", "recorded"])
def test_after_a_step_that_fails_work_goes_on_where_it_was_and_waits_for_what_was_begun(failing, cuda):
    def step():
        cuda.note_step()
        if len(cuda.seen) == failing:
            raise RuntimeError("CUDA error: operation not permitted")

    with pytest.raises(RuntimeError, match="CUDA error"):
        recorder_for(torch.device("cuda:1"))(step)
    assert cuda.waits[-1] == ("first", "aside")
    assert cuda.current.name == "first"
