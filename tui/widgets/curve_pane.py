"""The panes of accuracy and loss."""

from collections.abc import Hashable
from typing import ClassVar

from tui import formats
from tui.choices import Choices
from tui.lines import Line, cut_words
from tui.view import View
from tui.widgets.curves import accuracy_gap, draw_accuracy, draw_loss, marks_of, rising_since
from tui.widgets.pane import TitledPane

WIDE_GAP = 0.02
"""A gap between training and testing that is shown as a warning."""


class CurvePane(TitledPane):
    """A metric over the epochs; drawn anew at most once a second."""

    PERIOD: ClassVar[float] = 1.0

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        state = view.state
        return state.batch_count, len(state.epochs), view.is_alive, view.waiting_for() if not state.batch else ""


class AccuracyPane(CurvePane):
    """Accuracy, in percent, with the gap between training and testing."""

    HEADING = "accuracy"

    def legend(self, view: View, width: int) -> Line:
        """Name the lines, the best epoch and the gap."""
        words = _name_lines(view)
        if best := view.state.best:
            words.append([(f"{marks_of(view)[2]} best: epoch {best.epoch}", "test")])
        if view.state.epochs and (gap := accuracy_gap(view.state.epochs[-1])) is not None:
            words.append([(f"gap {formats.points(gap)}", "warning" if gap > WIDE_GAP else "muted")])
        return cut_words(words, width)

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw training and test accuracy."""
        return draw_accuracy(view, width, height)


class LossPane(CurvePane):
    """Loss, on a linear or a logarithmic scale."""

    HEADING = "loss"

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._choices = Choices()

    def take_choices(self, choices: Choices) -> None:
        """Show the scale of `choices`, and keep it there."""
        self._choices = choices

    def toggle_log(self) -> None:
        """Change between a linear and a logarithmic scale."""
        self._choices.log_scale = not self._choices.log_scale
        self.redraw()

    def legend(self, view: View, width: int) -> Line:
        """Name the lines and say when testing got worse again."""
        words = _name_lines(view)
        if self._choices.log_scale:
            words.append([("log scale", "muted")])
        if since := rising_since(view.state.epochs):
            words.append([(f"test loss rising since epoch {since}", "warning")])
        return cut_words(words, width)

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw training and test loss."""
        return draw_loss(view, width, height, is_log=self._choices.log_scale)


def _name_lines(view: View) -> list[Line]:
    train, test, _ = marks_of(view)
    return [[(f"{train} train", "train")], [(f"{test} test", "test")]] if view.state.batch else []
