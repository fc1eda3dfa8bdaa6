import click
import msgspec
import pytest

from engines.problems import Unavailable, UsageProblem
from engines.recipes import recipe_fields
from engines.spec import RunSpec
from tui import options
from tui.cli import command_line


def parse(*arguments):
    return command_line.make_context("mnist-tui", list(arguments))


def spec_from(*arguments):
    context = parse(*arguments)
    return options.build_spec(context.params, options.data_dir(context))[0]


@pytest.fixture(autouse=True)
def no_data_dir(monkeypatch):
    monkeypatch.delenv("MNIST_TUI_DATA_DIR", raising=False)


@pytest.mark.parametrize(
    ("arguments", "named", "rate"),
    [([], None, 10), ([], "4", 4), (["--fps", "30"], "4", 30), (["attach", "--fps", "5"], None, 5)],
)
def test_frames_are_capped_by_option_or_environment(arguments, named, rate, monkeypatch):
    if named:
        monkeypatch.setenv("MNIST_TUI_FPS", named)
    with command_line.make_context("mnist-tui", list(arguments)) as context:
        if arguments[:1] == ["attach"]:
            command_line.get_command(context, "attach").make_context("attach", arguments[1:], parent=context)
        assert options.frame_rate(context) == rate


def test_a_rate_in_the_environment_that_is_none_is_refused_by_its_name_where_there_is_a_screen(monkeypatch):
    monkeypatch.setenv("MNIST_TUI_FPS", "abc")
    with pytest.raises(UsageProblem, match="MNIST_TUI_FPS takes a whole number from 1 to 60, not 'abc'"):
        options.frame_rate(parse())
    assert options.frame_rate(parse("--fps", "5")) == 5


def test_without_options_a_run_is_the_default_one():
    assert spec_from("-d", "mnist") == RunSpec()


def test_every_option_ends_up_in_the_spec(tmp_path):
    spec = spec_from(
        *("-f", "tensorflow", "-m", "lenet1", "-d", "fashion-mnist", "--epochs", "7", "--batch-size", "64"),
        *("--budget", "1m30s"),
        *("--lr", "1e-2", "--seed", "4294967295", "--device", "cuda:1", "--gpu-memory-limit", "2048"),
        *("--data-dir", str(tmp_path), "--target-accuracy", "0.9", "--on-nan", "continue"),
        *("--precision", "bfloat16", "--validation", "5000", "--patience", "3", "--recipe", "best"),
        *("--optimizer", "adamw", "--schedule", "one-cycle", "--warmup", "0.3", "--weight-decay", "0.01"),
        *("--bias-rate", "4", "--label-smoothing", "0.1", "--weight-average", "0.99", "--no-flip", "--test-flips"),
        *("--shift", "1", "--erase", "8", "--rotate", "12.5", "--scale", "0.1", "--shear", "0.2"),
    )

    assert spec == RunSpec(
        framework="tensorflow",
        model="lenet1",
        dataset="fashion-mnist",
        epochs=7,
        budget=90.0,
        batch_size=64,
        lr=0.01,
        seed=4294967295,
        device="cuda:1",
        precision="bfloat16",
        gpu_memory_limit=2048,
        data_dir=str(tmp_path),
        target_accuracy=0.9,
        on_nan="continue",
        validation=5000,
        patience=3,
        recipe="best",
        optimizer="adamw",
        schedule="one-cycle",
        warmup=0.3,
        weight_decay=0.01,
        bias_rate=4.0,
        label_smoothing=0.1,
        weight_average=0.99,
        flip=False,
        test_flips=True,
        shift=1,
        erase=8,
        rotate=12.5,
        scale=0.1,
        shear=0.2,
    )


def test_every_field_of_a_spec_has_an_option_of_its_name():
    assert set(RunSpec.__struct_fields__) <= {option.name for option in command_line.params}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("60s", 60),
        ("2m", 120),
        ("1m30s", 90),
        ("1m30", 90),
        ("1h", 3600),
        ("1h2m3.5s", 3723.5),
        (".5s", 0.5),
    ],
)
def test_a_budget_is_a_time_in_the_place_of_the_recipes_epochs(text, seconds):
    spec = spec_from("-d", "digits", "--budget", text)
    assert (spec.budget, spec.epochs) == (seconds, None)
    assert spec_from("-d", "digits", "--budget", text, "--epochs", "3").epochs == 3


def test_what_is_not_said_is_as_the_recipe_says_and_the_recipe_is_the_models_own():
    fields = recipe_fields("fast", "fashion-mnist")
    spec = spec_from("-m", "airnet-s", "-d", "fashion-mnist", "--lr", "0.5")
    assert spec == RunSpec(model="airnet-s", dataset="fashion-mnist", recipe="fast", **fields | {"lr": 0.5})
    assert spec_from("-m", "airnet-s", "-d", "digits", "--recipe", "article").optimizer == "adam"
    assert spec_from("-m", "lenet", "-d", "digits", "--recipe", "fast").optimizer == "sgd"


def test_a_spec_from_the_command_line_is_one_that_a_worker_takes():
    spec = spec_from("-d", "digits", "--epochs", "9007199254740992", "--batch-size", "2147483647", "--lr", "1e30")

    assert msgspec.json.decode(msgspec.json.encode(spec), type=RunSpec) == spec


def test_a_data_dir_is_absolute_wherever_the_run_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert spec_from("-d", "digits", "--data-dir", "here").data_dir == str(tmp_path / "here")
    monkeypatch.setenv("MNIST_TUI_DATA_DIR", "there")
    assert spec_from("-d", "digits").data_dir == str(tmp_path / "there")
    assert spec_from("-d", "digits", "--data-dir", "here").data_dir == str(tmp_path / "here")


