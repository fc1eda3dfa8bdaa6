"""The engines of recipes: what each field does, in both frameworks, and that both come to the same numbers."""

import noisy_shapes
import numpy as np
import pytest
import torch

from engines import tensorflow_engine, torch_engine
from engines.architecture import ConvNorm, Dense, Dropout, GlobalMax, Whiten
from engines.datasets import hold_out
from engines.models import MODELS
from engines.problems import CheckpointProblem
from engines.spec import RunSpec
from engines.tensorflow_engine import TensorFlowEngine
from engines.tensorflow_recipe_engine import RecipeEngine as TensorFlowRecipeEngine
from engines.torch_engine import TorchEngine
from engines.torch_recipe_engine import RecipeEngine as TorchRecipeEngine

BATCH_SIZE, TRAIN_SIZE, TEST_SIZE = 32, 300, 150
STEPS = 10
# Over three seeds and three optimizers losses differed by up to 3e-7 of themselves, weights by up to 2e-7.
LOSS_TOLERANCE, WEIGHT_TOLERANCE = 3e-5, 3e-5
SMALL = (
    Whiten(4, kernel=4, stride=2),
    ConvNorm(8, pool=True),
    ConvNorm(16, pool=True),
    GlobalMax(),
    Dropout(0.2),
    Dense(10, relu=False),
)
ENGINES = {"torch": TorchRecipeEngine, "tensorflow": TensorFlowRecipeEngine}
ALL = {
    "optimizer": "sgd",
    "lr": 0.02,
    "weight_decay": 5e-3,
    "bias_rate": 4.0,
    "label_smoothing": 0.1,
    "weight_average": 0.9,
    "test_flips": True,
    "flip": True,
    "shift": 2,
    "erase": 6,
    "rotate": 10.0,
    "scale": 0.1,
    "shear": 0.1,
}


@pytest.fixture(scope="module")
def data():
    return noisy_shapes.draw_dataset(TRAIN_SIZE, TEST_SIZE)


@pytest.fixture
def make(data):
    def make_engine(framework="torch", layers=SMALL, **fields):
        spec = RunSpec(framework=framework, model="airnet-s", batch_size=BATCH_SIZE, device="cpu", **fields)
        engine = ENGINES[framework](spec, layers)
        engine.load_data(data)
        engine.begin_epoch(np.random.default_rng(1).permutation(TRAIN_SIZE))
        return engine

    return make_engine


def as_tensorflow(state):
    """Give a state of PyTorch's named and laid out as TensorFlow's."""
    names = {"norm.weight": "norm/gamma", "norm.bias": "norm/beta", "running_mean": "mean", "running_var": "variance"}
    names |= {".weight": ".kernel", ".": "/"}

    def rename(name):
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        return name

    turned = {name: array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T for name, array in state.items()}
    return {rename(name): array for name, array in turned.items()}


def assert_same_state(one, other):
    mine, its = one.state(), other.state()
    assert mine.keys() == its.keys()
    for name, array in mine.items():
        np.testing.assert_array_equal(array, its[name], err_msg=name)


@pytest.mark.parametrize(
    "fields",
    # With seed 0 two values in a pool are so near that interpolation makes another the greater.
    [
        ALL | {"seed": 1},
        {"optimizer": "adam", "weight_decay": 0.01},
        {"optimizer": "adamw", "weight_decay": 0.1, "shift": 1},
    ],
    ids=["all", "adam", "adamw"],
)
def test_both_frameworks_come_to_the_same_weights_statistics_and_figures(fields, make):
    layers = tuple(layer for layer in SMALL if not isinstance(layer, Dropout))
    pair = [make(framework, layers, **fields) for framework in ENGINES]
    for name, array in as_tensorflow(pair[0].state()).items():
        if name.startswith("model/") and "num_batches" not in name:
            np.testing.assert_allclose(pair[1].state()[name], array, rtol=1e-6, err_msg=name)
    for engine in pair:
        engine.train(0, STEPS)
    losses, right = zip(*(engine.read_steps(0, STEPS) for engine in pair), strict=True)
    np.testing.assert_allclose(losses[0], losses[1], rtol=LOSS_TOLERANCE)
    assert abs(right[0].sum() - right[1].sum()) <= 1
    found = pair[1].state()
    compared = {n: a for n, a in as_tensorflow(pair[0].state()).items() if n.startswith(("model/", "average/"))}
    for name, wanted in compared.items():
        if "num_batches" not in name:
            np.testing.assert_allclose(found[name], wanted, rtol=0, atol=WEIGHT_TOLERANCE, err_msg=name)
    one, other = (engine.evaluate("test") for engine in pair)
    assert one.loss == pytest.approx(other.loss, rel=LOSS_TOLERANCE)
    assert np.abs(one.confusion - other.confusion).sum() <= 2


