"""Recipes: the article's is what the defaults are, and what is set apart from one stays so."""

import pytest

from engines.catalog import DATASETS
from engines.models import MODELS
from engines.problems import UsageProblem
from engines.recipes import DECIDED, RECIPES, check_combination, fill_in, follow, is_plain, recipe_fields
from engines.spec import RunSpec, decode_spec, encode_spec


@pytest.mark.parametrize("model", ["nn", "lenet", "lenet1"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_the_articles_models_are_trained_as_the_article_says(model, dataset):
    assert fill_in({"model": model, "dataset": dataset}) == RunSpec(model=model, dataset=dataset)
    assert is_plain(RunSpec(model=model, dataset=dataset))


def test_a_run_from_before_there_were_recipes_is_the_articles():
    old = b'{"framework": "torch", "model": "nn", "dataset": "digits", "epochs": 3, "seed": 4}'
    assert decode_spec(old) == RunSpec(model="nn", dataset="digits", epochs=3, seed=4)
    assert is_plain(decode_spec(old))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_recipe_decides_the_same_fields_and_makes_a_valid_spec(recipe, dataset):
    fields = recipe_fields(recipe, dataset)
    assert set(fields) == set(DECIDED)
    spec = fill_in({"recipe": recipe, "dataset": dataset})
    assert decode_spec(encode_spec(spec)) == spec
    assert {name: getattr(spec, name) for name in DECIDED} == fields


@pytest.mark.parametrize("dataset", ["mnist", "digits"])
def test_a_digit_is_never_mirrored(dataset):
    assert not any(recipe_fields(recipe, dataset)[name] for recipe in RECIPES for name in ("flip", "test_flips"))


def test_a_change_of_model_and_back_gives_the_run_that_was_there():
    before = RunSpec(model="lenet", seed=7, lr=0.5)
    there = follow(before, model="airnet-s")
    assert (there.recipe, there.lr, there.seed) == ("fast", 0.5, 7)
    assert there.optimizer == recipe_fields("fast", "mnist")["optimizer"]
    assert follow(there, model="lenet") == before


def test_a_recipe_that_was_chosen_stays_with_another_model():
    chosen = follow(RunSpec(), recipe="best")
    assert follow(chosen, model="nn").recipe == "best"


def test_every_model_names_a_recipe_that_there_is():
    assert all(model.recipe in RECIPES for model in MODELS.values())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "torchvision:resnet18", "framework": "tensorflow"}, "in torch only"),
        ({"dataset": "digits", "validation": 1_437}, "leaves none of 1437 images"),
    ],
)
def test_what_makes_no_sense_together_is_refused(fields, said):
    with pytest.raises(UsageProblem, match=said):
        check_combination(RunSpec(**fields))
