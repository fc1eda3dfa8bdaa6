import keras
import noisy_shapes
import numpy as np
import pytest
import tensorflow as tf

from engines import tensorflow_engine, tensorflow_threads
from engines.architecture import Conv, Dense, Dropout, Flatten, MaxPool
from engines.datasets import ImageData
from engines.models import ARTICLE_MODELS
from engines.problems import CheckpointProblem
from engines.spec import RunSpec
from engines.tensorflow_convolutions import PooledProduct2D
from engines.tensorflow_engine import TensorFlowEngine

TRAIN_SIZE, TEST_SIZE, BATCH_SIZE = 300, 430, 32
STEPS = 10
SPLITS = [(0, 1), (1, 3), (4, 5), (9, 1)]


@pytest.fixture(scope="module")
def data():
    return noisy_shapes.draw_dataset(TRAIN_SIZE, TEST_SIZE)


@pytest.fixture(scope="module")
def order():
    return np.random.default_rng(1).permutation(TRAIN_SIZE)


@pytest.fixture
def make(data, order):
    """Give a maker of an engine that is ready for an epoch; `layers` stand in for the model's own."""

    def make_engine(model="nn", layers=None, **fields):
        spec = RunSpec(framework="tensorflow", model=model, batch_size=BATCH_SIZE, device="cpu", **fields)
        engine = TensorFlowEngine(spec, layers) if layers else tensorflow_engine.create(spec)
        engine.load_data(data)
        engine.begin_epoch(order)
        return engine

    return make_engine


def without_dropout(model):
    return tuple(layer for layer in ARTICLE_MODELS[model].tensorflow_layers if not isinstance(layer, Dropout))


def article_network(layers, seed=0):
    """Build `layers` as the article writes them: a ReLU in each layer that has one, pooling after it."""
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input((28, 28, 1))])
    for layer in layers:
        match layer:
            case Conv(filters, kernel, padding):
                network.add(keras.layers.ZeroPadding2D(padding))
                network.add(keras.layers.Conv2D(filters, kernel, activation="relu"))
            case MaxPool():
                network.add(keras.layers.MaxPooling2D((2, 2)))
            case Flatten():
                network.add(keras.layers.Flatten())
            case Dense(units, relu):
                network.add(keras.layers.Dense(units, activation="relu" if relu else None))
            case Dropout(rate):
                network.add(keras.layers.Dropout(rate))
    return network


def article_images(images):
    return (images / 255.0).astype(np.float32)[..., None]


def article_loss(labels, logits):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


def article_gradients(network, images, labels):
    """Give the mean loss of a batch, the count of right answers and the gradient of each weight."""
    with tf.GradientTape() as tape:
        logits = network(article_images(images), training=True)
        loss = article_loss(labels, logits)
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_variables])
    return float(loss), np.sum(np.argmax(logits, 1) == labels), gradients


def weights_of(engine):
    return [engine.state()[f"model/{parameter.name}"] for parameter in engine.parameters]


def assert_same_state(one, other):
    mine, its = one.state(), other.state()
    assert mine.keys() == its.keys()
    for name, array in mine.items():
        np.testing.assert_array_equal(array, its[name], err_msg=name)


@pytest.mark.parametrize(("model", "count"), [("nn", 101_770), ("lenet", 61_706), ("lenet1", 121_994)])
def test_parameters_are_the_articles(model, count):
    engine = tensorflow_engine.create(RunSpec(model=model, device="cpu"))
    assert sum(parameter.count for parameter in engine.parameters) == count
    assert engine.parameters[0].name == ("fc1/kernel" if model == "nn" else "conv1/kernel")
    assert all(engine.state()[f"model/{p.name}"].shape == tuple(p.shape) for p in engine.parameters)


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_first_weights_are_those_keras_draws_from_the_seed(model, make):
    expected = article_network(ARTICLE_MODELS[model].tensorflow_layers, seed=7).get_weights()
    for mine, its in zip(weights_of(make(model, seed=7)), expected, strict=False):  # Keras appends dropout's seed
        np.testing.assert_array_equal(mine, its)


