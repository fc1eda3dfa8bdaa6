"""The runs that a person names to a command: those that have begun, and those that wait for their turn."""

from pathlib import Path

from engines.own_command import command
from engines.problems import RunNotFound
from engines.run_queue import QueuedRun, RunQueue
from engines.runs import RunStore


def find_run(store: RunStore, name: str) -> Path:
    """Give the directory of the run with this id, unambiguous beginning of one, or `last`.

    Raises `RunNotFound` where there is none, or several, or it has not begun.
    """
    if order := find_waiting(store, name):
        raise RunNotFound(f"run {order.run_id} waits in the queue and has not begun.", turn_hint(order))
    return store.find(name)


def find_waiting(store: RunStore, name: str) -> QueuedRun | None:
    """Give the run that waits by this id or beginning of one, where none that has begun goes by it.

    Raises `RunNotFound` where several wait that it may mean.
    """
    waiting = [order for order in RunQueue(store).orders() if name and order.run_id.startswith(name)]
    if not waiting or any(directory.name.startswith(name) for directory in store.directories()):
        return None
    if len(waiting) > 1:
        raise RunNotFound(
            f"{len(waiting)} runs that wait begin with {name!r}, among them {waiting[0].run_id} and "
            f"{waiting[1].run_id}.",
            "Give more of the id.",
        )
    return waiting[0]


def turn_hint(order: QueuedRun) -> str:
    """Say what becomes of a run that waits, and how it is taken out."""
    taken_out = command(order.path.parents[1], "delete", order.run_id)
    return f"It begins by itself when its turn comes; `{taken_out}` takes it out."
