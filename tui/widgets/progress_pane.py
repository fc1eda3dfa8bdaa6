"""How far the epoch and the run are, how fast, and how long it has taken and will take; at the end, what came out."""

from collections.abc import Hashable
from typing import ClassVar

from tui import formats
from tui.lines import Line, cut_words, fit, width_of
from tui.view import View
from tui.widgets.pane import Pane

_LABEL_WIDTH = 15
_FIGURES_WIDTH = 42


class ProgressPane(Pane):
    """Two lines: a bar for the epoch and one for the run; once the run has ended, its results."""

    PERIOD: ClassVar[float] = 0.5
    DEFAULT_CSS = "ProgressPane { height: 2; }"

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        elapsed = view.elapsed
        return view.status, view.state.batch_count, len(view.state.epochs), elapsed and int(elapsed), view.waiting_for()

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Draw both lines."""
        return draw_progress(view, width) if view.is_alive else draw_outcome(view, width)


def draw_progress(view: View, width: int) -> list[Line]:
    """Give the epoch's bar with step and rate, and the run's with elapsed time and time left."""
    state, batch = view.state, view.state.batch
    if not state.started or not batch:
        waiting: Line = [(view.waiting_for(), "text")]
        return [fit(waiting, width), fit([(f"elapsed {formats.clock(view.elapsed)}", "muted")], width)]
    epochs = max(state.started.spec.epochs, batch.epoch)
    steps = f"step {batch.step:,} of {batch.steps_per_epoch:,}"
    left = state.seconds_left
    return [
        _bar_line(
            f"epoch {batch.epoch} of {epochs}",
            batch.step / max(1, batch.steps_per_epoch),
            (steps, formats.rate(batch.images_per_second, "images")),
            width,
        ),
        _bar_line(
            "run",
            state.position / epochs,
            (f"elapsed {formats.clock(view.elapsed)}", f"left {formats.clock(left)}" if left is not None else ""),
            width,
        ),
    ]


def draw_outcome(view: View, width: int) -> list[Line]:
    """Say in two lines how the run ended."""
    finished = view.state.finished
    if finished is None:
        how = view.worker_exit or "its worker is gone without a word"
        return [
            fit([("crashed: ", "wrong"), (how, "text")], width),
            fit([("the last words are in the results and the log", "muted")], width),
        ]
    if finished.error:
        return [
            fit([("failed: ", "wrong"), (finished.error.message, "text")], width),
            fit([(finished.error.hint, "muted")], width),
        ]
    best = finished.best_epoch
    words: list[Line] = [
        [("test accuracy ", "muted"), (formats.percent(finished.test_accuracy), "strong")],
        [("loss ", "muted"), (formats.loss(finished.test_loss), "text")],
        [("train ", "muted"), (formats.percent(finished.train_accuracy), "text")],
    ]
    if finished.test_accuracy is None:
        words = [[("stopped before the final evaluation", "text")]]
    if best is not None:
        words.append([("best epoch ", "muted"), (f"{best}, {formats.percent(finished.best_test_accuracy)}", "text")])
    epochs = "1 epoch" if finished.epochs == 1 else f"{finished.epochs} epochs"
    after: Line = [(f"{finished.state} after {epochs} in {formats.duration(finished.seconds)}", "muted")]
    return [cut_words(words, width), fit(after, width)]


def draw_bar(fraction: float, width: int) -> Line:
    """Draw a bar that is `fraction` full."""
    full = round(min(1.0, max(0.0, fraction)) * width)
    return [("━" * full, "bar"), ("·" * (width - full), "rest")]


def _bar_line(label: str, fraction: float, figures: tuple[str, str], width: int) -> Line:
    left: Line = [(label.ljust(_LABEL_WIDTH), "text")]
    right: Line = [(f"{fraction:>5.0%}".replace("%", " %") + "  ", "strong")]
    right += [(figures[0].ljust(22), "muted"), (figures[1].rjust(_FIGURES_WIDTH - 22), "text")]
    bar_width = width - width_of(left) - width_of(right) - 1
    if bar_width < 8:
        return fit([*left, right[0], (figures[1], "text")], width)
    return [*left, *draw_bar(fraction, bar_width), (" ", "text"), *right]
