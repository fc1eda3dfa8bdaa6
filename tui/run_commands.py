"""The subcommands that put runs in order: a name, tags, and deleting one for good."""

import sys
from pathlib import Path

import click

from engines.deletion import delete_run, refuse_living
from engines.label import read_label, write_label
from engines.problems import Problem
from engines.run_queue import RunQueue
from engines.runs import summarise
from tui.formats import percent
from tui.lookup import find_run, find_waiting
from tui.options import folder_options, run_store
from tui.plain import what_is_trained


@click.command()
@click.argument("run")
@click.argument("name")
@folder_options
@click.pass_context
def rename(context: click.Context, *, run: str, name: str) -> int:
    """Give a run a name for people; an empty one takes it away. Its id stays."""
    directory = find_run(run_store(context), run)
    write_label(directory, read_label(directory).renamed(name))
    return 0


@click.command()
@click.argument("run")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take these tags away.")
@folder_options
@click.pass_context
def tag(context: click.Context, *, run: str, tags: tuple[str, ...], remove: bool) -> int:
    """Tag a run, with one word or several."""
    directory = find_run(run_store(context), run)
    label = read_label(directory)
    write_label(directory, label.untagged(tags) if remove else label.tagged(tags))
    return 0


@click.command()
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
@folder_options
@click.pass_context
def delete(context: click.Context, *, run: str, yes: bool) -> int:
    """Delete a run for good, or take one that waits out of the queue. One that is alive has to be stopped first."""
    store = run_store(context)
    if order := find_waiting(store, run):
        RunQueue(store).remove(order.run_id)
        return 0
    directory = store.find(run)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is nobody to ask: add --yes.", context)
        refuse_living(directory)
        if not all(map(_agrees, _questions(directory))):
            raise Problem("nothing is deleted.")
    delete_run(directory)
    return 0


def _questions(directory: Path) -> list[str]:
    row = summarise(directory)
    what = f"{what_is_trained(row.spec)}, best {percent(row.best_test_accuracy)}" if row.spec else row.state
    return [
        f"Delete {row.name or row.run_id} ({what})?",
        f"Its record and its checkpoints go for good. Delete {row.run_id}?",
    ]


def _agrees(question: str) -> bool:
    """Ask a person on the terminal; an end of what is typed, as Ctrl-D is, agrees to nothing."""
    click.echo(f"{question} [y/N]: ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer:
        click.echo(err=True)
    return answer.strip().lower() in ("y", "yes")
