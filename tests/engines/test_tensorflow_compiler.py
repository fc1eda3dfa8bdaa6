"""Steps that XLA compiles, as on a GPU: here on the CPU, where it compiles the same graph."""

import numpy as np
import pytest
from noisy_shapes import draw_dataset

from engines import tensorflow_compiler, tensorflow_trainer
from engines.architecture import Conv, ConvNorm, Dense, Dropout, Flatten, GlobalMax, Layer, MaxPool
from engines.datasets import ImageData
from engines.models import ARTICLE_MODELS
from engines.spec import RunSpec
from engines.tensorflow_compiler import pays_to_compile
from engines.tensorflow_engine import TensorFlowEngine
from engines.tensorflow_recipe_engine import RecipeEngine
from engines.tensorflow_trainer import TensorFlowTrainer

TRAIN_SIZE, BATCH_SIZE, STEPS = 300, 32, 10
DENSE = (Flatten(), Dense(16, relu=True), Dense(10, relu=False))
DROPPED = (Flatten(), Dense(16, relu=True), Dropout(0.2), Dense(10, relu=False))
POOLED = (Conv(4, 3), Conv(4, 3), MaxPool(), Flatten(), Dense(10, relu=False))
NORMED = (ConvNorm(8, pool=True), GlobalMax(), Dense(10, relu=False))
RECIPE = {"flip": True, "shift": 2, "erase": 6, "rotate": 10.0, "optimizer": "sgd", "lr": 0.02, "weight_average": 0.9}


@pytest.fixture(scope="module")
def data() -> ImageData:
    return draw_dataset(TRAIN_SIZE, 50)


@pytest.fixture
def make(data, monkeypatch):
    def make_engine(layers: tuple[Layer, ...], *, is_compiled: bool, **fields) -> TensorFlowTrainer:
        monkeypatch.setattr(tensorflow_trainer, "pays_to_compile", lambda *_: is_compiled)
        spec = RunSpec(framework="tensorflow", batch_size=BATCH_SIZE, device="cpu", **fields)
        engine = RecipeEngine(spec, layers) if layers == NORMED else TensorFlowEngine(spec, layers)
        engine.load_data(data)
        engine.begin_epoch(np.random.default_rng(1).permutation(TRAIN_SIZE))
        return engine

    return make_engine


def assert_state(engine: TensorFlowTrainer, state: dict, tolerance: float = 0.0) -> None:
    found = engine.state()
    assert found.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_allclose(found[name], array, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize(
    ("layers", "fields", "tolerance"),
    [(DENSE, {}, 1e-5), (POOLED, {}, 1e-5), (NORMED, RECIPE, 3e-4)],
    ids=["dense", "pooled", "recipe"],
)
def test_compiled_steps_are_those_that_are_done_by_operations(layers, fields, tolerance, make, capfd):
    compiled, plain = (make(layers, is_compiled=is_compiled, **fields) for is_compiled in (True, False))
    assert_state(compiled, plain.state())  # To try a step out changes nothing.
    rates = np.linspace(1e-3, 1e-4, STEPS)
    for first, count in [(0, 1), (1, 6), (7, 3)]:  # The last batch is smaller.
        for engine in (compiled, plain):
            engine.train(first, count, rates[first : first + count])
    assert_state(compiled, plain.state(), tolerance)
    for mine, its in zip(compiled.read_steps(0, STEPS), plain.read_steps(0, STEPS), strict=True):
        np.testing.assert_allclose(mine, its, rtol=tolerance)
    assert "compiled" not in capfd.readouterr().err


def test_compiled_dropout_follows_the_seed_however_the_steps_are_partitioned(make):
    engine = make(DROPPED, is_compiled=True)
    first = engine.state()
    engine.train(0, STEPS)
    at_once, losses = engine.state(), engine.read_steps(0, STEPS)[0]
    engine.load_state(first)
    engine.train(0, 3)
    engine.train(3, 7)
    assert_state(engine, at_once)
    undropped = make(DENSE, is_compiled=False)
    undropped.train(0, 1)
    assert losses[0] != undropped.read_steps(0, 1)[0][0]


def test_where_xla_lacks_an_operation_the_log_says_which_and_training_goes_on_the_same(make, capfd):
    failed, plain = (
        make(ARTICLE_MODELS["lenet"].tensorflow_layers, is_compiled=is_compiled) for is_compiled in (True, False)
    )
    for engine in (failed, plain):
        engine.train(0, STEPS)
    assert_state(failed, plain.state())
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("Steps are done one operation")]
    assert len(said) == 1
    assert "SegmentSum" in said[0]


@pytest.mark.parametrize(
    ("has_gpu", "fields", "pays"),
    [
        (False, {"epochs": 1_000}, False),
        (True, {"epochs": 5}, False),
        (True, {"epochs": 6}, True),
        (True, {"epochs": None, "budget": 59.0}, False),
        (True, {"epochs": None, "budget": 60.0}, True),
    ],
)
def test_steps_are_compiled_where_a_gpu_does_many(has_gpu, fields, pays, monkeypatch):
    monkeypatch.setattr(tensorflow_compiler, "uses_gpu", lambda: has_gpu)
    assert pays_to_compile(RunSpec(framework="tensorflow", **fields), 1_875) is pays
