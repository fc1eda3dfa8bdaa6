"""A sweep's runs, and what its table says of them."""

import pytest
from rows import row_of

from engines.recipes import fill_in
from engines.spec import RunSpec
from engines.sweep import expand


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
