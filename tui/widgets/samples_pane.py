"""Test images and what the network takes them for: a fixed set as it is learned, or the worst mistakes."""

from collections.abc import Hashable, Iterable
from typing import ClassVar

from engines.gallery import Mistake
from tui.choices import Choices
from tui.digits import ImageStyle, next_style
from tui.exhibit import Piece, draw_exhibit
from tui.lines import Line, fit, width_of
from tui.view import View
from tui.widgets.pane import TitledPane, draw_waiting

MOST_MISTAKES = 40


class SamplesPane(TitledPane):
    """Ten images and more, as large as lets at least ten be seen at once."""

    HEADING = "samples"
    PERIOD: ClassVar[float] = 2.0

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._choices = Choices()
        self._shows_worst = False

    def take_choices(self, choices: Choices) -> None:
        """Show images in the style of `choices`, and keep it there."""
        self._choices = choices

    def step_style(self) -> None:
        """Show the images in the next style: half blocks, braille, ASCII."""
        if self._view is not None:
            self._choices.image_style = next_style(self._style(self._view))
        self.redraw()

    def step_set(self) -> None:
        """Show the worst mistakes in place of the fixed set, or the other way round."""
        self._shows_worst = not self._shows_worst
        self.redraw()

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        state = view.state
        if self._shows_worst:
            return state.gallery.epoch, state.gallery.mistake_count, view.waiting_for()
        shown = tuple(state.predictions), tuple(state.confidences), len(state.sample_images)
        return shown, view.waiting_for() if not state.sample_images else ""

    def legend(self, view: View, width: int) -> Line:
        """Count the right ones, or all mistakes, and name the key for the others."""
        state, gallery = view.state, view.state.gallery
        if self._shows_worst:
            told = f"worst of {gallery.mistake_count:,} mistakes, epoch {gallery.epoch}"
            return _with_key("" if gallery.epoch is None else told, "fixed set", width)
        right = sum(a == b for a, b in zip(state.sample_labels, state.predictions, strict=False))
        known = f"{right} of {len(state.predictions)} right" if state.predictions else ""
        return _with_key(known, "worst mistakes", width)

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the images in a grid."""
        draw = draw_worst if self._shows_worst else draw_samples
        return draw(view, self._style(view), width, height)

    def _style(self, view: View) -> ImageStyle:
        return self._choices.style_of_images(ascii_only=view.ascii_only)


def draw_samples(view: View, style: ImageStyle, width: int, height: int) -> list[Line]:
    """Draw as many images of the fixed set as fit, each over its caption."""
    state = view.state
    if not state.sample_images:
        return draw_waiting(view, width)
    pieces = []
    for at, image in enumerate(state.sample_images):
        label = state.sample_labels[at] if at < len(state.sample_labels) else -1
        prediction = state.predictions[at] if at < len(state.predictions) else None
        pieces.append(
            Piece(
                image,
                view.class_name(label),
                None if prediction is None else view.class_name(prediction),
                state.confidences[at] if prediction is not None and at < len(state.confidences) else None,
                prediction == label,
            )
        )
    return draw_exhibit(pieces, style, width, height)


def draw_worst(view: View, style: ImageStyle, width: int, height: int) -> list[Line]:
    """Draw the most confident mistakes of the last evaluation that was told, the worst first."""
    gallery = view.state.gallery
    if gallery.mistakes:
        return draw_exhibit(pieces_of(view, gallery.mistakes[:MOST_MISTAKES]), style, width, height)
    if gallery.epoch is not None:
        return [[], fit([("  no mistakes at all in the last evaluation", "muted")], width)]
    if view.is_alive and not view.state.epochs:
        return [[], fit([("  the mistakes come with the first evaluation, at the end of the epoch", "muted")], width)]
    return [[], fit([("  this run's record holds no mistakes", "muted")], width)]


def pieces_of(view: View, mistakes: Iterable[Mistake]) -> list[Piece]:
    """Give mistakes as they are shown."""
    return [
        Piece(found.image, view.class_name(found.label), view.class_name(found.prediction), found.confidence)
        for found in mistakes
    ]


def _with_key(known: str, other: str, width: int) -> Line:
    hint: Line = [("w ", "key"), (other, "muted")]
    words: Line = [(known, "muted"), ("   ", "text"), *hint] if known else hint
    return words if width_of(words) <= width or not known else [(known, "muted")]
