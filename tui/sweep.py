"""`mnist-tui sweep`: many runs, as many at a time as there are GPUs, and a table of what they come to."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from engines import begin_lock
from engines.dataset_files import default_dataset
from engines.own_command import command
from engines.places import Places, find_gpus
from engines.recipes import check_combination
from engines.run_queue import RunQueue
from engines.run_reader import ALIVE
from engines.runs import RunStore
from engines.sweep import Sweep, expand
from engines.sweep_driver import SweepDriver
from tui import sweep_headless
from tui.formats import counted
from tui.option_values import whole_number
from tui.options import data_dir, folder_options, frame_rate, require_framework, run_options, run_store, screen_options
from tui.streams import OutputRefused, say, tell_of_refusal, write_out
from tui.terminal import can_draw

_MOST_SEEDS = 1_000
_MOST_JOBS = 256


def _take_lists(command: click.Command) -> click.Command:
    """Let every option of a run take several values, with commas between them; a switch stays one."""
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_flag and option.name not in ("data_dir", "runs_dir"):
            option.type = click.types.convert_type(_list_of(option, option.type))
            option.default, option.metavar = None, f"{option.metavar}[,...]"
            option.show_default = False
    return command


def _list_of(option: click.Option, one: click.ParamType[Any]) -> Any:  # noqa: ANN401 - as many types as options
    def read(text: str) -> list[Any]:
        return [one(part.strip(), option) for part in text.split(",")]

    return read


@click.command()
@run_options
@folder_options
@click.pass_context
def _run(context: click.Context, /, **values: Any) -> None:  # noqa: ANN401
    """Have the options of a run, for `sweep` to take lists of."""


@click.command()
@click.option("--seeds", type=whole_number(1, _MOST_SEEDS), metavar="N", help="Train each with seeds 0 to N - 1.")
@click.option(
    "--jobs",
    type=whole_number(1, _MOST_JOBS),
    metavar="N",
    help="Runs that train at the same time.  [default: one a GPU, or one on the processor]",
)
@click.option("--no-ui", is_flag=True, help="Print a line for each run and the table, without a screen.")
@click.option("--json", "as_json", is_flag=True, help="Print an object a line: each run as it ends, then each group.")
@click.option("--queue", is_flag=True, help="Put the runs that were not begun yet into the queue, and leave.")
@screen_options
@click.pass_context
def sweep(
    context: click.Context,
    /,
    *,
    seeds: int | None,
    jobs: int | None,
    no_ui: bool,
    as_json: bool,
    queue: bool,
    **values: Any,  # noqa: ANN401 - as many types as options
) -> int:
    """Train every combination of the values given. For example: `-m lenet,airnet-s --lr 0.001,0.003 --seeds 5`.

    On a terminal the table of what they come to is shown live. A run that is there already is not trained again, and
    one that was stopped goes on: after Ctrl-C, the same command goes on where it was.
    """
    if queue and jobs:
        raise click.UsageError("--queue leaves it to the queue how many train at once: leave --jobs out.", context)
    if seeds and values["seed"]:
        raise click.UsageError("--seeds counts from 0 and --seed names them: leave one out.", context)
    asked = _expand(values, seeds, data_dir(context))
    for spec in asked.specs:
        check_combination(spec)
        require_framework(spec.framework)
    store = run_store(context)
    if queue:
        return _queue(store, asked, as_json=as_json)
    has_screen = not (no_ui or as_json) and sys.stdin.isatty() and can_draw(sys.stdout)
    if has_screen:
        frame_rate(context)
    asked.take_back(store, asked.specs)
    driver = SweepDriver(store, asked, Places(find_gpus(), jobs))
    if not has_screen:
        return sweep_headless.train(driver, sweep_headless.choose_printer(asked, as_json=as_json))
    from tui.sweep_app import show_sweep  # What has no screen should not wait for one.

    return show_sweep(store, driver)


sweep.params += _take_lists(_run).params


def _expand(values: Mapping[str, Any], seeds: int | None, folder: str | None) -> Sweep:
    given = {name: value if isinstance(value, list) else [value] for name, value in values.items() if value is not None}
    named = given.pop("seed", None)
    if "dataset" not in given:
        dataset, reason = default_dataset(folder)
        given["dataset"] = [dataset]
        if reason:
            say(f"{reason}: training on {dataset} instead.")
    return expand({**given, "data_dir": [folder]}, named or range(seeds or 1))


def _queue(store: RunStore, asked: Sweep, *, as_json: bool) -> int:
    queue = RunQueue(store)
    with begin_lock.hold(store, wait=True):
        begun = asked.find_runs(store.directories())
        known = begun.keys() | asked.waiting(store).keys()
        given = queue.add([spec for spec in asked.specs if spec not in known])
        waiting = [order for order in queue.waiting() if order.run_id in given]
    told = (sweep_headless.run_line(order.summary()) if as_json else f"{order.run_id}\n" for order in waiting)
    try:
        write_out("".join(told))
    except OutputRefused as refusal:
        tell_of_refusal(refusal, f"{counted(len(waiting), 'run')} queued; `{command(store.root, 'runs')}` lists them.")
    if broken_off := sum(row.state != "completed" and row.state not in ALIVE for row in begun.values()):
        say(
            f"{counted(broken_off, 'run')} stopped or failed before and cannot be queued; "
            "the same command without --queue goes on with what was begun."
        )
    return 0
