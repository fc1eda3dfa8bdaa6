"""A sweep's runs, and what its table says of them."""

import pytest
import views
from msgspec.structs import replace
from rows import row_of

from engines.event_line import encode_event
from engines.recipes import fill_in
from engines.run_queue import RunQueue
from engines.spec import RunSpec
from engines.sweep import expand, is_chosen_on_validation, ranking


def test_every_combination_is_there_once_and_one_seed_after_the_other():
    sweep = expand({"model": ["nn", "lenet"], "lr": [0.1, 0.2], "epochs": [3]}, range(2))
    assert [(spec.seed, spec.model, spec.lr) for spec in sweep.specs] == [
        (seed, model, lr) for seed in (0, 1) for model in ("nn", "lenet") for lr in (0.1, 0.2)
    ]
    assert {spec.epochs for spec in sweep.specs} == {3}
    assert sweep.varied == ("model", "lr")
    assert len(expand({"model": ["nn", "nn"]}, [3, 3]).specs) == 1


def test_budgets_are_compared_without_the_recipes_epochs():
    sweep = expand({"budget": [10.0, 30.0]}, range(2))
    assert [(spec.budget, spec.epochs, spec.seed) for spec in sweep.specs] == [
        (budget, None, seed) for seed in (0, 1) for budget in (10.0, 30.0)
    ]
    assert sweep.varied == ("budget",)


def test_each_model_has_its_own_recipe_and_each_recipe_its_own_values():
    sweep = expand({"model": ["lenet", "airnet-s"], "dataset": ["fashion-mnist"]})
    assert sweep.specs == tuple(fill_in({"model": m, "dataset": "fashion-mnist"}) for m in ("lenet", "airnet-s"))
    recipes = expand({"recipe": ["fast", "best"]}).specs
    assert recipes == (fill_in({"recipe": "fast"}), fill_in({"recipe": "best"}))


def test_nothing_asked_is_the_default_run():
    assert expand({}).specs == (RunSpec(),)


def test_means_and_spreads_are_over_the_runs_that_are_done():
    sweep = expand({"lr": [0.1, 0.2, 0.3]}, range(3))
    accuracies = {(0.1, 0): 0.9, (0.1, 1): 0.92, (0.1, 2): 0.94, (0.2, 0): 0.5}
    rows = {
        spec: row_of(spec=spec, test_accuracy=accuracies[spec.lr, spec.seed], seconds=2.0)
        for spec in sweep.specs
        if (spec.lr, spec.seed) in accuracies
    }
    rows |= {s: row_of(spec=s, state="stopped", test_accuracy=0.1) for s in sweep.specs if (s.lr, s.seed) == (0.2, 1)}
    first, second, third = sweep.groups(rows)
    assert (first.varied, first.runs, first.completed) == ({"lr": 0.1}, 3, 3)
    assert (first.mean, first.spread) == (pytest.approx(0.92), pytest.approx(0.02))
    assert (first.lowest, first.highest, first.seconds) == (0.9, 0.94, 2.0)
    assert (second.completed, second.mean, second.spread) == (1, 0.5, None)
    assert (third.completed, third.mean, third.seconds) == (0, None, None)


def test_the_highest_mean_is_first_on_held_out_images_where_all_that_have_figures_hold_some_out():
    sweep = expand({"lr": [0.1, 0.2, 0.3, 0.4]})
    tested = {0.1: 0.90, 0.2: 0.92, 0.3: 0.92}
    held_out = {0.1: 0.95, 0.2: 0.91, 0.3: 0.93}
    rows = {
        spec: row_of(spec=spec, test_accuracy=tested[spec.lr], validation_accuracy=held_out[spec.lr])
        for spec in sweep.specs
        if spec.lr in tested
    }
    groups = sweep.groups(rows)
    assert is_chosen_on_validation(groups)
    assert ranking(groups) == [0, 2, 1]
    mixed = [replace(groups[0], validation_mean=None), *groups[1:]]
    assert not is_chosen_on_validation(mixed)
    assert ranking(mixed) == [1, 2, 0]
    assert (is_chosen_on_validation(groups[3:]), ranking(groups[3:])) == (False, [])


@pytest.fixture
def begun(store):
    """Give a function that makes a run of a spec, the newer the later, with its end where it has one."""

    def begin(spec, *ends):
        at = len(store.directories())
        directory = store.create(spec, f"20261124-14450{at}-run-{at}{at}{at}{at}")
        told = [replace(event, seq=seq, time=1.0) for seq, event in enumerate([views.started(), *ends])]
        (directory / "events.jsonl").write_bytes(b"".join(map(encode_event, told)))
        return directory.name

    return begin


def test_of_the_runs_of_a_spec_the_first_that_was_completed_is_found_else_the_newest(store, begun):
    sweep = expand({"lr": [0.1, 0.2, 0.3]})
    first, second, third = sweep.specs
    done = begun(first, views.finished("completed"))
    begun(first, views.finished("stopped"))
    begun(second, views.finished("stopped"))
    newest = begun(second, views.finished("failed"))
    elsewhere = begun(replace(third, data_dir="/elsewhere"), views.finished("completed"))
    begun(third, views.finished("completed"))
    begun(replace(third, lr=0.4), views.finished("completed"))
    (store.root / begun(third) / "spec.json").write_text("{")
    found = sweep.find_runs(store.directories())
    assert {spec: row.run_id for spec, row in found.items()} == {first: done, second: newest, third: elsewhere}


def test_runs_that_wait_are_known_and_those_that_are_trained_now_taken_back(store, monkeypatch):
    monkeypatch.setattr(RunQueue, "see_to_it", lambda self: None)
    sweep = expand({"lr": [0.1, 0.2]})
    first, second = sweep.specs
    ids = RunQueue(store).add([first, replace(first, lr=0.7), second])
    assert sweep.waiting(store) == {first: ids[0], second: ids[2]}
    sweep.take_back(store, [second])
    assert [order.run_id for order in RunQueue(store).waiting()] == ids[:2]
