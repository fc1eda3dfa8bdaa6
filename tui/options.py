"""The options of a run on the command line, and the `RunSpec` that they add up to."""

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
from click.core import ParameterSource

from engines.catalog import DATASETS, FRAMEWORK_TITLES, FRAMEWORKS
from engines.dataset_files import DATA_DIR_VARIABLE, data_directory, default_dataset
from engines.folders import RUNS_DIR_VARIABLE, usual_runs_folder
from engines.models import MODELS, TORCHVISION
from engines.problems import Unavailable, UsageProblem
from engines.recipes import DECIDED, RECIPES, fill_in
from engines.runs import RunStore, read_spec
from engines.spec import DEVICE_PATTERN, MAX_EPOCHS, OnNan, Precision, RunSpec
from tui.frame_pace import HIGHEST_RATE, USUAL_RATE
from tui.option_values import folder, fraction, matching, model, one_of, positive_number, seconds, whole_number
from tui.recipe_options import RECIPE_OPTIONS

Command = TypeVar("Command", bound=Callable[..., Any])

_read_frame_rate = whole_number(1, HIGHEST_RATE)

_DEFAULTS = RunSpec()
_DEVICES = "auto, cpu, cuda, cuda:N, mps"
_LARGEST_BATCH = 2**31 - 1
_FPS_VARIABLE = "MNIST_TUI_FPS"
_LARGEST_SEED = 2**32 - 1  # What numpy and the frameworks take.


def _option(*names: str, **attributes: Any) -> Callable[[Command], Command]:  # noqa: ANN401 - click's own
    field = names[-1].removeprefix("--").replace("-", "_")
    # What a recipe decides is None where it is not given.
    return click.option(*names, default=None if field in DECIDED else getattr(_DEFAULTS, field), **attributes)


_RUN_OPTIONS = (
    _option(
        "-f",
        "--framework",
        type=one_of(FRAMEWORKS, hidden=("rehearsal",)),
        metavar="|".join(FRAMEWORKS),
        show_default=True,
        help="What trains.",
    ),
    _option(
        "-m",
        "--model",
        type=model,
        metavar="|".join(MODELS),
        show_default=True,
        help=f"The network; or {TORCHVISION}NAME, any classifier of torchvision, in torch.",
    ),
    click.option(
        "-d",
        "--dataset",
        type=one_of(tuple(DATASETS)),
        metavar="|".join(DATASETS),
        help="What it learns.  [default: mnist; digits where mnist is neither on disk nor reachable]",
    ),
    _option(
        "--epochs",
        type=whole_number(1, MAX_EPOCHS),
        metavar="N",
        help="Times through the training images.  [article: 5]",
    ),
    _option(
        "--budget",
        type=seconds,
        metavar="TIME",
        help="Seconds of training, as 90, 60s or 1m30s, instead of epochs, or at most. What comes out depends on how "
        "fast the machine is.",
    ),
    _option(
        "--batch-size",
        type=whole_number(1, _LARGEST_BATCH),
        metavar="N",
        help="Images in a step.  [article: 32]",
    ),
    _option("--lr", type=positive_number, metavar="RATE", help="Highest learning rate, above 0.  [article: 0.001]"),
    _option(
        "--seed", type=whole_number(0, _LARGEST_SEED), metavar="N", show_default=True, help="Same seed, same numbers."
    ),
    _option(
        "--device",
        type=matching(DEVICE_PATTERN, f"one of {_DEVICES} (N from 0 to 999)"),
        metavar="DEVICE",
        show_default=True,
        help=f"{_DEVICES}; auto takes a GPU where there is one.",
    ),
    _option(
        "--precision",
        type=one_of(get_args(Precision)),
        metavar="|".join(get_args(Precision)),
        help="What products are taken in; auto is bfloat16 on hardware with units for it, float32 elsewhere.",
    ),
    _option("--gpu-memory-limit", type=whole_number(1, 2**31 - 1), metavar="MIB", help="GPU memory the run may take."),
    _option(
        "--target-accuracy",
        type=fraction,
        metavar="0..1",
        help="Stop as soon as an epoch's test accuracy is there; one run alone exits 13 if it never was.",
    ),
    _option(
        "--on-nan",
        type=one_of(get_args(OnNan)),
        metavar="|".join(get_args(OnNan)),
        show_default=True,
        help="What to do when the loss is no longer finite.",
    ),
    _option(
        "--validation",
        type=whole_number(0, _LARGEST_BATCH),
        metavar="N",
        show_default=True,
        help="Training images to hold out; the best epoch is chosen on them, not on the test images.",
    ),
    _option(
        "--patience",
        type=whole_number(1, MAX_EPOCHS),
        metavar="K",
        help="Stop after K epochs without a better one, and go back to the best.",
    ),
    click.option(
        "--recipe",
        type=one_of(tuple(RECIPES)),
        metavar="|".join(RECIPES),
        help="How it is trained; each option below sets one part of it apart.  [default: the model's own]",
    ),
    *RECIPE_OPTIONS,
)


