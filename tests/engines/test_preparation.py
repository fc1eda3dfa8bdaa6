"""What a spare has ready is given to the run that it fits, and leaves no trace in it."""

import numpy as np
import pytest
import real_worker

from engines import datasets, rehearsal_engine
from engines.preparation import Preparation
from engines.training_loop import epoch_order


@pytest.fixture
def preparation():
    return Preparation()


@pytest.fixture
def spec():
    return real_worker.spec_of()


def never():
    return False


def test_data_and_engine_are_given_to_the_run_that_they_are_of_once(preparation, spec):
    preparation.prepare(spec, never)
    assert preparation.take_engine(real_worker.spec_of(seed=1)) is None
    preparation.prepare(spec, never)
    assert len(preparation.take_data(real_worker.spec_of(seed=1)).train_labels) == 1_437
    assert preparation.take_engine(spec)
    assert preparation.take_data(spec) is None
    assert preparation.take_engine(spec) is None


def test_the_dataset_of_another_run_is_not_given(preparation, spec):
    preparation.prepare(spec, never)
    assert preparation.take_data(real_worker.spec_of(dataset="mnist")) is None


@pytest.mark.parametrize("framework", ["rehearsal", "torch"])
def test_an_engine_that_was_tried_out_trains_as_a_fresh_one(framework, preparation, spec):
    spec = real_worker.spec_of(framework=framework, model="nn", device="cpu")
    preparation.prepare(spec, never)
    data, ready = preparation.take_data(spec), preparation.take_engine(spec)
    module = __import__(f"engines.{framework}_engine", fromlist=["create"])
    fresh = module.create(spec)
    fresh.load_data(data)
    for engine in (ready, fresh):
        engine.begin_epoch(epoch_order(0, 1, len(data.train_labels)))
        engine.train(0, 5)
    np.testing.assert_array_equal(ready.read_steps(0, 5)[0], fresh.read_steps(0, 5)[0])


@pytest.mark.parametrize(
    "asked", [{"dataset": "mnist", "data_dir": "/nowhere"}, {"device": "mps"}, {"framework": "no"}]
)
def test_what_cannot_be_made_ready_is_left_to_the_run(preparation, asked):
    spec = real_worker.spec_of(**asked)
    preparation.prepare(spec, never)
    assert preparation.take_engine(spec) is None


def test_nothing_is_downloaded(preparation, monkeypatch, tmp_path):
    monkeypatch.setattr(datasets, "load", lambda *_: pytest.fail("it was loaded"))
    preparation.prepare(real_worker.spec_of(dataset="fashion-mnist", data_dir=str(tmp_path)), never)


def test_what_is_no_longer_wanted_is_broken_off(preparation, spec, monkeypatch):
    monkeypatch.setattr(rehearsal_engine, "create", lambda _: pytest.fail("it was made"))
    preparation.prepare(spec, lambda: True)
    assert preparation.take_data(spec)
