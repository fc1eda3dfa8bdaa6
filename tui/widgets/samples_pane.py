"""The sample images and what the network takes them for: label, prediction, confidence, right or wrong."""

from collections.abc import Hashable
from typing import ClassVar

from tui.choices import Choices
from tui.digits import ImageStyle, common_margin, draw_image, next_style
from tui.lines import Line, fit
from tui.view import View
from tui.widgets.pane import TitledPane, draw_waiting

RIGHT_MARK, WRONG_MARK, UNKNOWN_MARK = "✓", "✗", " "
_IMAGE_SIZES = ((28, 14), (20, 10), (16, 8), (14, 7), (12, 6), (10, 5), (8, 4))
_ENOUGH_IMAGES = 10
_CAPTION_WIDTH = 10


class SamplesPane(TitledPane):
    """Ten to twenty images, as large as lets at least ten be seen at once."""

    HEADING = "samples"
    PERIOD: ClassVar[float] = 2.0

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._choices = Choices()

    def take_choices(self, choices: Choices) -> None:
        """Show images in the style of `choices`, and keep it there."""
        self._choices = choices

    def step_style(self) -> None:
        """Show the images in the next style: half blocks, braille, ASCII."""
        if self._view is not None:
            self._choices.image_style = next_style(self._style(self._view))
        self.redraw()

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        state = view.state
        shown = tuple(state.predictions), tuple(state.confidences), len(state.sample_images)
        return shown, view.waiting_for() if not state.sample_images else ""

    def legend(self, view: View, width: int) -> Line:
        """Count the right ones."""
        state = view.state
        if not state.predictions:
            return []
        right = sum(a == b for a, b in zip(state.sample_labels, state.predictions, strict=False))
        return [(f"{right} of {len(state.predictions)} right", "muted")]

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the images in a grid."""
        return draw_samples(view, self._style(view), width, height)

    def _style(self, view: View) -> ImageStyle:
        return self._choices.image_style or ("ascii" if view.ascii_only else "blocks")


def draw_samples(view: View, style: ImageStyle, width: int, height: int) -> list[Line]:
    """Draw as many sample images as fit, each over its caption."""
    state = view.state
    images = state.sample_images
    if not images:
        return draw_waiting(view, width)
    caption_height = 1 if all(len(view.class_name(label)) == 1 for label in range(10)) else 2
    columns, rows, across, down = _choose_size(len(images), caption_height, width, height)
    margin = common_margin(images)
    cell_width = width // across
    lines: list[Line] = []
    for first in range(0, min(len(images), across * down), across):
        chosen = range(first, min(first + across, len(images)))
        pictures = [draw_image(images[at], columns, rows, style, margin) for at in chosen]
        captions = [draw_caption(view, at, caption_height, cell_width) for at in chosen]
        cells = [[*picture, *caption] for picture, caption in zip(pictures, captions, strict=True)]
        lines += [[run for cell in cells for run in fit(cell[y], cell_width)] for y in range(rows + caption_height)]
        lines.append([])
    return lines[:height]


def draw_caption(view: View, index: int, height: int, width: int) -> list[Line]:
    """Say what an image is and what it is taken for: `✓ 7  99 %`, `✗ 9→4  61 %`, or over two lines with long names."""
    state = view.state
    label = state.sample_labels[index] if index < len(state.sample_labels) else -1
    name = view.class_name(label)
    if index >= len(state.predictions):
        return [[(f"{UNKNOWN_MARK} {_shorten(name, width - 2)}", "muted")]] + [[]] * (height - 1)
    predicted = view.class_name(state.predictions[index])
    confidence = state.confidences[index] if index < len(state.confidences) else None
    sure = "" if confidence is None else f"{int(100 * confidence)} %"
    is_right = state.predictions[index] == label
    mark, role = (RIGHT_MARK, "right") if is_right else (WRONG_MARK, "wrong")
    if height == 1:
        return [[(f"{mark} {name}" if is_right else f"{mark} {name}→{predicted}", role), (f" {sure:>5}", "muted")]]
    taken: Line = [("  ", "text")] if is_right else [(f"→ {_shorten(predicted, width - 3 - len(sure))} ", role)]
    return [[(f"{mark} {_shorten(name, width - 2)}", role)], [*taken, (sure, "muted")]]


def _shorten(name: str, width: int) -> str:
    """Give a class's name in at most `width` cells; of `T-shirt/top` the first half says enough."""
    return name if len(name) <= width else name.partition("/")[0][:width]


def _choose_size(count: int, caption_height: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Give an image's columns and rows, and how many fit across and down."""
    for columns, rows in _IMAGE_SIZES:
        across = min(count, width // (max(columns, _CAPTION_WIDTH) + 2))
        down = (height + 1) // (rows + caption_height + 1)
        if across * down >= min(count, _ENOUGH_IMAGES):
            return columns, rows, _even_rows(count, across, down), down
    return columns, rows, max(1, across), max(1, down)


def _even_rows(count: int, across: int, down: int) -> int:
    """Give the widest row, of those that are used as fully as can be, so that no row looks forgotten."""
    for fewer in range(across, max(1, across - 3), -1):
        if count % fewer == 0 and fewer * down >= min(count, _ENOUGH_IMAGES):
            return fewer
    return across
