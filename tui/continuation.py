"""How a run that has ended would go on: in words for a question, and as the command that a person types."""

from pathlib import Path
from typing import NamedTuple

from engines.outlook import is_done
from engines.own_command import command
from engines.spec import RunSpec

MORE_EPOCHS = 5
"""How far a run that did all it was asked for goes on, where a person says no other number: the article's."""


class Continuation(NamedTuple):
    """The epochs to ask for besides, None for what the run still lacks, and how it goes on in words for a question."""

    more_epochs: int | None
    how: str


def continuation_of(directory: Path, spec: RunSpec, epochs_done: int, *, is_completed: bool) -> Continuation:
    """Say how the run in `directory` goes on: past its end where it is there, else from what is saved of it."""
    if is_done(spec, epochs_done, is_completed=is_completed):
        return Continuation(MORE_EPOCHS, f"for {MORE_EPOCHS} epochs more")
    # A checkpoint is there once its manifest is; one half written has a dot before its name.
    is_saved = any((directory / "checkpoints").glob("[!.]*.json"))
    return Continuation(None, "from its last checkpoint" if is_saved else "from its start, as it has no checkpoint")


def command_to_go_on(directory: Path, *, more_epochs: int | None = None) -> str:
    """Give the command with which a run goes on without a screen, for so many epochs more or what it still lacks."""
    more = () if more_epochs is None else ("--epochs", str(more_epochs))
    return command(directory.parent, "--no-ui", "--continue-from", directory.name, *more)