def run_options(command: Command) -> Command:
    """Give `command` the options that make up a `RunSpec`, but for the folders."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


def folder_options(command: Command) -> Command:
    """Give `command` --runs-dir and --data-dir, which stand before a subcommand's name or after it."""
    for name, what, variable in (
        ("--data-dir", "datasets", DATA_DIR_VARIABLE),
        ("--runs-dir", "runs", RUNS_DIR_VARIABLE),
    ):
        command = click.option(
            name,
            type=folder,
            metavar="DIR",
            expose_value=False,
            callback=_keep,
            help=f"Folder of {what}; also {variable}.",
        )(command)
    return command


def screen_options(command: Command) -> Command:
    """Give `command` --fps, which stands where the folders do."""
    return click.option(
        "--fps",
        type=_read_frame_rate,
        metavar="N",
        expose_value=False,
        callback=_keep,
        help=f"Frames a second that the screen sends at most, {USUAL_RATE} by itself; also {_FPS_VARIABLE}.",
    )(command)


def frame_rate(context: click.Context) -> int:
    """Give how many frames a second the screen may send; raises `UsageProblem` where the environment says no number.

    Only what has a screen asks, and before it makes anything.
    """
    rate, named = context.meta.get(f"{__name__}.fps"), os.environ.get(_FPS_VARIABLE)
    if rate or not named:
        return int(rate or USUAL_RATE)
    try:
        return _read_frame_rate(named)
    except click.BadParameter as error:
        raise UsageProblem(f"{_FPS_VARIABLE} {error.message}") from error


def _keep(context: click.Context, option: click.Parameter, value: Path | int | None) -> None:
    if value is not None:
        context.meta[f"{__name__}.{option.name}"] = value  # Shared by a command and its subcommand.


def run_store(context: click.Context) -> RunStore:
    """Give the runs of the folder that --runs-dir, the environment or the platform names."""
    return RunStore(context.meta.get(f"{__name__}.runs_dir") or usual_runs_folder())


def data_dir(context: click.Context) -> str | None:
    """Give the folder that --data-dir or the environment names, as an absolute path; None for the platform's."""
    named = context.meta.get(f"{__name__}.data_dir") or os.environ.get(DATA_DIR_VARIABLE)
    return str(data_directory(str(named))) if named else None


def given_options(context: click.Context) -> dict[str, str]:
    """Name the options that stand on the command line: the parameter's name and the option's."""
    return {
        parameter.name: max(parameter.opts, key=len)
        for parameter in context.command.params
        if parameter.name and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    }


def refuse_before_command(context: click.Context) -> None:
    """Refuse the options of a run where a subcommand follows; only the folders go before one."""
    for name, option in given_options(context).items():
        if name not in ("runs_dir", "data_dir", "fps"):
            raise click.UsageError(f"{option} does not go before `{context.invoked_subcommand}`.", context)


def build_spec(values: Mapping[str, Any], data_dir: str | None) -> tuple[RunSpec, str]:
    """Make the spec of a new run; where no dataset was named, one is chosen, with the reason if it is not MNIST."""
    dataset, reason = (values["dataset"], "") if values["dataset"] else default_dataset(data_dir)
    fields = {name: values[name] for name in RunSpec.__struct_fields__ if name in values}
    return fill_in(fields | {"dataset": dataset, "data_dir": data_dir}), reason


def check_same_run(directory: Path, values: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Refuse what would make another run of the one to go on with; raises `UsageProblem`."""
    spec = read_spec(directory)
    for name in RunSpec.__struct_fields__:
        if spec is None or name not in given or name in ("epochs", "budget") or values[name] == getattr(spec, name):
            continue
        asked = getattr(spec, name)
        has = f"no {given[name]}" if asked is None else f"{given[name]} {asked}"
        raise UsageProblem(
            f"run {directory.name} has {has} and cannot go on with {values[name]}.",
            f"Leave {given[name]} out, or start a new run without --continue-from.",
        )


def require_framework(framework: str) -> None:
    """See that a framework is installed, without importing it; raises `Unavailable` where it is not."""
    if framework not in FRAMEWORKS or find_spec(framework):
        return
    others = [f"choose -f {other}" for other in FRAMEWORKS if other != framework and find_spec(other)]
    ways = " or ".join([f"Install it with `pip install {framework}`", *others])
    raise Unavailable(f"{FRAMEWORK_TITLES[framework]} is not installed.", f"{ways}.")
