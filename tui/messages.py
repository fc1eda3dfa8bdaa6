"""What the app is told: what a person chose on a screen, for it alone starts workers and opens screens; what ended."""

from collections.abc import Sequence
from pathlib import Path

from textual.message import Message

from engines.spec import RunSpec


class StartChosen(Message):
    """A run of `spec` is to be started, once the one in `after`, where that is said, has no worker any more."""

    def __init__(self, spec: RunSpec, after: Path | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.after = after


class RunChosen(Message):
    """The run in `directory` is to be shown."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory


class ContinuationChosen(Message):
    """The run in `directory` is to go on: to its end, or for `more_epochs`."""

    def __init__(self, directory: Path, more_epochs: int | None = None) -> None:
        super().__init__()
        self.more_epochs = more_epochs
        self.directory = directory


class ReplayChosen(Message):
    """The run in `directory` is to be played again."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory


class DrawingChosen(Message):
    """A person wants to draw for the run of `spec` in `directory`."""

    def __init__(self, directory: Path, spec: RunSpec) -> None:
        super().__init__()
        self.directory = directory
        self.spec = spec


class QueueChosen(Message):
    """A run of `spec` is to begin when its turn comes."""

    def __init__(self, spec: RunSpec) -> None:
        super().__init__()
        self.spec = spec


class RaceAsked(Message):
    """Runs of `specs` are to be started, and shown side by side; `beside`: all at once, else as the queue has it."""

    def __init__(self, specs: Sequence[RunSpec], *, beside: bool) -> None:
        super().__init__()
        self.specs = specs
        self.beside = beside


class RaceChosen(Message):
    """The runs in `directories`, some of which may still wait to begin, are to be shown side by side."""

    def __init__(self, directories: Sequence[Path]) -> None:
        super().__init__()
        self.directories = directories


class RunsChosen(Message):
    """The table of all runs is to be shown."""


class RunEnded(Message):
    """A run that a person was watching has ended; `words` say how."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class TerminalChanged(Message):
    """The terminal may show anything: it was resized, if only for a moment, or has just become the app's."""


class ChoiceSettled(Message):
    """A person has stayed with `spec` for a while, and may start it; None when nobody is choosing any more."""

    def __init__(self, spec: RunSpec | None) -> None:
        super().__init__()
        self.spec = spec
