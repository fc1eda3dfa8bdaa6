"""`mnist-tui sweep`: many runs, one after the other, and a table of what they came to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from engines import launch
from engines.dataset_files import default_dataset
from engines.events import AnyEvent
from engines.problems import Problem
from engines.recipes import check_combination
from engines.run_queue import RunQueue
from engines.run_reader import ALIVE
from engines.run_state import RunState
from engines.runs import RunStore, RunSummary, read_spec, summarise
from engines.spec import RunSpec
from engines.sweep import Group, Sweep, expand
from tui import headless, plain
from tui.formats import duration, percent
from tui.interrupts import Interrupts
from tui.option_values import whole_number
from tui.options import data_dir, folder_options, require_framework, run_options, run_store
from tui.streams import say, write_out

_MOST_SEEDS = 1_000
_FAILED_EXIT_CODE = 1


class _SilentPrinter:
    """Prints nothing of a run's events: a sweep says a line for each run once it has ended."""

    def begin(self, directory: Path) -> None:
        """See `Printer.begin`."""

    def show(self, event: AnyEvent) -> None:
        """See `Printer.show`."""

    def refresh(self, state: RunState) -> None:
        """See `Printer.refresh`."""

    def close(self) -> None:
        """See `Printer.close`."""


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
@click.option("--json", "as_json", is_flag=True, help="Print an object a line: each run as it ends, then each group.")
@click.option("--queue", is_flag=True, help="Put what is still to be trained into the queue, and leave.")
@click.pass_context
def sweep(context: click.Context, /, seeds: int | None, as_json: bool, queue: bool, **values: Any) -> int:  # noqa: ANN401
    """Train every combination of the values given, as in `-m lenet,airnet-s --lr 0.001,0.003 --seeds 5`.

    A run that is there already is not trained again, and one that was stopped goes on: after Ctrl-C, the same command
    goes on where it was.
    """
    if seeds and values["seed"]:
        raise click.UsageError("--seeds counts from 0 and --seed names them: leave one out.", context)
    asked = _expand(values, seeds, data_dir(context))
    for spec in asked.specs:
        check_combination(spec)
        require_framework(spec.framework)
    store = run_store(context)
    if queue:
        return _queue(store, asked)
    return _train(store, asked, as_json=as_json)


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


def _queue(store: RunStore, asked: Sweep) -> int:
    known = _find_runs(store, asked)
    for run_id in RunQueue(store).add([spec for spec in asked.specs if spec not in known]):
        write_out(f"{run_id}\n")
    return 0


def _train(store: RunStore, asked: Sweep, *, as_json: bool) -> int:
    rows: dict[RunSpec, RunSummary] = {}
    known = _find_runs(store, asked)
    with Interrupts() as interrupts:
        for place, spec in enumerate(asked.specs, 1):
            row = known.get(spec)
            if row is None or row.state != "completed":
                row = _train_one(store, spec, row, interrupts)
            if row:
                rows[spec] = row
                _tell(row, _describe(spec, asked, place), is_new=row is not known.get(spec), as_json=as_json)
            if interrupts.first or interrupts.hung_up:
                break
    _tell_groups(asked, rows, as_json=as_json)
    if interrupts.first:
        say("the same command goes on where this one was.")
        return 128 + interrupts.first
    return _FAILED_EXIT_CODE if any(row.state != "completed" for row in rows.values()) else 0


def _train_one(store: RunStore, spec: RunSpec, begun: RunSummary | None, interrupts: Interrupts) -> RunSummary | None:
    """Train a run to its end, or go on with it; gives None where it could not be begun, which is said."""
    directory = Path(begun.directory) if begun else None
    try:
        if directory and begun and begun.state in ALIVE:
            headless.watch(directory, _SilentPrinter(), interrupts)
        else:
            worker = launch.go_on(directory) if directory else launch.start(store, spec)
            directory = worker.run_directory
            headless.train(worker, _SilentPrinter(), interrupts)
    except Problem as problem:
        say(str(problem))
    return summarise(directory) if directory else None


def _find_runs(store: RunStore, asked: Sweep) -> dict[RunSpec, RunSummary]:
    """Give the newest run of each spec, one that is completed before any other; where its data lay does not matter."""
    wanted = {replace(spec, data_dir=None): spec for spec in asked.specs}
    found: dict[RunSpec, RunSummary] = {}
    for directory in reversed(store.directories()):
        begun = read_spec(directory)
        spec = wanted.get(replace(begun, data_dir=None)) if begun else None
        if spec and (spec not in found or found[spec].state != "completed"):
            found[spec] = summarise(directory)
    return found


def _describe(spec: RunSpec, asked: Sweep, place: int) -> str:
    beside = [name for name in asked.varied if name not in ("framework", "model", "dataset")]
    differing = "".join(f" {name.replace('_', '-')} {getattr(spec, name)}" for name in beside)
    return f"{place}/{len(asked.specs)}  {plain.what_is_trained(spec)}{differing} seed {spec.seed}"


def _tell(row: RunSummary, what: str, *, is_new: bool, as_json: bool) -> None:
    if as_json:
        write_out(msgspec.json.encode({"type": "run", **msgspec.to_builtins(row)}).decode() + "\n")
        return
    result = f"{percent(row.test_accuracy)} in {duration(row.seconds)}" if row.state == "completed" else row.state
    write_out(f"{what}: {result}{'' if is_new else ' (was there)'}\n")


def _tell_groups(asked: Sweep, rows: Mapping[RunSpec, RunSummary], *, as_json: bool) -> None:
    groups = asked.groups(rows)
    if as_json:
        write_out("".join(msgspec.json.encode(group).decode() + "\n" for group in groups))
        return
    write_out("\n" + "".join(f"{line}\n" for line in group_lines(groups)))


def group_lines(groups: list[Group]) -> list[str]:
    """Give the table of a sweep: a line for each combination, means with the spread of a single run."""
    varied = list(groups[0].varied) if groups else []
    lines = [
        [
            *(str(group.varied[name]) for name in varied),
            f"{group.completed}/{group.runs}",
            percent(group.mean),
            "-" if group.spread is None else f"{100 * group.spread:.2f}",
            percent(group.lowest),
            percent(group.highest),
            duration(group.seconds) if group.seconds is not None else "-",
        ]
        for group in groups
    ]
    heads = [*(name.replace("_", "-") for name in varied), "runs", "mean", "+-", "lowest", "highest", "seconds"]
    return plain.table(heads, lines, right=range(len(varied), len(heads)))