STEP_CASES = {
    **{name: without_dropout(name) for name in ARTICLE_MODELS},
    "padding by more than half a kernel": ARTICLE_MODELS["lenet1"].torch_layers,
    "odd sides": (Conv(4, 4), MaxPool(), Conv(5, 3, padding=1), MaxPool(), MaxPool(), Flatten(), Dense(10, relu=False)),
}


@pytest.mark.parametrize("layers", STEP_CASES.values(), ids=STEP_CASES.keys())
def test_steps_are_those_of_plain_keras(layers, data, order, make):
    # Small steps, as a ReLU or a maximum that falls the other way by a rounding error is then seldom.
    network, engine = article_network(layers), make(layers=layers, lr=1e-4)
    optimizer = keras.optimizers.Adam(1e-4)
    losses, right = [], []
    for indices in np.split(order, range(BATCH_SIZE, TRAIN_SIZE, BATCH_SIZE)):
        loss, hits, gradients = article_gradients(network, data.train_images[indices], data.train_labels[indices])
        optimizer.apply(gradients, network.trainable_variables)
        losses.append(loss)
        right.append(hits)
    engine.train(0, STEPS)
    mean_losses, found = engine.read_steps(0, STEPS)
    assert len(losses) == STEPS
    np.testing.assert_allclose(mean_losses, losses, rtol=3e-5)
    np.testing.assert_array_equal(found, right)
    np.testing.assert_array_equal(engine.read_steps(9, 1)[0], mean_losses[9:])
    for mine, its in zip(weights_of(engine), network.get_weights(), strict=True):
        np.testing.assert_allclose(mine, its, atol=2.5e-4)
        assert np.abs(mine - its).mean() < 3e-6


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_loss_falls(model, make):
    engine = make(model)
    before = engine.evaluate("test")
    for _ in range(4):
        engine.train(0, STEPS)
    after = engine.evaluate("test")
    assert after.loss < before.loss / 2
    assert after.accuracy > 0.8
    assert engine.read_steps(0, STEPS)[0].mean() < before.loss / 2


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_same_seed_gives_the_same_bits_however_the_steps_are_partitioned(model, make):
    one, other = make(model), make(model)
    rates = np.linspace(1e-3, 1e-4, STEPS)
    one.train(0, STEPS, rates)
    for first, count in SPLITS:
        other.train(first, count, rates[first : first + count])
        other.read_steps(first, count)
    assert_same_state(one, other)
    for mine, its in zip(one.read_steps(0, STEPS), other.read_steps(0, STEPS), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_another_seed_gives_other_weights(make):
    assert not np.array_equal(weights_of(make(seed=0))[0], weights_of(make(seed=1))[0])


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_a_run_continued_in_mid_epoch_equals_an_uninterrupted_one(model, make):
    whole = make(model)
    whole.train(0, 4)
    saved = whole.state()
    whole.train(4, STEPS - 4)
    continued = make(model, seed=5)
    continued.load_state(saved)
    continued.train(4, STEPS - 4)
    assert_same_state(whole, continued)


def test_state_is_a_copy_that_says_what_is_what(make):
    engine = make()
    saved = engine.state()
    before = {name: array.copy() for name, array in saved.items()}
    engine.train(0, 1)
    for name, array in saved.items():
        np.testing.assert_array_equal(array, before[name])
        assert not np.array_equal(engine.state()[name], array), f"a step leaves {name} as it was"
    assert {name.partition("/")[0] for name in saved} == {"model", "optimizer", "random"}


def test_looking_at_a_run_does_not_change_it(make):
    watched, alone = make(), make()
    watched.train(0, 3)
    watched.gradient_norm(2)
    watched.evaluate("test")
    watched.predict("test", np.arange(5))
    losses = watched.read_steps(0, 3)[0]
    watched.train(3, 3)
    alone.train(0, 6)
    assert_same_state(watched, alone)
    np.testing.assert_array_equal(losses, alone.read_steps(0, 3)[0])


def _drop(state):
    del state["optimizer/m/fc1/bias"]


def _add(state):
    state["model/fc9/kernel"] = np.zeros(3, np.float32)


def _reshape(state):
    state["model/fc1/bias"] = np.zeros(64, np.float32)


def _retype(state):
    state["model/fc1/bias"] = state["model/fc1/bias"].astype(np.float64)


@pytest.mark.parametrize(
    ("damage", "named"),
    [(_drop, "m/fc1/bias"), (_add, "fc9/kernel"), (_reshape, "(64,)"), (_retype, "float64")],
)
def test_a_state_of_another_form_is_refused_and_changes_nothing(damage, named, make):
    engine, other = make(), make(seed=1)
    other.train(0, 1)
    before, wrong = engine.state(), other.state()
    damage(wrong)
    with pytest.raises(CheckpointProblem) as caught:
        engine.load_state(wrong)
    assert named in caught.value.message
    for name, array in engine.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_state_of_another_model_is_refused(make):
    with pytest.raises(CheckpointProblem):
        make("nn").load_state(make("lenet").state())


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_evaluation_covers_the_whole_set_without_dropout(model, data, make):
    engine, network = make(model), article_network(without_dropout(model))
    engine.train(0, 5)
    network.set_weights(weights_of(engine))
    labels, logits = data.test_labels, network(article_images(data.test_images)).numpy()
    evaluation, predicted = engine.evaluate("test"), logits.argmax(1)
    assert evaluation.loss == pytest.approx(float(article_loss(labels, logits)), rel=1e-5)
    assert evaluation.accuracy == np.mean(predicted == labels)
    assert evaluation.confusion.tolist() == [
        [np.sum((labels == label) & (predicted == answer)) for answer in range(10)] for label in range(10)
    ]
    np.testing.assert_array_equal(evaluation.predictions, predicted)
    every = engine.predict("test", np.arange(len(labels)))
    np.testing.assert_allclose(evaluation.confidences, every.max(1), atol=1e-6)
    assert engine.evaluate("train").confusion.sum() == TRAIN_SIZE
    indices = np.array([3, 0, 200])
    np.testing.assert_allclose(engine.predict("test", indices), tf.nn.softmax(logits[indices]), atol=1e-5)


def test_dropout_drops_its_share_and_keeps_the_mean(make):
    network = make(layers=(Flatten(), Dense(10, relu=False), Dropout(0.2))).network
    images = tf.random.stateless_uniform((1_000, 28, 28, 1), (1, 2))
    kept = network(images, training=True) / network(images)
    assert np.mean(kept == 0) == pytest.approx(0.2, abs=0.02)
    assert np.mean(kept) == pytest.approx(1, abs=0.02)
    assert np.any(network(images, training=True) != network(images, training=True))


def test_gradient_norm_is_that_of_the_batch(data, order, make):
    last = order[9 * BATCH_SIZE :]
    network = article_network(without_dropout("lenet"))
    _, _, gradients = article_gradients(network, data.train_images[last], data.train_labels[last])
    assert make("lenet").gradient_norm(9) == pytest.approx(float(tf.linalg.global_norm(gradients)), rel=1e-4)


def test_learning_rate_and_number_of_steps_change_without_tracing_anew(make, monkeypatch):
    traced = []
    update = TensorFlowEngine._update
    monkeypatch.setattr(TensorFlowEngine, "_update", lambda *args: traced.append("once") or update(*args))
    engine = make()
    engine.train(0, 1)
    before = weights_of(engine)
    for first, count in SPLITS:
        engine.train(first, count, np.full(count, 1e-12))
    for mine, its in zip(weights_of(engine), before, strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-9)
    assert traced == ["once"]


def test_new_data_replaces_the_old(data, order, make):
    engine, other = make(), make()
    engine.train(0, 1)
    engine.evaluate("test")
    black = ImageData(data.train_images * 0, data.train_labels, data.test_images * 0, data.test_labels)
    engine.load_state(other.state())
    for each in (engine, other):
        each.load_data(black)
        each.begin_epoch(order)
        each.train(0, STEPS)
    assert_same_state(engine, other)
    assert engine.evaluate("test").loss == other.evaluate("test").loss


def test_inputs_are_brought_to_the_range_asked_for(data):
    spec, layers = RunSpec(framework="tensorflow", device="cpu"), without_dropout("nn")
    for input_range, images in [((-1.0, 1.0), data.test_images / 127.5 - 1), ((0.0, 1.0), data.test_images / 255)]:
        engine = TensorFlowEngine(spec, layers, input_range)
        engine.load_data(data)
        logits = engine.network(images[:4, ..., None].astype(np.float32))
        np.testing.assert_allclose(engine.predict("test", np.arange(4)), tf.nn.softmax(logits), atol=1e-6)


def test_a_loss_that_is_not_finite_is_reported_as_it_is(make):
    engine = make()
    state = engine.state()
    state["model/fc2/bias"][0] = np.nan
    engine.load_state(state)
    engine.train(0, 2)
    assert np.isnan(engine.read_steps(0, 2)[0]).all()


def test_an_engine_in_bfloat16_leaves_other_networks_of_the_process_as_they_are(make):
    make("lenet", precision="bfloat16")
    assert keras.layers.Dense(1).compute_dtype == "float32"


@pytest.mark.parametrize("model", ["nn", "lenet"])
def test_in_bfloat16_it_learns_nearly_the_same_and_its_checkpoint_is_float32(make, model):
    engine, exact = make(model, precision="bfloat16"), make(model)
    for other in (engine, exact):
        other.train(0, STEPS)
    losses, exact_losses = engine.read_steps(0, STEPS)[0], exact.read_steps(0, STEPS)[0]
    assert (losses != exact_losses).any()
    np.testing.assert_allclose(losses, exact_losses, rtol=0.2)
    assert engine.state()["model/fc1/kernel"].dtype == np.float32
    exact.load_state(engine.state())
    assert exact.evaluate("test").loss == pytest.approx(engine.evaluate("test").loss, rel=0.2)


@pytest.mark.parametrize(
    ("model", "fields", "threads", "is_product"),
    [
        ("nn", {}, (1, 1), False),
        ("lenet", {}, (2, 1), True),
        ("lenet", {"batch_size": 512}, (2, 6), False),
        ("lenet", {"precision": "bfloat16"}, (2, 6), False),
        ("lenet1", {}, (2, 6), False),
    ],
)
def test_as_many_parts_of_a_batch_as_operations_are_computed_at_once(model, fields, threads, is_product, monkeypatch):
    asked = []
    monkeypatch.setattr(tensorflow_threads, "core_count", lambda: 8)
    monkeypatch.setattr(tensorflow_engine, "take_device", lambda _, threads: asked.append(threads) or "CPU (any)")
    engine = tensorflow_engine.create(RunSpec(framework="tensorflow", model=model, device="cpu", **fields))
    assert (asked, engine.parts) == ([threads], threads[0])
    assert any(isinstance(layer, PooledProduct2D) for layer in engine.network.layers) == is_product


@pytest.mark.parametrize("model", ["lenet", "lenet1"])
@pytest.mark.parametrize("batch_size", [1, 2, 5, 32])
def test_parts_add_up_to_the_batch(model, batch_size, make, order):
    engine, found = make(model), []
    for engine.parts in (1, 2, 3):
        loss, right, gradients = engine._find_gradients(*engine._gather(order[:batch_size]))
        found.append([np.array(tensor) for tensor in (loss, right, *gradients)])
    for others in found[1:]:
        for mine, its in zip(others, found[0], strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-4, atol=1e-5)
