"""The models, told layer by layer: shapes, parameter counts, names."""

import pytest

from engines.architecture import input_shapes
from engines.catalog import FRAMEWORKS
from engines.models import MODELS, find_model


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("model", "count"), [("nn", 101_770), ("lenet", 61_706), ("lenet1", 121_994)])
def test_models_have_the_articles_parameter_counts_in_both_frameworks(framework, model, count):
    assert MODELS[model].parameter_count(framework) == count


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("model", MODELS)
def test_every_model_ends_in_ten_logits(framework, model):
    assert MODELS[model].table(framework)[-1].shape == (10,)
    assert MODELS[model].layers(framework)[-1].relu is False


def test_ours_have_the_same_parameter_count_in_both_frameworks():
    for name, count in {"airnet-s": 60_874, "airnet-m": MODELS["airnet-m"].parameter_count("torch")}.items():
        assert {MODELS[name].parameter_count(framework) for framework in FRAMEWORKS} == {count}


def test_every_classifier_of_torchvision_can_be_named_and_no_other():
    assert find_model("torchvision:resnet18").name == "torchvision:resnet18"
    assert find_model("torchvision:resnet") is None
    assert find_model("resnet18") is None


def test_a_table_tells_each_layer_with_its_shape_and_count():
    assert [(row.title, row.shape, row.parameter_count) for row in MODELS["lenet"].table()] == [
        ("conv 5x5, relu", (6, 28, 28), 156),
        ("max pool 2x2", (6, 14, 14), 0),
        ("conv 5x5, relu", (16, 10, 10), 2_416),
        ("max pool 2x2", (16, 5, 5), 0),
        ("flatten", (400,), 0),
        ("dense, relu", (120,), 48_120),
        ("dense, relu", (84,), 10_164),
        ("dense", (10,), 850),
    ]


def test_pooling_leaves_an_odd_last_row_out():
    maps = [row.shape for row in MODELS["lenet1"].table("torch")]
    assert maps[2:4] == [(64, 13, 13), (64, 6, 6)]


def test_what_enters_a_layer_is_what_left_the_one_before():
    model = MODELS["airnet-s"]
    shapes = input_shapes(model.layers("torch"))
    assert shapes[0] == (1, 28, 28)
    assert shapes[1:] == [row.shape for row in model.table("torch")][:-1]
