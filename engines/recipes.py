"""Recipes as data: how a model is trained. Every field of one can be set apart from it, and all are in `spec.json`."""

from typing import Any, cast

import msgspec

from engines.catalog import DATASETS
from engines.models import ARTICLE_MODELS, TORCHVISION, find_model
from engines.problems import UsageProblem
from engines.spec import RecipeName, RunSpec

DECIDED = (
    "epochs",
    "precision",
    "batch_size",
    "lr",
    "optimizer",
    "schedule",
    "warmup",
    "weight_decay",
    "bias_rate",
    "label_smoothing",
    "weight_average",
    "test_flips",
    "flip",
    "shift",
    "erase",
    "rotate",
    "scale",
    "shear",
)
"""The fields of a spec that a recipe decides."""

_ARTICLE = {name: getattr(RunSpec(), name) for name in DECIDED}


class Recipe(msgspec.Struct, frozen=True):
    """A way to train: where it differs from the article's, and where it differs again by dataset."""

    summary: str
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    by_dataset: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)


# Clothes are as often seen from the other side; a mirrored digit is none.
_MIRRORED = {"flip": True, "test_flips": True, "shift": 0}
_SGD = {
    "precision": "auto",
    "optimizer": "sgd",
    "batch_size": 128,
    "lr": 0.1,
    "schedule": "triangle",
    "warmup": 0.25,
    "weight_decay": 5e-4,
    "label_smoothing": 0.1,
}

RECIPES: dict[RecipeName, Recipe] = {
    "article": Recipe("Adam at 0.001, batches of 32, five epochs"),
    "fast": Recipe(
        "as accurate as can be within seconds",
        {**_SGD, "epochs": 4, "shift": 1},
        {"fashion-mnist": {**_MIRRORED, "epochs": 8}, "digits": {"epochs": 20, "batch_size": 32}},
    ),
    "best": Recipe(
        "as accurate as can be within minutes",
        {**_SGD, "epochs": 20, "shift": 2, "rotate": 10.0, "scale": 0.1},
        {
            "fashion-mnist": {**_MIRRORED, "rotate": 0.0, "scale": 0.0, "erase": 8, "epochs": 34},
            "digits": {"epochs": 60, "batch_size": 32},
        },
    ),
}


def recipe_fields(recipe: RecipeName, dataset: str, budget: float | None = None) -> dict[str, Any]:
    """Give every field that `recipe` decides, with its value on `dataset`; a budget decides in its place how long."""
    found = RECIPES[recipe]
    timed = {} if budget is None else {"epochs": None}
    return {**_ARTICLE, **found.fields, **found.by_dataset.get(dataset, {}), **timed}


def is_plain(spec: RunSpec) -> bool:
    """Tell whether a run is the article's but for its rate, which any engine lets be what it is told."""
    own = {"epochs", "precision", "batch_size", "lr", "schedule", "warmup", "bias_rate"}
    asked = {name: getattr(spec, name) for name in DECIDED if name not in own}
    return spec.model in ARTICLE_MODELS and all(asked[name] == _ARTICLE[name] for name in asked)


def own_recipe(model: str) -> RecipeName:
    """Give the recipe with which `model` is trained where none is named."""
    found = find_model(model)
    return found.recipe if found else "article"


def follow(spec: RunSpec, **changes: Any) -> RunSpec:  # noqa: ANN401 - as many types as fields
    """Give `spec` with `changes`; what was as its recipe says becomes what the recipe says now.

    Another model brings its own recipe where `spec` has that of the model that it had.
    """
    before = {name: getattr(spec, name) for name in ("recipe", "dataset", "budget")}
    now = before | {name: value for name, value in changes.items() if name in before}
    if "recipe" not in changes and spec.recipe == own_recipe(spec.model):
        now["recipe"] = own_recipe(changes.get("model", spec.model))
    was, is_now = recipe_fields(**before), recipe_fields(**now)
    followed = {name: is_now[name] for name in DECIDED if getattr(spec, name) == was[name]}
    return msgspec.structs.replace(spec, **{**followed, **now, **changes})


def fill_in(asked: dict[str, Any]) -> RunSpec:
    """Make a spec of the fields in `asked`; a field that is None or left out is its recipe's, or the default."""
    given = {name: value for name, value in asked.items() if value is not None}
    model, dataset = given.get("model", RunSpec().model), given.get("dataset", RunSpec().dataset)
    recipe = cast(RecipeName, given.get("recipe", own_recipe(model)))
    return RunSpec(**{**recipe_fields(recipe, dataset, given.get("budget")), "recipe": recipe, **given})


def check_combination(spec: RunSpec) -> None:
    """Refuse fields that are sound by themselves and not together; raises `UsageProblem`."""
    if spec.model.startswith(TORCHVISION) and spec.framework != "torch":
        raise UsageProblem(f"{spec.model} is there in torch only.", "Choose torch, or another model.")
    dataset = DATASETS.get(spec.dataset)
    if dataset and spec.validation >= dataset.train_size:
        raise UsageProblem(
            f"validation {spec.validation} leaves none of {dataset.train_size} images.", "Hold out fewer."
        )
