"""Runs with a budget by a real worker: what they leave, and how they go on."""

from types import SimpleNamespace

import contract
import numpy as np
import pytest
import real_worker
from held_training import held

from engines import control, datasets, launch
from engines.engine_maker import make_engine
from engines.events import Batch, RunStarted
from engines.problems import UsageProblem
from engines.recipes import fill_in, follow
from engines.rehearsal_engine import RehearsalEngine
from engines.run_reader import RunReader
from engines.runs import read_spec, summarise
from engines.spec import RunSpec, decode_spec, encode_spec


def timed(store, budget=0.6, **asked):
    return real_worker.train(store, epochs=None, budget=budget, schedule="triangle", **asked)


def of(run, kind):
    return [event for event in run.events if isinstance(event, kind)]


def go_on(directory, **more):
    return real_worker.ended(launch.go_on(directory, **more))


def seconds_of(directory):
    return sum(epoch.train_seconds for epoch in RunReader(directory).read_all().epochs)


def check_ends_as_soon_as_they_are_spent(run, budget):
    """No step begins after that, however long the last one takes on a busy machine."""
    *before, last = [batch.trained_seconds for batch in of(run, Batch)]
    assert all(seconds < budget for seconds in before)
    assert last >= budget


def test_a_run_keeps_the_contract_and_is_completed_once_its_seconds_of_training_are_spent(store):
    run = timed(store)
    contract.check_directory(run.directory)
    contract.check_attempt((run.directory / "events.jsonl").read_bytes())
    assert (run.exit_code, run.finished.state) == (0, "completed")
    assert run.finished.test_accuracy is not None
    check_ends_as_soon_as_they_are_spent(run, 0.6)
    assert seconds_of(run.directory) == pytest.approx(of(run, Batch)[-1].trained_seconds)
    assert summarise(run.directory).epochs_done == run.finished.epochs


def test_one_that_was_stopped_goes_on_with_what_is_left(store):
    with held(0, within=True) as hold:
        worker = real_worker.start(store, epochs=None, budget=2.0)
        hold.wait(0)
        control.ask(worker.run_directory, "stop")
        first = real_worker.ended(worker)
    assert first.finished.state == "stopped"
    spent = of(first, Batch)[-1].trained_seconds
    second = go_on(first.directory)
    assert second.finished.state == "completed"
    assert of(second, Batch)[0].trained_seconds >= spent
    check_ends_as_soon_as_they_are_spent(second, 2.0)
    assert read_spec(first.directory).budget == 2.0


def test_one_that_is_done_goes_on_only_for_more_seconds_or_epochs(store):
    first = timed(store, budget=0.3)
    with pytest.raises(UsageProblem, match="has spent its budget") as refusal:
        launch.go_on(first.directory)
    assert "--budget" in refusal.value.hint
    second = go_on(first.directory, more_seconds=0.3)
    start = of(second, RunStarted)[0]
    assert start.spec.epochs is None
    assert start.spec.budget == pytest.approx(of(first, Batch)[-1].trained_seconds + 0.3)
    assert of(second, Batch)[-1].trained_seconds >= start.spec.budget
    third = go_on(first.directory, more_epochs=2)
    start = of(third, RunStarted)[0]
    assert (start.spec.budget, start.spec.epochs) == (None, start.epochs_done + 2)
    epochs = RunReader(first.directory).read_all().epochs
    # Those that had ended in their middle are there once, whole.
    assert [epoch.place for epoch in epochs] == list(range(1, start.spec.epochs + 1))


def test_a_run_that_counted_epochs_may_go_on_for_seconds(store):
    first = real_worker.train(store, epochs=1)
    spent = seconds_of(first.directory)
    second = go_on(first.directory, more_seconds=0.2)
    assert read_spec(first.directory).budget == pytest.approx(spent + 0.2)
    assert of(second, RunStarted)[0].epochs_done == 1
    assert second.finished.state == "completed"


class NoticedEngine(RehearsalEngine):
    """Counts the steps that it does."""

    done = 0

    def train(self, first_step, step_count, rates=None):
        super().train(first_step, step_count, rates)
        self.done += step_count


@pytest.mark.parametrize(("asked", "done"), [({"epochs": None, "budget": 1.0}, 1), ({"epochs": 1}, 0)])
def test_what_is_slow_for_the_first_time_is_done_before_the_budget_begins_and_taken_back(asked, done):
    spec = real_worker.spec_of(**asked)
    data = datasets.load("digits", None, lambda *_: None)
    engine = make_engine(SimpleNamespace(create=NoticedEngine), spec, spec, data)
    assert engine.done == done
    for name, array in RehearsalEngine(spec).state().items():
        np.testing.assert_array_equal(engine.state()[name], array)


# What is asked.


def test_a_budget_takes_the_place_of_the_recipes_epochs_and_not_of_those_that_are_asked():
    assert fill_in({"budget": 60.0}).epochs is None
    assert fill_in({"budget": 60.0, "epochs": 3}).epochs == 3
    assert fill_in({"recipe": "fast", "budget": 60.0}).schedule == "triangle"


def test_a_budget_that_comes_and_goes_leaves_the_run_that_was_there():
    before = fill_in({"model": "airnet-s"})
    there = follow(before, budget=30.0)
    assert (there.epochs, there.budget) == (None, 30.0)
    assert follow(there, dataset="digits").epochs is None
    assert follow(there, budget=None) == before
    assert follow(follow(RunSpec(epochs=9), budget=5.0), budget=None).epochs == 9


def test_a_spec_has_an_end():
    with pytest.raises(ValueError, match="epochs, or a budget"):
        RunSpec(epochs=None)
    with pytest.raises(ValueError, match="epochs, or a budget"):
        decode_spec(b'{"epochs": null}')
    spec = RunSpec(epochs=None, budget=2.5)
    assert decode_spec(encode_spec(spec)) == spec
