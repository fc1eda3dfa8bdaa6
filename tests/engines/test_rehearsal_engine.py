"""The engine without a framework: it keeps the protocol, always does the same, and really learns."""

import numpy as np
import pytest

from engines import datasets, rehearsal_engine
from engines.problems import CheckpointProblem, Unavailable
from engines.spec import RunSpec
from engines.training_loop import epoch_order

SPEC = RunSpec(framework="rehearsal", model="nn", dataset="digits")
STEPS = 45


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", None, lambda *_: None)


@pytest.fixture
def make(digits, monkeypatch):
    monkeypatch.setattr(rehearsal_engine, "_STEP_SECONDS", 0.0)

    def made(**asked):
        engine = rehearsal_engine.create(RunSpec(**{"framework": "rehearsal", "dataset": "digits", **asked}))
        engine.load_data(digits)
        engine.begin_epoch(epoch_order(0, 1, len(digits.train_labels)))
        return engine

    return made


def test_an_epoch_learns_most_of_the_digits(make):
    engine = make()
    before = engine.evaluate("test")
    engine.train(0, STEPS)
    after = engine.evaluate("test")
    assert before.accuracy < 0.3
    assert after.accuracy > 0.7
    assert after.loss < before.loss
    assert after.confusion.shape == (10, 10)
    assert after.confusion.sum() == 360
    assert after.confusion.trace() / 360 == after.accuracy
    probabilities = engine.predict("test", np.arange(360))
    np.testing.assert_array_equal(after.predictions, probabilities.argmax(1))
    np.testing.assert_array_equal(after.confidences, probabilities.max(1))


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(make):
    engines = [make(seed=1), make(seed=1), make(seed=2)]
    for engine in engines:
        engine.train(0, STEPS)
    losses = [engine.read_steps(0, STEPS)[0] for engine in engines]
    np.testing.assert_array_equal(losses[0], losses[1])
    assert not np.array_equal(losses[0], losses[2])


def test_how_steps_fall_into_calls_changes_nothing(make):
    at_once, in_parts = make(), make()
    rates = np.linspace(1e-3, 1e-4, STEPS)
    at_once.train(0, STEPS, rates)
    for first in range(0, STEPS, 7):
        in_parts.train(first, min(7, STEPS - first), rates[first : first + 7])
    for left, right in zip(at_once.read_steps(0, STEPS), in_parts.read_steps(0, STEPS), strict=True):
        np.testing.assert_array_equal(left, right)


def test_the_last_batch_may_be_smaller(make):
    engine = make()
    engine.train(44, 1)
    losses, right = engine.read_steps(44, 1)
    assert np.isfinite(losses[0])
    assert 0 <= right[0] <= 1_437 - 44 * 32


def test_what_is_loaded_goes_on_as_what_was_saved(make):
    one, other = make(seed=1), make(seed=2)
    one.train(0, 20)
    other.load_state(one.state())
    for engine in (one, other):
        engine.train(20, 5)
    np.testing.assert_array_equal(one.read_steps(20, 5)[0], other.read_steps(20, 5)[0])


def test_a_copy_of_the_state_does_not_change_with_training(make):
    engine = make()
    state = engine.state()
    before = {name: array.copy() for name, array in state.items()}
    engine.train(0, 5)
    for name, array in before.items():
        np.testing.assert_array_equal(state[name], array)


@pytest.mark.parametrize("change", [{"model/weight": np.zeros((3, 3), np.float32)}, {"x": np.zeros(1)}], ids=str)
def test_a_state_of_another_form_is_refused(make, change):
    engine = make()
    with pytest.raises(CheckpointProblem):
        engine.load_state(engine.state() | change)


def test_probabilities_are_those_of_ten_classes(make):
    probabilities = make().predict("test", np.arange(7))
    assert (probabilities.shape, probabilities.dtype) == ((7, 10), np.float32)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)


def test_its_parameters_are_those_of_its_state(make):
    engine = make()
    assert sum(parameter.count for parameter in engine.parameters) == sum(a.size for a in engine.state().values())


def test_a_step_learns_at_the_rate_that_it_is_given(make):
    engine = make()
    before = engine.state()["model/weight"]
    engine.train(0, 3, np.full(3, 1e-12))
    np.testing.assert_allclose(engine.state()["model/weight"], before, atol=1e-8)


def test_the_gradients_norm_says_how_steep_it_is(make):
    engine = make()
    steep = engine.gradient_norm(0)
    for _ in range(5):
        engine.train(0, STEPS)
    assert 0 < engine.gradient_norm(0) < steep


def test_far_too_high_a_rate_leaves_the_finite_numbers_without_raising(make):
    engine = make(lr=1e38)
    engine.train(0, 5)
    assert not np.isfinite(engine.read_steps(0, 5)[0]).all()
    assert not np.isfinite(engine.evaluate("test").loss)


def test_it_has_no_device_but_the_cpu():
    with pytest.raises(Unavailable):
        rehearsal_engine.create(RunSpec(framework="rehearsal", device="cuda"))
