"""The results: a table of the epochs while a run goes on, and, once it has ended, its summary above it."""

from collections.abc import Hashable, Sequence

from engines.events import EpochEnded
from engines.outlook import is_done
from tui import formats
from tui.continuation import MORE_EPOCHS, command_to_go_on
from tui.curve_words import accuracy_gap
from tui.lines import Line, columns, fit, wrap
from tui.plain import chosen_on
from tui.view import View
from tui.widgets.curves import BEST_MARK
from tui.widgets.pane import draw_waiting
from tui.widgets.scrolled_pane import ScrolledPane

_COLUMNS = (
    ("epoch", -5),
    ("train", -9),
    ("test", -9),
    ("gap", -7),
    ("train loss", -12),
    ("test loss", -11),
    ("time", -9),
    ("images/s", -10),
)
_LABEL_WIDTH = 12
_LOG_LINES = 6


class ResultsPane(ScrolledPane):
    """Epoch by epoch, and the summary."""

    HEADING = "results"

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        epochs = len(view.state.epochs)
        return view.status, view.is_gone, epochs, view.log_lines[-1:], "" if epochs else view.waiting_for()

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the summary, if any, then as many epochs as fit."""
        summary = [] if view.is_alive else draw_summary(view, width)
        names = [(epoch.epoch, 0) for epoch in view.state.epochs]
        epochs = self.window(view.state.epochs, names, height - len(summary) - 1)
        if not view.state.epochs:
            return summary or draw_waiting(view, width)
        return [*summary, *draw_epochs(epochs, view.state.best, width)]


def draw_summary(view: View, width: int) -> list[Line]:
    """Say how the run ended: its figures, or its error with the last words of its worker and how to go on."""
    finished = view.state.finished
    if finished is None or finished.error:
        return _draw_failure(view, width)
    took = formats.duration(view.elapsed or 0.0)
    rows: list[tuple[str, str, str]] = [
        (finished.state, f"{formats.counted(finished.epochs, 'epoch')} in {took}", "text")
    ]
    if finished.test_accuracy is not None:
        rows.append(
            ("test", f"{formats.percent(finished.test_accuracy)}, loss {formats.loss(finished.test_loss)}", "strong")
        )
        rows.append(
            ("train", f"{formats.percent(finished.train_accuracy)}, loss {formats.loss(finished.train_loss)}", "text")
        )
    if finished.best_epoch is not None:
        best = f"{finished.best_epoch}, {formats.percent(finished.best_test_accuracy)}, {chosen_on(finished)}"
        rows.append(("best epoch", best, "text"))
    if saved := view.state.checkpoints:
        rows.append(("saved", f"{saved[-1].path}", "text"))
    rows.append(("go on", _go_on(view), "text"))
    return [*_labelled(rows, width), []]


def draw_epochs(epochs: Sequence[EpochEnded], best: EpochEnded | None, width: int) -> list[Line]:
    """Draw a table of `epochs`, as many columns as fit, the best marked."""
    shown, total = [], 0
    for heading, wide in _COLUMNS:
        total -= wide
        if total > width - 2:
            break
        shown.append((heading, wide))
    lines = [fit(columns([("", 2, "text"), *((heading, wide, "muted") for heading, wide in shown)]), width)]
    for epoch in epochs:
        is_best = epoch is best
        cells = [
            (text, wide, "test" if is_best else "text") for text, (_, wide) in zip(_figures(epoch), shown, strict=False)
        ]
        lines.append(fit(columns([(BEST_MARK if is_best else "", 2, "test"), *cells]), width))
    return lines


def _draw_failure(view: View, width: int) -> list[Line]:
    finished = view.state.finished
    error = finished.error if finished else None
    message = error.message if error else view.death or "its worker is gone without a word"
    rows: list[tuple[str, str, str]] = [(view.status, message, "wrong")]
    if error and error.hint:
        rows.append(("what to do", error.hint, "strong"))
    if not view.is_gone:
        rows.append(("go on", _go_on(view), "text"))
    lines = _labelled(rows, width)
    if view.log_lines:
        lines += [[], [("last words of worker.log", "muted")]]
        lines += [fit([("  " + text, "text")], width) for text in view.log_lines[-_LOG_LINES:]]
    return [*lines, []]


def _go_on(view: View) -> str:
    """Give the command with which the run goes on; one that has done all it was asked has to be asked for more."""
    has_done_all = view.spec and is_done(view.spec, view.state.epochs_done, is_completed=view.status == "completed")
    return command_to_go_on(view.directory, more_epochs=MORE_EPOCHS if has_done_all else None)


def _labelled(rows: list[tuple[str, str, str]], width: int) -> list[Line]:
    lines: list[Line] = []
    for label, text, role in rows:
        for at, part in enumerate(wrap(text, max(10, width - _LABEL_WIDTH))):
            lines.append(fit(columns([(label if at == 0 else "", _LABEL_WIDTH, "muted"), (part, 0, role)]), width))
    return lines


def _figures(epoch: EpochEnded) -> list[str]:
    return [
        str(epoch.epoch),
        formats.percent(epoch.train_accuracy),
        formats.percent(epoch.test_accuracy),
        formats.points(accuracy_gap(epoch)),
        formats.loss(epoch.train_loss),
        formats.loss(epoch.test_loss),
        formats.duration(epoch.seconds),
        formats.MISSING if epoch.images_per_second is None else f"{epoch.images_per_second:,.0f}",
    ]
