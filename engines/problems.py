"""The exceptions that end something a person asked for, each with a message, a hint and an exit code."""

from typing import ClassVar

from engines.text import clean_text


class Problem(Exception):  # noqa: N818 - it names what a person reads, not a fault of the program
    """Something that a person has to know about; the one base of all that we raise on purpose.

    `message` says what was wrong and what was expected, `hint` what to do about it; both are one line.
    `kind` is what `run_finished.error.kind` carries, `exit_code` what the command ends with.
    """

    kind: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        # Paths, names and other programs' words go into messages, and messages to terminals.
        self.message = clean_text(message)
        self.hint = clean_text(hint)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageProblem(Problem):
    """Wrong usage; nothing was created."""

    kind = "usage"
    exit_code = 2


class RunNotFound(Problem):
    """No run goes by that name, or several do."""

    kind = "run-not-found"
    exit_code = 3


class DatasetProblem(Problem):
    """A dataset is missing, or is not what it should be."""

    kind = "dataset"
    exit_code = 4


class CheckpointProblem(Problem):
    """A checkpoint is missing, damaged, or of another model."""

    kind = "checkpoint"
    exit_code = 5


class Unavailable(Problem):
    """The framework, device or terminal asked for is not there."""

    kind = "unavailable"
    exit_code = 6


class RunBusy(Problem):
    """Somebody else has the run at work, or begins one now."""

    kind = "busy"
    exit_code = 7


class StorageProblem(Problem):
    """The disk or a permission refuses, or what should be there was taken away."""

    kind = "storage"
    exit_code = 8


class NonFiniteLoss(Problem):
    """The loss is no longer a finite number."""

    kind = "non-finite-loss"
    exit_code = 9


class OutOfMemory(Problem):
    """The device or the machine ran out of memory."""

    kind = "out-of-memory"
    exit_code = 11


class WorkerDied(Problem):
    """The worker ended without saying why, or could not even be started."""

    kind = "worker-died"
    exit_code = 12


STOPPED_EXIT_CODE = 10
TARGET_NOT_REACHED_EXIT_CODE = 13

PROBLEMS: dict[str, type[Problem]] = {
    problem.kind: problem
    for problem in (
        Problem,
        UsageProblem,
        RunNotFound,
        DatasetProblem,
        CheckpointProblem,
        Unavailable,
        RunBusy,
        StorageProblem,
        NonFiniteLoss,
        OutOfMemory,
        WorkerDied,
    )
}
"""The problem that each `error.kind` of a finished run stands for."""


def exit_code_of(kind: str) -> int:
    """Give the exit code of an `error.kind`; 1 for one that we do not know."""
    return PROBLEMS.get(kind, Problem).exit_code
