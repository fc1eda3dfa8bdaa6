"""How far the epoch and the run are, how fast, and how long it has taken and will take; at the end, what came out."""

from collections.abc import Hashable
from typing import ClassVar

from engines import outlook
from tui import formats
from tui.lines import Line, cut_words, draw_bar, fit, shorten, width_of
from tui.view import View
from tui.widgets.pane import Pane

_LABEL_WIDTH = 15
_STEPS_WIDTH, _RATE_WIDTH = 22, 20
_MIN_BAR = 8


class ProgressPane(Pane):
    """Two lines: a bar for the epoch and one for the run; once the run has ended, its results."""

    PERIOD: ClassVar[float] = 0.5
    DEFAULT_CSS = "ProgressPane { height: 2; }"

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        state, elapsed = view.state, view.elapsed and int(view.elapsed)
        return view.status, view.is_gone, state.batch_count, len(state.epochs), elapsed, view.waiting_for()

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Draw both lines."""
        return draw_progress(view, width) if view.is_alive else draw_outcome(view, width)


def draw_progress(view: View, width: int) -> list[Line]:
    """Give the epoch's bar with step and rate, and the run's with elapsed time and time left."""
    state, batch = view.state, view.state.batch
    if not state.started or not batch or state.is_getting_ready:
        waiting: Line = [(view.waiting_for(), "text")]
        return [fit(waiting, width), fit([(f"elapsed {formats.clock(view.elapsed)}", "muted")], width)]
    epochs, left = max(outlook.epochs_in_all(state), batch.epoch), outlook.seconds_left(state)
    label = f"epoch {batch.epoch} of {epochs} ".ljust(_LABEL_WIDTH)
    steps = f"step {batch.step:,} of {batch.steps_per_epoch:,}"
    elapsed = f"elapsed {formats.clock(view.elapsed)}"
    of_epoch, of_run = batch.step / max(1, batch.steps_per_epoch), outlook.part_done(state)
    return [
        _bar_line(label, of_epoch, (steps, formats.rate(batch.images_per_second, "images")), width),
        _bar_line("run".ljust(len(label)), of_run, (elapsed, f"left {formats.clock(left)}"), width),
    ]


def draw_outcome(view: View, width: int) -> list[Line]:
    """Say in two lines how the run ended."""
    finished = view.state.finished
    if finished is None:
        how = view.death or "its worker is gone without a word"
        more = "the last words are in the results and the log"
        if view.is_gone:
            more = "if it was moved, it may go on there; this is what was read of it before"
        return [shorten([("crashed: ", "wrong"), (how, "text")], width), shorten([(more, "muted")], width)]
    if finished.error:
        return [
            shorten([("failed: ", "wrong"), (finished.error.message, "text")], width),
            shorten([(finished.error.hint, "muted")], width),
        ]
    best = finished.best_epoch
    words: list[Line] = [
        [("test accuracy ", "muted"), (formats.percent(finished.test_accuracy), "strong")],
        [("loss ", "muted"), (formats.loss(finished.test_loss), "text")],
        [("train ", "muted"), (formats.percent(finished.train_accuracy), "text")],
    ]
    if finished.test_accuracy is None:
        words = [[("no final evaluation", "text")]]
    if best is not None:
        words.append([("best epoch ", "muted"), (f"{best}, {formats.percent(finished.best_test_accuracy)}", "text")])
    epochs, took = formats.counted(finished.epochs, "epoch"), formats.duration(view.elapsed or 0.0)
    after: Line = [(f"{finished.state} after {epochs} in {took}", "muted")]
    return [cut_words(words, width), fit(after, width)]


def _bar_line(label: str, fraction: float, figures: tuple[str, str], width: int) -> Line:
    percent: Line = [(f"{int(100 * fraction):>3} %  ", "strong")]
    words: Line = [(figures[0].ljust(_STEPS_WIDTH), "muted"), (figures[1].rjust(_RATE_WIDTH), "text")]
    bar_width = width - len(label) - width_of(percent) - width_of(words) - 2
    if bar_width < _MIN_BAR:
        return fit([(label, "text"), *percent, (figures[1], "text")], width)
    return [(label, "text"), *draw_bar(fraction, bar_width), ("  ", "text"), *percent, *words]
