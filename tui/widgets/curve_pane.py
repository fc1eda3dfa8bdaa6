"""The panes of accuracy and loss."""

from collections.abc import Hashable
from dataclasses import replace
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.message import Message

from tui import formats
from tui.chart import Chart
from tui.choices import Choices
from tui.curve_lines import ACCURACY, LOSS, Measure
from tui.curve_words import Reading, describe_gap, read_at, rising_since
from tui.ghost import Ghost
from tui.lens import Lens
from tui.lines import Line, cut_words, fit, width_of
from tui.mark_words import words_of
from tui.view import View
from tui.widgets.curves import Look, chart_of, marks_of
from tui.widgets.pane import TitledPane, draw_waiting

_ROOM_FOR_WORDS = 10
"""From so many lines on, the last one says in words what the curves show."""


class CurvePane(TitledPane):
    """A measure over the epochs; drawn anew at most once a second, in a long run once in two."""

    PERIOD: ClassVar[float] = 1.0
    LONG_PERIOD: ClassVar[float] = 2.0
    MEASURE: ClassVar[Measure]

    class PointedAt(Message):
        """A person pointed at `place`, in epochs; turned there by `zoom`, that much more is to be seen, or less."""

        def __init__(self, place: float, zoom: float | None = None) -> None:
            super().__init__()
            self.place = place
            self.zoom = zoom

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.look = Look()
        self._chart: Chart | None = None
        self._drawn_as: tuple[Look, int, int] | None = None

    @property
    def column(self) -> float:
        """What part of all that is shown one column is."""
        return self._chart.column(self.size.width) if self._chart else 0.01

    @property
    def period(self) -> float:
        """See `Pane`; where a column takes longer than the long period, the curve hardly changes in the short one."""
        if not self._chart or not self._view or not self._view.state.epochs:
            return super().period
        axis, epoch = self._chart.x_axis, self._view.state.epochs[-1]
        seconds = (axis.high - axis.low) * self.column * (epoch.seconds or 0.0)
        return self.LONG_PERIOD if seconds > self.LONG_PERIOD else self.PERIOD

    def take_choices(self, choices: Choices) -> None:
        """Smooth as `choices` say."""
        self.look = replace(self.look, lens=Lens(smoothing=choices.smoothing))

    def look_through(self, lens: Lens, ghost: Ghost | None) -> None:
        """Show what `lens` says, and the run before where there is one."""
        self.look = replace(self.look, lens=lens, ghost=ghost)
        if self.display:
            self.redraw()

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        state = view.state
        waiting = view.waiting_for() if not state.batch else ""
        return state.batch_count, len(state.epochs), len(state.marks), view.is_alive, waiting

    def legend(self, view: View, width: int) -> Line:
        """Name the lines, and say how they are looked at."""
        if not view.state.batch and not view.state.epochs:
            return []
        train, test, _, ghost_mark = marks_of(view)
        words: list[Line] = [[(f"{train} train", "train")], [(f"{test} test", "test")]]
        words += [[(word, "muted")] for word in describe_look(self.look)]
        if ghost := self.look.ghost:
            room = width - width_of(cut_words(words, width)) - 2
            name = f"{ghost_mark} before: {ghost.title}"
            words.append([(name if cell_len(name) <= room else f"{ghost_mark} {ghost.title}", "muted")])
        return cut_words(words, width)

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the chart, and below it, where there is room, what it says in words."""
        cursor = self.look.lens.cursor
        chart_height = height - 1 if height >= _ROOM_FOR_WORDS or cursor is not None else height
        drawn_as = self.look, width, height
        fitted = self._chart.y_axis if self._chart and self._drawn_as == drawn_as else None
        self._drawn_as = drawn_as
        chart = self._chart = chart_of(view, self.MEASURE, width, chart_height, self.look, fitted=fitted)
        if chart is None:
            return draw_nothing(view, width)
        drawn = chart.draw(width, chart_height)
        if chart_height == height:
            return drawn
        words = self.describe(view) if cursor is None else self._read(view, chart, cursor, width)
        return [*drawn, fit(cut_words(words, width), width)]

    def _read(self, view: View, chart: Chart, place: float, width: int) -> list[Line]:
        column = (chart.x_axis.high - chart.x_axis.low) * chart.column(width)
        return describe_reading(read_at(view.state, self.MEASURE, place, column), self.MEASURE, view)

    def describe(self, view: View) -> list[Line]:
        """Say what a person should see in these curves, the most important first."""
        raise NotImplementedError

    def on_click(self, event: events.Click) -> None:
        """Set the cursor where the mouse is."""
        self._point(event.x)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in where the mouse is."""
        self._point(event.x, 0.5)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out where the mouse is."""
        self._point(event.x, 2.0)

    def _point(self, cell: int, zoom: float | None = None) -> None:
        if self._chart:
            self.post_message(self.PointedAt(self._chart.place_of(cell, self.size.width), zoom))


class AccuracyPane(CurvePane):
    """Accuracy, in percent, with the gap between training and testing."""

    HEADING = "accuracy"
    MEASURE = ACCURACY

    def describe(self, view: View) -> list[Line]:
        """Name the best epoch, and how far training is ahead of testing."""
        words: list[Line] = []
        if best := view.state.best:
            figure = formats.percent(best.test_accuracy)
            words.append([(f"{marks_of(view)[2]} best: epoch {best.epoch}, {figure}", "test")])
        gap, is_warning = describe_gap(view.state.epochs)
        return [*words, [(gap, "warning" if is_warning else "muted")]] if gap else words


class LossPane(CurvePane):
    """Loss, on a linear or a logarithmic scale."""

    HEADING = "loss"
    MEASURE = LOSS

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._choices = Choices()

    def take_choices(self, choices: Choices) -> None:
        """Show the scale of `choices` too, and keep it there."""
        super().take_choices(choices)
        self._choices = choices
        self.look = replace(self.look, is_log=choices.log_scale)

    def toggle_log(self) -> None:
        """Change between a linear and a logarithmic scale."""
        self._choices.log_scale = not self._choices.log_scale
        self.look = replace(self.look, is_log=self._choices.log_scale)
        self.redraw()

    def describe(self, view: View) -> list[Line]:
        """Say what the best epoch lost, which lost least, and whether it got worse again."""
        words: list[Line] = []
        if best := view.state.best:
            words.append([(f"{marks_of(view)[2]} best: epoch {best.epoch}, {formats.loss(best.test_loss)}", "test")])
        tests = [(epoch.test_loss, epoch.epoch) for epoch in view.state.epochs if epoch.test_loss is not None]
        lowest, epoch = min(tests, default=(None, 0))
        if best and lowest is not None and epoch != best.epoch:
            words.append([(f"lowest: epoch {epoch}, {formats.loss(lowest)}", "muted")])
        if since := rising_since(view.state.epochs):
            words.append([(f"test loss rising since epoch {since}", "warning")])
        return words


def describe_look(look: Look) -> list[str]:
    """Say how curves are looked at, where it is not plainly."""
    words = []
    if look.lens.span is not None:
        words.append("recent" if look.lens.is_recent else "zoomed")
    if look.lens.smoothing:
        words.append(f"smoothed {look.lens.smoothing:g}")
    if look.is_log:
        words.append("log scale")
    return words


def describe_reading(reading: Reading, measure: Measure, view: View) -> list[Line]:
    """Say what was measured at a place, and what happened there."""
    train, test, _, _ = marks_of(view)
    words: list[Line] = [
        [(f"epoch {reading.epoch} step {reading.step:,}", "strong")],
        [(f"{train} {measure.describe(reading.trained)}", "train")],
    ]
    if reading.tested:
        figure = measure.describe(measure.tested(reading.tested))
        words.append([(f"{test} {figure} (epoch {reading.tested.epoch})", "test")])
    return [*words, *([(words_of(mark), "mark")] for mark in reading.marks)]


def draw_nothing(view: View, width: int) -> list[Line]:
    """Say why there is no curve yet."""
    if view.state.batch and view.is_alive:
        return [[], fit([("  no value so far is a finite number", "muted")], width)]
    return draw_waiting(view, width)
