"""How a run ended, in the two ways that a command tells it: an exit code and the last line on stderr."""

from pathlib import Path

from engines import post_mortem
from engines.events import RunFinished
from engines.folders import is_folder
from engines.problems import STOPPED_EXIT_CODE, TARGET_NOT_REACHED_EXIT_CODE, StorageProblem, WorkerDied, exit_code_of
from engines.run_state import RunState
from tui.continuation import MORE_EPOCHS, command_to_go_on
from tui.formats import percent


def exit_code(state: RunState, worker_exit: int | None = None) -> int:
    """Give the exit code of a run whose worker has ended, with the return code `worker_exit` where it was our child."""
    finished = state.finished
    match finished.state if finished else "crashed":
        case "completed":
            return TARGET_NOT_REACHED_EXIT_CODE if _missed_target(state) else 0
        case "stopped":
            return STOPPED_EXIT_CODE
        case "failed":
            return exit_code_of(finished.error.kind if finished and finished.error else "")
        case _:
            return StorageProblem.exit_code if worker_exit == StorageProblem.exit_code else WorkerDied.exit_code


def last_word(directory: Path, state: RunState, worker_exit: int | None = None) -> str:
    """Say in one line what a person should know of a run that ended: empty for one that simply did what it should.

    `worker_exit` is the worker's return code where it was our child.
    """
    finished = state.finished
    match finished.state if finished else "crashed":
        case "completed" if finished and _missed_target(state) and state.spec:
            target, highest = percent(state.spec.target_accuracy), percent(_highest_accuracy(finished))
            missed = f"the target accuracy of {target} was not reached, the best was {highest}."
            longer = command_to_go_on(directory, more_epochs=MORE_EPOCHS)
            return f"{missed} Train longer with `{longer}`." if state.checkpoints else missed
        case "completed":
            return ""
        case "stopped":
            return f"run {directory.name} was stopped by request. {go_on_hint(directory)}"
        case "failed":
            error = finished.error if finished else None
            return f"{error.message} {error.hint}".strip() if error else f"run {directory.name} failed."
        case _ if not is_folder(directory):
            how = post_mortem.examine(directory, state).how
            return f"run {directory.name} is out of sight: {how}. If it was moved, it may go on there."
        case _:
            return f"{_describe_death(directory, state, worker_exit)} {go_on_hint(directory)}"


def go_on_hint(directory: Path) -> str:
    """Say with which command a run goes on: from its last checkpoint, or from its beginning where it has none yet."""
    return f"Go on with `{command_to_go_on(directory)}`."


def _describe_death(directory: Path, state: RunState, worker_exit: int | None) -> str:
    death = post_mortem.examine(directory, state, worker_exit)
    if worker_exit == StorageProblem.exit_code:
        return f"run {directory.name} has ended, but {death.how}. Make room there."
    words = f" Its last words: {death.last_words[-1]}." if death.last_words else ""
    return f"the worker of run {directory.name} died: {death.how}.{words}"


def _missed_target(state: RunState) -> bool:
    target = state.spec.target_accuracy if state.spec else None
    if target is None or not state.finished:
        return False
    highest = _highest_accuracy(state.finished)
    return highest is None or highest < target


def _highest_accuracy(finished: RunFinished) -> float | None:
    """Give the highest test accuracy of all epochs; where a record does not tell it, that of the best."""
    highest = finished.highest_test_accuracy
    return finished.best_test_accuracy if highest is None else highest
