"""What is told outside of the screen: the window's title while a run goes on, and that it has ended."""

from engines import outlook
from engines.run_reader import RunStatus
from engines.text import clean_text
from tui import formats
from tui.choices import Alert
from tui.status_marks import STATUS_MARKS
from tui.view import View

_AT_WORK: frozenset[RunStatus] = frozenset({"running", "stalled"})
"""What needs no mark: how far the run is stands in its place."""

_TITLE_CHARACTERS = 80


def title_of(view: View) -> str:
    """Say how a run stands in a few words: `62 % lenet mnist, 97.9 %`, at its end `✓ lenet mnist, 98.9 %`."""
    state, spec = view.state, view.spec
    words = ["" if view.status in _AT_WORK else STATUS_MARKS[view.status]]
    if view.is_alive and spec and state.batch and not state.is_getting_ready:
        words.append(f"{min(99, int(100 * outlook.part_done(state)))} %")
    words.append(f"{spec.model} {spec.dataset}" if spec else view.directory.name)
    return clean_text(" ".join(filter(None, words)) + _accuracy(view))[:_TITLE_CHARACTERS]


def end_of(view: View) -> str:
    """Say that a run has ended, and how: `lenet mnist completed, 98.9 %`."""
    what = f"{view.spec.model} {view.spec.dataset}" if view.spec else view.directory.name
    return clean_text(f"{what} {view.status}{_accuracy(view)}")[:_TITLE_CHARACTERS]


def alert_bytes(alert: Alert, words: str) -> str:
    """Give what makes a terminal ring, or notify a person with `words` (OSC 9); empty where neither is wanted."""
    if alert == "notification":
        return f"\x1b]9;mnist-tui: {clean_text(words)}\x07"
    return "\x07" if alert == "bell" else ""


def _accuracy(view: View) -> str:
    finished, epochs = view.state.finished, view.state.epochs
    accuracy = finished.test_accuracy if finished else None
    if accuracy is None and epochs:
        accuracy = epochs[-1].test_accuracy
    return f", {formats.percent(accuracy, 1)}" if accuracy is not None else ""
