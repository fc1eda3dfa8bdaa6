"""How a run that has ended would go on, before it is asked whether it shall."""

from pathlib import Path
from typing import NamedTuple

from engines.outlook import is_done
from engines.spec import RunSpec

MORE_EPOCHS = 5
"""How far a run that did all it was asked for goes on."""


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
