import pytest
from rows import row_of

from engines.catalog import DATASETS
from engines.models import MODELS
from engines.spec import RunSpec
from tui.choice_lines import arrange, image_lines, model_lines, run_line
from tui.lines import plain, width_of

WHITE = bytes([255]) * 784


def test_a_model_is_a_line_a_layer_and_their_sum():
    lines = [plain(line) for line in model_lines(MODELS["lenet"], "torch", 36)]
    assert lines[1] == "conv 5x5, relu  6x28x28          156"
    assert lines[-1] == "in all                        61,706"
    assert len(lines) == 10


def test_a_model_that_differs_by_framework_is_shown_as_it_is_there():
    by_framework = {name: plain(model_lines(MODELS["lenet1"], name, 40)[1]) for name in ("torch", "tensorflow")}
    assert "32x30x30" in by_framework["torch"]
    assert "32x28x28" in by_framework["tensorflow"]


@pytest.mark.parametrize(
    ("width", "height", "across", "down"),
    [(80, 8, 5, 1), (198, 43, 7, 3), (80, 34, 5, 4), (60, 3, 10, 1), (10, 1, 1, 1)],
)
def test_images_fill_the_space(width, height, across, down):
    assert arrange(width, height)[:2] == (across, down)


@pytest.mark.parametrize("style", ["blocks", "ascii"])
@pytest.mark.parametrize(("width", "height"), [(80, 8), (200, 40), (40, 5), (20, 2), (5, 1)])
def test_images_stay_within_their_space(style, width, height):
    images = [(WHITE, label) for label in range(10)]
    lines = image_lines(images, DATASETS["fashion-mnist"].class_names, style, width, height)
    assert len(lines) <= height
    assert all(width_of(line) <= width for line in lines)


def test_an_image_stands_over_the_name_of_its_class():
    lines = image_lines([(WHITE, 9)], DATASETS["fashion-mnist"].class_names, "blocks", 80, 8)
    assert "Ankle boot" in plain(lines[-1])


def test_a_run_is_one_line_with_its_state_and_its_best():
    run = row_of(state="crashed", spec=RunSpec(model="nn"), started=1_000.0, best_test_accuracy=0.975)
    line = run_line(run, 1_300.0, 60)
    assert plain(line).split() == ["crashed", "torch", "nn", "mnist", "97.50", "%", "5", "min", "ago"]
    assert line[0] == ("crashed   ", "wrong")
    assert width_of(line) == 60