@pytest.mark.parametrize("framework", ENGINES)
def test_a_run_continued_in_mid_epoch_is_bit_for_bit_one_that_never_stopped(framework, make):
    rates = np.linspace(0.02, 0.002, STEPS)
    whole = make(framework, **ALL)
    whole.train(0, 4, rates[:4])
    saved = whole.state()
    whole.train(4, STEPS - 4, rates[4:])
    continued = make(framework, **ALL)
    continued.load_state(saved)
    continued.begin_epoch(np.random.default_rng(1).permutation(TRAIN_SIZE))
    continued.train(4, 1, rates[4:5])
    continued.train(5, STEPS - 5, rates[5:])
    assert_same_state(whole, continued)
    assert whole.evaluate("test").loss == continued.evaluate("test").loss


@pytest.mark.parametrize("framework", ENGINES)
def test_looking_at_a_run_does_not_change_it(framework, make):
    watched, alone = make(framework, **ALL), make(framework, **ALL)
    watched.train(0, 3)
    losses = watched.read_steps(0, 3)[0]
    assert watched.gradient_norm(2) > 0
    watched.evaluate("test")
    watched.predict("test", np.arange(5))
    alone.train(0, 3)
    assert_same_state(watched, alone)
    np.testing.assert_array_equal(losses, alone.read_steps(0, 3)[0])


@pytest.mark.parametrize("framework", ENGINES)
def test_it_learns_and_says_so_on_every_set(framework, data):
    spec = RunSpec(framework=framework, model="airnet-s", batch_size=16, device="cpu", optimizer="sgd", lr=0.02)
    engine = ENGINES[framework](spec, SMALL)
    held = hold_out(data, 50, 0)
    engine.load_data(held)
    for seed in range(3):
        engine.begin_epoch(np.random.default_rng(seed).permutation(TRAIN_SIZE - 50))
        engine.train(0, 16)
    assert engine.evaluate("train").accuracy > 0.8
    assert engine.evaluate("validation").accuracy > 0.8
    assert engine.evaluate("validation").confusion.sum() == 50


def test_the_average_is_what_is_evaluated_and_training_goes_on_with_the_weights(make):
    plain, averaged = make(optimizer="sgd", lr=0.02), make(optimizer="sgd", lr=0.02, weight_average=0.99)
    for engine in (plain, averaged):
        engine.train(0, 6)
    assert averaged.evaluate("test").loss != plain.evaluate("test").loss
    for name, array in plain.state().items():
        np.testing.assert_array_equal(averaged.state()[name], array, err_msg=name)


def test_a_mirrored_image_is_seen_with_an_image_where_that_is_asked(make, data):
    engine, flipped = make(), make(test_flips=True)
    logits = np.log(engine.predict("test", np.arange(TEST_SIZE)))
    engine.images["test"] = engine.images["test"].flip(3)
    mirrored = np.log(engine.predict("test", np.arange(TEST_SIZE)))
    expected = torch.from_numpy((logits + mirrored) / 2).softmax(1)
    np.testing.assert_allclose(flipped.predict("test", np.arange(TEST_SIZE)), expected, atol=1e-5)


def test_the_article_is_trained_by_its_own_engines_and_all_else_by_those_of_recipes():
    assert type(torch_engine.create(RunSpec(device="cpu", schedule="cosine", lr=0.1))) is TorchEngine
    assert type(tensorflow_engine.create(RunSpec(framework="tensorflow", device="cpu"))) is TensorFlowEngine
    assert type(torch_engine.create(RunSpec(device="cpu", weight_decay=0.1))) is TorchRecipeEngine
    asked = RunSpec(framework="tensorflow", device="cpu", model="airnet-s")
    assert type(tensorflow_engine.create(asked)) is TensorFlowRecipeEngine


@pytest.mark.parametrize("model", ["airnet-s", "airnet-m"])
def test_ours_have_the_parameters_that_the_catalog_tells(model):
    for framework, engine in ENGINES.items():
        parameters = engine(RunSpec(framework=framework, model=model, device="cpu")).parameters
        assert sum(parameter.count for parameter in parameters) == MODELS[model].parameter_count(framework)


def test_a_state_of_another_model_is_refused(make):
    with pytest.raises(CheckpointProblem):
        make().load_state(make(layers=SMALL[:2] + SMALL[3:]).state())


def test_the_first_layer_makes_of_images_patterns_that_vary_alike(make, data):
    engine = make()
    kernels = engine.state()["model/whiten1.weight"]
    np.testing.assert_array_equal(kernels[:4], -kernels[4:])
    pixels = (data.train_images - data.train_images.mean()) / data.train_images.std()
    maps = torch.nn.functional.conv2d(
        torch.from_numpy(pixels).float().unsqueeze(1), torch.from_numpy(kernels), stride=2
    )
    np.testing.assert_allclose((maps**2).mean((0, 2, 3)), 1, rtol=0.05)
