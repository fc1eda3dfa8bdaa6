"""PyTorch and TensorFlow do the same mathematics: from the same weights, on the same batches, to the same numbers."""

from math import prod, sqrt

import noisy_shapes
import numpy as np
import pytest

from engines import tensorflow_engine
from engines.architecture import Dropout, Flatten
from engines.models import ARTICLE_MODELS, Model
from engines.spec import RunSpec
from engines.tensorflow_engine import TensorFlowEngine
from engines.torch_engine import TorchEngine

BATCH_SIZE, TRAIN_SIZE, TEST_SIZE = 32, 750, 330
STEPS = 24  # the last with fewer images
# Between -1 and 1, no pixel is 0, so that every weight of the first layer has a gradient well above rounding errors.
INPUT_RANGE = (-1.0, 1.0)
TORCH_EPSILON = 1e-8
# Small, as a ReLU or a maximum that falls the other way by a rounding error is then seldom and of little effect.
LEARNING_RATE = 1e-4
# Over four seeds, losses differed by up to 1.1e-5 of themselves, a tensor's weights by up to 2e-6 in the mean and each
# by 1.7e-4; with a fault of those tried below, losses differ by at least 2.3e-4 and a tensor's mean by 7e-6.
LOSS_TOLERANCE, MEAN_TOLERANCE, WEIGHT_TOLERANCE = 3e-5, 3e-6, 2.5e-4

LAYERS = {
    "nn": tuple(layer for layer in ARTICLE_MODELS["nn"].torch_layers if not isinstance(layer, Dropout)),
    "lenet": ARTICLE_MODELS["lenet"].torch_layers,
    "lenet1-padded-by-2": ARTICLE_MODELS["lenet1"].torch_layers,
    "lenet1-padded-by-1": ARTICLE_MODELS["lenet1"].tensorflow_layers,
}


@pytest.fixture(scope="module")
def data():
    return noisy_shapes.draw_dataset(TRAIN_SIZE, TEST_SIZE)


@pytest.fixture
def make_pair(data):
    """Give a maker of an engine of each framework, ready for an epoch, with the weights that PyTorch drew."""

    def make(layers, tensorflow_layers=None):
        spec = RunSpec(batch_size=BATCH_SIZE, lr=LEARNING_RATE, device="cpu")
        pair = (
            TorchEngine(spec, layers, INPUT_RANGE),
            TensorFlowEngine(spec, tensorflow_layers or layers, INPUT_RANGE),
        )
        pair[1].load_state(pair[1].state() | as_tensorflow(pair[0].state(), "model", "model", layers))
        for engine in pair:
            engine.load_data(data)
            engine.begin_epoch(np.random.default_rng(1).permutation(TRAIN_SIZE))
        return pair

    return make


def as_tensorflow(state, kind, new_kind, layers):
    """Give the arrays of one kind in a state of PyTorch's, named and laid out as TensorFlow's.

    Kernels have their outputs last; the first dense layer takes the values of an image channels last.
    """
    shapes = [(1, 28, 28), *(row.shape for row in Model("", "", layers, layers).table())]
    maps = shapes[[isinstance(layer, Flatten) for layer in layers].index(True)]
    arrays = {}
    for name, array in state.items():
        if not name.startswith(f"{kind}/"):
            continue
        layer, _, part = name.removeprefix(f"{kind}/").partition(".")
        if part == "bias":
            arrays[f"{new_kind}/{layer}/bias"] = array
        elif layer == "fc1":
            kernel = array.reshape(-1, *maps).transpose(2, 3, 1, 0)
            arrays[f"{new_kind}/{layer}/kernel"] = kernel.reshape(prod(maps), -1)
        else:
            arrays[f"{new_kind}/{layer}/kernel"] = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
    return arrays


def train(pair):
    """Train both for an epoch, TensorFlow with PyTorch's epsilon, which it adds before the moment is corrected."""
    pytorch, tensorflow = pair
    pytorch.train(0, STEPS)
    for step in range(STEPS):
        tensorflow.epsilon.assign(TORCH_EPSILON * sqrt(1 - 0.999 ** (step + 1)))
        tensorflow.train(step, 1)


def assert_same_training(pair, layers):
    losses, right = zip(*(engine.read_steps(0, STEPS) for engine in pair), strict=True)
    np.testing.assert_allclose(losses[0], losses[1], rtol=LOSS_TOLERANCE)
    assert abs(right[0].sum() - right[1].sum()) <= 1
    found = pair[1].state()
    for name, wanted in as_tensorflow(pair[0].state(), "model", "model", layers).items():
        np.testing.assert_allclose(found[name], wanted, rtol=0, atol=WEIGHT_TOLERANCE, err_msg=name)
        assert np.abs(found[name] - wanted).mean() <= MEAN_TOLERANCE, name


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS.keys())
def test_an_epoch_from_the_same_weights_ends_in_the_same_weights(layers, make_pair):
    pair = make_pair(layers)
    train(pair)
    assert_same_training(pair, layers)
    evaluations = [engine.evaluate("test") for engine in pair]
    assert evaluations[0].loss == pytest.approx(evaluations[1].loss, rel=LOSS_TOLERANCE)
    assert np.abs(evaluations[0].confusion - evaluations[1].confusion).sum() <= 2


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS.keys())
def test_the_first_gradients_are_the_same_within_float32(layers, make_pair):
    pytorch, tensorflow = make_pair(layers)
    assert pytorch.gradient_norm(0) == pytest.approx(tensorflow.gradient_norm(0), rel=1e-5)
    pytorch.train(0, 1)
    tensorflow.train(0, 1)
    found = tensorflow.state()
    for name, wanted in as_tensorflow(pytorch.state(), "optimizer/exp_avg", "optimizer/m", layers).items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-4, atol=2e-8, err_msg=name)


@pytest.mark.parametrize("betas", [(0.91, 0.999), (0.9, 0.99)])
def test_another_beta_would_be_noticed(betas, make_pair, monkeypatch):
    monkeypatch.setattr(tensorflow_engine, "_BETAS", betas)
    pair = make_pair(LAYERS["nn"])
    train(pair)
    with pytest.raises(AssertionError):
        assert_same_training(pair, LAYERS["nn"])


def test_a_swapped_label_would_be_noticed(data, make_pair):
    pair = make_pair(LAYERS["nn"])
    labels = data.train_labels.astype(np.int64)
    labels[0] = (labels[0] + 1) % 10
    pair[1].labels["train"].assign(labels)
    train(pair)
    with pytest.raises(AssertionError):
        assert_same_training(pair, LAYERS["nn"])


def test_another_padding_would_be_noticed(make_pair):
    pair = make_pair(LAYERS["lenet1-padded-by-2"], LAYERS["lenet1-padded-by-1"])
    train(pair)
    with pytest.raises(AssertionError):
        assert_same_training(pair, LAYERS["lenet1-padded-by-2"])
