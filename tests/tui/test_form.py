import pytest

from engines.problems import UsageProblem
from engines.recipes import DECIDED, fill_in
from engines.spec import RunSpec
from tui.form import Form, Number


def row_of(form, name):
    return next(row for row in form.rows if row.name == name)


@pytest.mark.parametrize(
    ("name", "text", "up", "down"),
    [
        ("framework", "torch", "tensorflow", "tensorflow"),
        ("model", "lenet1", "airnet-s", "lenet"),
        ("epochs", "5", "6", "4"),
        ("epochs", "1", "2", "1"),
        ("budget", "none", "1", "none"),
        ("budget", "60", "90", "45"),
        ("batch_size", "32", "64", "16"),
        ("batch_size", "100", "128", "64"),
        ("lr", "0.001", "0.002", "0.0005"),
        ("seed", "0", "1", "0"),
        ("target_accuracy", "none", "0.5", "none"),
        ("target_accuracy", "0.5", "0.8", "none"),
        ("gpu_memory_limit", "131072", "131072", "65536"),
        ("epochs", "", "1", "1"),
        ("target_accuracy", "0.9e", "0.5", "none"),
    ],
)
def test_stepping_goes_to_the_next_sensible_value(name, text, up, down):
    form = Form(RunSpec())
    for by, expected in ((1, up), (-1, down)):
        form.texts[name] = text
        form.step(row_of(form, name), by)
        assert form.texts[name] == expected


def test_an_untouched_form_asks_for_what_it_was_given():
    asked = RunSpec(framework="tensorflow", model="nn", dataset="digits", lr=3e-5, target_accuracy=0.975, data_dir="/d")
    assert Form(asked).spec() == asked


def test_a_number_of_many_digits_is_asked_for_as_it_was_given():
    asked = RunSpec(lr=0.00123456789, budget=1_234_567.5, target_accuracy=0.98765432)
    assert Form(asked).spec() == asked


def test_every_value_that_stepping_gives_is_valid():
    form = Form(RunSpec())
    for row in form.rows:
        for by in (1, -1):
            for _ in range(40):
                form.step(row, by)
                form.spec()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("epochs", "0", "epochs must be a whole number, 1 or more; it is 0."),
        ("epochs", "", "epochs must be a whole number, 1 or more; it is empty."),
        ("epochs", "2.5", "epochs must be a whole number, 1 or more; it is 2.5."),
        ("batch_size", "-4", "batch size must be a whole number, 1 or more; it is -4."),
        ("lr", "0", "lr must be a number above 0; it is 0."),
        ("lr", "1e999", "lr must be a number above 0; it is 1e999."),
        ("lr", "1e", "lr must be a number above 0; it is 1e."),
        ("seed", "-1", "seed must be a whole number, 0 or more; it is -1."),
        ("target_accuracy", "97", "target accuracy must be between 0 and 1, or none; it is 97."),
        ("gpu_memory_limit", "0", "gpu memory limit must be a whole number of MiB, 1 or more, or none; it is 0."),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(name, text, message):
    form = Form(RunSpec())
    form.texts[name] = text
    with pytest.raises(UsageProblem) as caught:
        form.spec()
    assert str(caught.value) == message
    assert len(message) <= 80


def test_an_emptied_optional_row_means_none():
    form = Form(RunSpec(target_accuracy=0.9, gpu_memory_limit=4096))
    form.texts |= {"target_accuracy": "", "gpu_memory_limit": ""}
    assert form.spec() == RunSpec()


def test_devices_that_are_found_can_be_chosen_and_the_one_asked_for_stays():
    form = Form(RunSpec(device="cuda:3"))
    form.offer_devices(("auto", "cpu", "cuda:0", "cuda:1"))
    assert row_of(form, "device").values == ("auto", "cpu", "cuda:0", "cuda:1", "cuda:3")
    assert form.spec().device == "cuda:3"


def test_rehearsal_is_offered_only_where_it_was_asked_for():
    assert row_of(Form(RunSpec()), "framework").values == ("torch", "tensorflow")
    assert "rehearsal" in row_of(Form(RunSpec(framework="rehearsal")), "framework").values


def test_the_form_has_a_row_for_every_option_but_the_folder_and_the_parts_of_a_recipe():
    rows = {row.name for row in Form(RunSpec()).rows}
    parts = set(DECIDED) - {"epochs", "precision", "batch_size", "lr"}
    assert rows == set(RunSpec.__struct_fields__) - {"data_dir"} - parts
    assert all(isinstance(row, Number) or row.values for row in Form(RunSpec()).rows)


def test_another_model_brings_its_recipe_and_what_was_typed_stays():
    form = Form(RunSpec(dataset="fashion-mnist"))
    form.texts["batch_size"] = "77"
    form.texts["model"] = "lenet1"
    form.step(row_of(form, "model"), 1)
    expected = fill_in({"model": "airnet-s", "dataset": "fashion-mnist", "batch_size": 77})
    assert (expected.recipe, form.texts["recipe"]) == ("fast", "fast")
    assert form.spec() == expected
    form.step(row_of(form, "dataset"), -1)
    assert form.spec() == fill_in({"model": "airnet-s", "dataset": "mnist", "batch_size": 77})
    form.step(row_of(form, "recipe"), -1)
    assert form.spec() == RunSpec(model="airnet-s", batch_size=77)


def test_what_a_framework_has_not_got_is_said():
    form = Form(RunSpec(model="torchvision:resnet18"))
    form.step(row_of(form, "framework"), 1)
    with pytest.raises(UsageProblem, match="in torch only"):
        form.spec()


def test_a_budget_takes_the_place_of_the_epochs_and_gives_it_back():
    form = Form(RunSpec())
    form.step(row_of(form, "budget"), 1)
    assert (form.texts["budget"], form.texts["epochs"]) == ("1", "none")
    form.put(row_of(form, "budget"), "60")
    assert form.spec() == fill_in({"model": "lenet", "budget": 60.0})
    form.step(row_of(form, "model"), 1)
    form.step(row_of(form, "model"), 1)
    assert form.spec() == fill_in({"model": "airnet-s", "budget": 60.0})
    form.put(row_of(form, "budget"), "")
    assert form.spec() == fill_in({"model": "airnet-s"})


def test_epochs_that_were_typed_stay_the_most_beside_a_budget():
    form = Form(RunSpec())
    form.put(row_of(form, "epochs"), "9")
    form.put(row_of(form, "budget"), "60")
    assert (form.spec().epochs, form.spec().budget) == (9, 60.0)
    form.put(row_of(form, "epochs"), "1")
    form.step(row_of(form, "epochs"), -1)
    assert (form.spec().epochs, form.spec().budget) == (None, 60.0)


@pytest.mark.parametrize("text", ["0", "-1", "6e", "."])
def test_a_budget_that_is_none_is_said(text):
    form = Form(RunSpec())
    form.put(row_of(form, "budget"), text)
    with pytest.raises(UsageProblem, match="budget must be a number of seconds above 0, or none"):
        form.spec()


def test_epochs_cannot_be_none_without_a_budget():
    form = Form(RunSpec(epochs=None, budget=60.0))
    assert form.spec() == RunSpec(epochs=None, budget=60.0)
    form.put(row_of(form, "budget"), "none")
    assert form.spec() == RunSpec()
    form.put(row_of(form, "epochs"), "none")
    with pytest.raises(UsageProblem, match="epochs must be a whole number, 1 or more"):
        form.spec()
