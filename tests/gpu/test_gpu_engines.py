"""Steps on a CUDA GPU, asked for at once, beside the same ones asked for one operation at a time."""

import noisy_shapes
import numpy as np
import pytest

from engines import tensorflow_trainer, torch_engine
from engines.architecture import Dropout
from engines.models import ARTICLE_MODELS, MODELS
from engines.spec import RunSpec
from engines.tensorflow_engine import TensorFlowEngine
from engines.tensorflow_recipe_engine import RecipeEngine as TensorFlowRecipeEngine
from engines.torch_recipe_engine import RecipeEngine as TorchRecipeEngine

TRAIN_SIZE, BATCH_SIZE, STEPS = 300, 32, 10
TOLERANCE = 0.02
"""Of the sum of all losses: products on a GPU may be rounded to ten bits, and their sums come in any order."""


@pytest.fixture(scope="module")
def data():
    return noisy_shapes.draw_dataset(TRAIN_SIZE, 50)


def train(engine, data):
    """Train ten steps, the last on a smaller batch, and give their losses and the accuracy on the test set."""
    engine.load_data(data)
    engine.begin_epoch(np.random.default_rng(1).permutation(TRAIN_SIZE))
    for first, count in [(0, 3), (3, 6), (9, 1)]:
        engine.train(first, count, np.full(count, 1e-3))
    return engine.read_steps(0, STEPS)[0]


def assert_same_losses(one, other):
    assert np.isfinite(one).all()
    assert np.abs(one - other).sum() <= TOLERANCE * other.sum()


def without_dropout(model):
    return tuple(layer for layer in ARTICLE_MODELS[model].tensorflow_layers if not isinstance(layer, Dropout))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_a_recorded_graph_does_what_its_operations_do(model, precision, device, data, capfd):
    recorded, asked = (
        torch_engine.create(RunSpec(model=model, batch_size=BATCH_SIZE, device=device, precision=precision))
        for _ in range(2)
    )
    asked.record = None
    losses = train(recorded, data)
    assert recorded.recorded is not None, capfd.readouterr().err
    assert_same_losses(losses, train(asked, data))


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_pytorch_trains_as_on_a_processor_dropout_and_all(model, device, data):
    on_gpu, on_cpu = (
        train(torch_engine.create(RunSpec(model=model, batch_size=BATCH_SIZE, device=where)), data)
        for where in (device, "cpu")
    )
    assert_same_losses(on_gpu, on_cpu)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_a_compiled_step_does_what_its_operations_do(model, precision, device, data, monkeypatch):
    monkeypatch.setattr(tensorflow_trainer, "say_it_is_not_compiled", lambda error: pytest.fail(str(error)))
    losses = []
    for is_compiled in (True, False):
        monkeypatch.setattr(tensorflow_trainer, "pays_to_compile", lambda *_, answer=is_compiled: answer)
        asked = {"framework": "tensorflow", "batch_size": BATCH_SIZE, "precision": precision, "device": device}
        losses.append(train(TensorFlowEngine(RunSpec(**asked), without_dropout(model)), data))
    assert_same_losses(*losses)


@pytest.mark.parametrize("engine", [TorchRecipeEngine, TensorFlowRecipeEngine], ids=["torch", "tensorflow"])
def test_a_recipe_trains_as_on_a_processor(engine, device, data):
    framework = "torch" if engine is TorchRecipeEngine else "tensorflow"
    layers = tuple(layer for layer in MODELS["airnet-s"].layers(framework) if not isinstance(layer, Dropout))
    recipe = {"optimizer": "sgd", "lr": 0.02, "shift": 2, "rotate": 10.0, "flip": True, "weight_average": 0.9}
    spec = RunSpec(framework=framework, model="airnet-s", batch_size=BATCH_SIZE, device=device, **recipe)
    found = engine(spec, layers)
    losses = train(found, data)
    assert np.isfinite(losses).all()
    assert losses[5:].mean() < losses[:5].mean()
    assert found.evaluate("test").confusion.sum() == 50