def test_the_runs_dir_is_the_option_before_the_environment(tmp_path, monkeypatch):
    assert options.run_store(parse("--runs-dir", str(tmp_path / "given"))).root == tmp_path / "given"
    monkeypatch.setenv("MNIST_TUI_RUNS_DIR", str(tmp_path / "environment"))
    assert options.run_store(parse()).root == tmp_path / "environment"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "0"], "--epochs takes a whole number from 1 to 9007199254740992, not '0'."),
        (["--epochs", "2.5"], "--epochs takes a whole number"),
        (["--epochs", "9" * 5000], "--epochs takes a whole number"),
        (["--budget", "0"], "--budget takes a time such as 90, 60s, 2m or 1m30s, not '0'."),
        (["--budget", ""], "--budget takes a time such as"),
        (["--budget", "-5s"], "--budget takes a time such as"),
        (["--budget", "1m 30s"], "--budget takes a time such as"),
        (["--budget", "60 seconds"], "--budget takes a time such as"),
        (["--budget", "1e9"], "--budget takes a time such as"),
        (["--budget", "9999h"], "--budget takes a time such as"),
        (["--batch-size", "0"], "--batch-size takes a whole number from 1"),
        (["--lr", "0"], "--lr takes a number above 0, not '0'."),
        (["--lr", "nan"], "--lr takes a number above 0"),
        (["--lr", "inf"], "--lr takes a number above 0"),
        (["--lr", "1e-400"], "--lr takes a number above 0"),
        (["--seed", "-1"], "--seed takes a whole number from 0"),
        (["--seed", "4294967296"], "--seed takes a whole number from 0 to 4294967295"),
        (["--device", "gpu"], "--device takes one of auto, cpu, cuda, cuda:N, mps (N from 0 to 999), not 'gpu'."),
        (["--device", "cuda:1000"], "cuda:N, mps (N from 0 to 999), not 'cuda:1000'."),
        (["--device", "cuda:"], "--device takes one of"),
        (["--target-accuracy", "99"], "--target-accuracy takes a number from 0 to 1"),
        (["--target-accuracy", "nan"], "--target-accuracy takes a number from 0 to 1"),
        (["--gpu-memory-limit", "0"], "--gpu-memory-limit takes a whole number from 1"),
        (["-f", "pytorch"], "--framework takes one of torch, tensorflow, not 'pytorch'; did you mean torch?"),
        (
            ["-m", "lenet5"],
            "lenet1, airnet-s, airnet-m, torchvision:NAME, not 'lenet5'; did you mean lenet",
        ),
        (["-m", "torchvision:resnet"], "did you mean torchvision:resnet50 or torchvision:resnet34"),
        (["--recipe", "faster"], "--recipe takes one of article, fast, best, not 'faster'; did you mean fast?"),
        (["--label-smoothing", "1"], "--label-smoothing takes a number from 0 to below 1, not '1'."),
        (["--weight-decay", "-1"], "--weight-decay takes a number from 0, not '-1'."),
        (["--schedule", "cosin"], "did you mean cosine?"),
        (["--shift", "28"], "--shift takes a whole number from 0 to 27"),
        (["--rotate", "180"], "--rotate takes a number from 0 to below 180, not '180'."),
        (["--scale", "1"], "--scale takes a number from 0 to below 1, not '1'."),
        (["-d", "minst"], "not 'minst'; did you mean mnist?"),
        (["--precision", "float16"], "--precision takes one of float32, bfloat16, auto, not 'float16'"),
        (["--on-nan", "ignore"], "--on-nan takes one of stop, continue, not 'ignore'."),
        (["--runs-dir", ""], "--runs-dir takes a folder, not ''."),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_value_that_is_refused_is_named_with_what_is_taken(arguments, said):
    with pytest.raises(click.BadParameter) as refusal:
        parse(*arguments)

    assert said in f"{max(refusal.value.param.opts, key=len)} {refusal.value.message}"


def test_the_rehearsal_engine_is_taken_and_not_spoken_of():
    assert spec_from("-f", "rehearsal", "-d", "digits").framework == "rehearsal"
    assert "rehearsal" not in command_line.get_help(parse())


def test_every_command_is_summed_up_in_a_sentence_that_fits_the_list_of_them():
    listed = command_line.get_help(parse()).partition("Commands:\n")[2].splitlines()
    assert listed
    assert [line for line in listed if line.endswith("...") or not line.endswith(".")] == []


def test_where_mnist_cannot_be_had_the_digits_are_taken_and_the_reason_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:1")
    monkeypatch.chdir(tmp_path)

    spec, reason = options.build_spec(parse().params, str(tmp_path / "data"))

    assert spec.dataset == "digits"
    assert str(tmp_path / "data") in reason


def test_going_on_takes_only_what_the_run_is(finished_run):
    def check(*arguments):
        context = parse(*arguments)
        options.check_same_run(finished_run, context.params, options.given_options(context))

    check("-m", "nn", "--seed", "0", "--epochs", "5", "--budget", "5s")
    with pytest.raises(UsageProblem, match="--model nn and cannot go on with lenet") as refusal:
        check("-m", "lenet")
    assert "Leave --model out" in refusal.value.hint
    with pytest.raises(UsageProblem, match="has no --target-accuracy and cannot go on with"):
        check("--target-accuracy", "0.5")


def test_a_framework_that_is_not_installed_is_said_with_what_to_do(monkeypatch):
    monkeypatch.setattr(options, "find_spec", lambda name: None if name == "torch" else object())

    options.require_framework("tensorflow")
    options.require_framework("rehearsal")
    with pytest.raises(Unavailable, match="PyTorch is not installed") as refusal:
        options.require_framework("torch")
    assert refusal.value.hint == "Install it with `pip install torch` or choose -f tensorflow."
