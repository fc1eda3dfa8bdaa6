"""The subcommands: looking at runs, controlling one that is alive, and asking what works on this machine."""

import time
from contextlib import closing
from pathlib import Path

import click
import msgspec

from engines.own_command import command
from engines.problems import RunNotFound, UsageProblem
from engines.runs import read_spec
from engines.spec import MAX_EPOCHS, RunSpec
from engines.text import clean_text, clean_value
from tui import headless, plain, run_report
from tui.control_request import ask_and_wait
from tui.interrupts import Interrupts
from tui.lookup import find_run, find_waiting
from tui.option_values import positive_number, replay_speed, whole_number
from tui.options import data_dir, folder_options, run_store, screen_options
from tui.race_watch import MOST_RUNS
from tui.run_commands import delete, rename, tag
from tui.run_index import RunIndex
from tui.streams import write_out
from tui.sweep import sweep
from tui.terminal import require_terminal
from tui.training import open_app

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("run", required=False)
@click.option("--no-ui", is_flag=True, help="Follow it in plain lines, without a screen.")
@click.option("--json", "as_json", is_flag=True, help="With --no-ui: print the events, one JSON object a line.")
@click.option("-v", "--verbose", is_flag=True, help="With --no-ui: phase times and the table of parameters too.")
@screen_options
@folder_options
@click.pass_context
def attach(context: click.Context, *, run: str | None, no_ui: bool, as_json: bool, verbose: bool) -> int:
    """Show a run, live or ended; without RUN the newest that is alive. To leave it does not stop it."""
    if (as_json or verbose) and not no_ui:
        raise click.UsageError(f"{'--json' if as_json else '--verbose'} goes with --no-ui: add it.", context)
    store = run_store(context)
    directory = next(iter(store.alive()), None) if run is None else find_run(store, run)
    if directory is None:
        listing = command(store.root, "runs")
        raise RunNotFound("no run is alive.", f"Name one to see it as it ended; `{listing}` lists them.")
    if not no_ui:
        require_terminal("Follow it without a screen: add --no-ui.")
        return open_app(store, read_spec(directory) or RunSpec(), attach=directory)
    with Interrupts() as interrupts:
        printer = headless.choose_printer(as_json=as_json, verbose=verbose)
        return headless.watch(directory, printer, interrupts, every_event=as_json)


@click.command()
@click.argument("run", default="last")
@click.option("--speed", type=replay_speed, metavar="1x..100x", help="How fast.  [default: 10x]")
@screen_options
@folder_options
@click.pass_context
def replay(context: click.Context, *, run: str, speed: float | None) -> int:
    """Play a run again on the screen. It may be live or ended; without RUN it is the newest."""
    store = run_store(context)
    directory = find_run(store, run)
    require_terminal(_without_screen(directory))
    return open_app(store, read_spec(directory) or RunSpec(), replay=(directory, speed))


@click.command()
@click.argument("named", metavar="RUN RUN ...", nargs=-1)
@screen_options
@folder_options
@click.pass_context
def race(context: click.Context, *, named: tuple[str, ...]) -> int:
    """Show runs side by side on the screen. They may be live or ended, from two to eight."""
    store = run_store(context)
    directories = list(dict.fromkeys(find_run(store, name) for name in named))
    if not 2 <= len(directories) <= MOST_RUNS:
        raise click.UsageError(f"a race takes 2 to {MOST_RUNS} different runs, not {len(directories)}.", context)
    require_terminal(_without_screen(directories[0]))
    return open_app(store, read_spec(directories[0]) or RunSpec(), race=directories)


@click.command()
@_as_json
@folder_options
@click.pass_context
def runs(context: click.Context, *, as_json: bool) -> int:
    """List the runs, newest first. Those that wait for their turn stand before them."""
    store = run_store(context)
    summaries = RunIndex(store).look()
    if as_json:
        _write_json(summaries)
    elif summaries:
        _write_lines(plain.runs_lines(summaries, time.time()))
    else:
        root = clean_text(str(store.root))
        _write_lines([f"There are no runs in {root} yet. Start one: {command(store.root, '--no-ui')}"])
    return 0


@click.command()
@click.argument("run")
@_as_json
@folder_options
@click.pass_context
def show(context: click.Context, *, run: str, as_json: bool) -> int:
    """Show one run: what was asked, its state, its results."""
    store = run_store(context)
    order = find_waiting(store, run)
    report = run_report.report_waiting(order) if order else run_report.read_report(store.find(run))
    if as_json:
        _write_json(report)
    else:
        _write_lines(run_report.report_lines(report))
    return 0


@click.command()
@click.argument("run")
@folder_options
@click.pass_context
def pause(context: click.Context, *, run: str) -> int:
    """Have a run wait where it is."""
    return ask_and_wait(find_run(run_store(context), run), "pause")


@click.command()
@click.argument("run")
@folder_options
@click.pass_context
def resume(context: click.Context, *, run: str) -> int:
    """Have a paused run go on."""
    return ask_and_wait(find_run(run_store(context), run), "resume")


@click.command()
@click.argument("run")
@click.option("--now", is_flag=True, help="At once, without a checkpoint of where it is.")
@folder_options
@click.pass_context
def stop(context: click.Context, *, run: str, now: bool) -> int:
    """Have a run save a checkpoint and end. `mnist-tui --continue-from RUN` goes on with it."""
    return ask_and_wait(find_run(run_store(context), run), "stop-now" if now else "stop")


@click.command()
@click.argument("run")
@click.argument("rate", type=positive_number)
@folder_options
@click.pass_context
def lr(context: click.Context, *, run: str, rate: float) -> int:
    """Have a run go on with another learning rate."""
    return ask_and_wait(find_run(run_store(context), run), "lr", rate)


@click.command()
@click.argument("run")
@click.argument("more", metavar="N", type=whole_number(1, MAX_EPOCHS))
@folder_options
@click.pass_context
def epochs(context: click.Context, *, run: str, more: int) -> int:
    """Have a run train for so many epochs more than it was asked."""
    directory = find_run(run_store(context), run)
    spec = read_spec(directory)
    if spec and spec.epochs is None:
        raise UsageProblem(
            f"run {directory.name} ends with its budget, whatever its epochs.",
            "Once it has ended, go on with it: --continue-from with --epochs or --budget.",
        )
    return ask_and_wait(directory, "epochs", more)


@click.command()
@_as_json
@folder_options
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> int:
    """Say what works on this machine and what does not. Frameworks, devices, datasets and terminal are looked at."""
    from tui.doctor import finding_line, findings, sum_up, verdict  # Asks much of the machine that nothing else needs.

    found = []
    with closing(findings(run_store(context), data_dir(context))) as looks:
        for finding in looks:
            found.append(finding)
            if not as_json:
                _write_lines([finding_line(finding)])
    report = sum_up(found)
    if as_json:
        _write_json(report)
    else:
        _write_lines([verdict(report)])
    return report.exit_code


COMMANDS = (attach, replay, race, runs, show, pause, resume, stop, lr, epochs, rename, tag, delete, sweep, doctor)


def _write_json(value: object) -> None:
    # What a run's spec says may be anybody's words, and JSON lets direction characters through.
    cleaned = clean_value(msgspec.to_builtins(value))
    write_out(msgspec.json.format(msgspec.json.encode(cleaned), indent=2).decode() + "\n")


def _write_lines(lines: list[str]) -> None:
    write_out("".join(f"{line}\n" for line in lines))


def _without_screen(directory: Path) -> str:
    return f"`{command(directory.parent, 'show', directory.name)}` tells of a run without a screen."
