"""The forward pass in numpy: number for number what each engine's evaluation gives for its own checkpoints."""

import noisy_shapes
import numpy as np
import pytest

from engines import rehearsal_engine, tensorflow_engine, torch_engine
from engines.forward import ForwardPass
from engines.problems import Unavailable
from engines.recipes import fill_in
from engines.spec import RunSpec

MAKERS = {
    "torch": torch_engine.create,
    "tensorflow": tensorflow_engine.create,
    "rehearsal": rehearsal_engine.create,
}
IMAGES = 12


@pytest.fixture(scope="module")
def data():
    return noisy_shapes.draw_dataset(64, IMAGES)


def trained(spec, data):
    """Give an engine after two steps, so that no bias is zero any more."""
    engine = MAKERS[spec.framework](spec)
    engine.load_data(data)
    engine.begin_epoch(np.arange(64))
    engine.train(0, 2)
    return engine


@pytest.mark.parametrize(
    ("framework", "model"),
    [*((name, model) for name in ("torch", "tensorflow") for model in ("nn", "lenet", "lenet1")), ("rehearsal", "nn")],
)
def test_it_gives_the_engines_own_probabilities(framework, model, data):
    spec = RunSpec(framework=framework, model=model, device="cpu", lr=0.01)
    engine = trained(spec, data)
    network = ForwardPass(spec, engine.state())
    found = np.array([network.probabilities(image) for image in data.test_images])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, engine.predict("test", np.arange(IMAGES)), rtol=1e-4, atol=2e-6)


def test_a_rehearsal_is_of_one_network_whatever_model_and_recipe_it_is_called_by(data):
    spec = fill_in({"framework": "rehearsal", "model": "airnet-s", "batch_size": 32})
    engine = trained(spec, data)
    found = ForwardPass(spec, engine.state()).probabilities(data.test_images[0])
    np.testing.assert_allclose(found[None], engine.predict("test", np.arange(1)), rtol=1e-4, atol=2e-6)


def test_a_model_that_is_not_known_is_refused_by_its_name():
    with pytest.raises(Unavailable, match="airliner"):
        ForwardPass(RunSpec(model="airliner"), {})


@pytest.mark.parametrize("shape", [(128, 784), (128, 100), (128, 784, 1)], ids=str)
def test_a_checkpoint_of_another_form_is_refused(shape):
    state = {
        "model/fc1.weight": np.zeros(shape, np.float32),
        "model/fc1.bias": np.zeros(128, np.float32),
        "model/fc2.weight": np.zeros((7, 128), np.float32),
        "model/fc2.bias": np.zeros(7, np.float32),
    }
    with pytest.raises(Unavailable):
        ForwardPass(RunSpec(model="nn"), state)
    with pytest.raises(Unavailable):
        ForwardPass(RunSpec(model="lenet"), state)


def test_figures_too_large_for_the_exponential_give_probabilities_too():
    state = {
        "model/fc1.weight": np.zeros((128, 784), np.float32),
        "model/fc1.bias": np.zeros(128, np.float32),
        "model/fc2.weight": np.zeros((10, 128), np.float32),
        "model/fc2.bias": np.array([1e4] + 9 * [-1e4], np.float32),
    }
    network = ForwardPass(RunSpec(model="nn"), state)
    assert network.probabilities(np.zeros((28, 28), np.uint8)).tolist() == [1.0] + 9 * [0.0]


def test_a_network_that_another_recipe_has_trained_is_refused():
    spec = fill_in({"model": "nn", "recipe": "fast"})
    with pytest.raises(Unavailable, match="article's recipe"):
        ForwardPass(spec, {})
