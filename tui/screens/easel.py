"""A sheet to draw a digit on, and what the present weights of a run take it for."""

from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from engines.catalog import DATASETS, IMAGE_SIZE
from engines.inquiry import Answer
from engines.spec import RunSpec
from tui.canvas import Canvas
from tui.choices import Choices
from tui.classifier import Classifier
from tui.digits import ImageStyle, next_style
from tui.easel import Easel, draw_easel, sheet_region
from tui.lines import Line
from tui.screens.fresh_size import FreshSize
from tui.streams import output_encoding
from tui.view import describe_spec
from tui.widgets.key_line import KeyLine
from tui.widgets.picture import Picture

FRAME_SECONDS = 0.05
LOOK_SECONDS = 1.0
"""How often the same drawing is asked about again: there may be a newer checkpoint."""

FRAMINGS = {
    "mnist": "scaled to 20x20 and centred by its mass, as MNIST was",
    "digits": "scaled to 24x24 and centred by its mass",
}
"""What `engines.framing` does for each dataset, in words."""


class EaselScreen(FreshSize, Screen[None]):
    """Draws for the run of `spec` whose checkpoints lie in `directory`, live or ended."""

    DEFAULT_CSS = "EaselScreen _EaselPicture { margin: 0 1; height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1, 0)", "move", key_display="arrows", tooltip="move the pen"),
        Binding("right", "move(1, 0)", show=False),
        Binding("up", "move(0, -1)", show=False),
        Binding("down", "move(0, 1)", show=False),
        Binding("space", "pen", "pen", tooltip="set the pen down, or lift it"),
        Binding("backspace,n,delete", "clear", "new sheet", key_display="n"),
        Binding("i", "image_style", "images", tooltip="images as blocks, braille or ASCII"),
        Binding("escape,e", "app.back", "back", key_display="esc"),
    ]

    def __init__(self, directory: Path, spec: RunSpec, choices: Choices) -> None:
        super().__init__()
        self._spec = spec
        self._choices = choices
        self._canvas = Canvas()
        self._answer: Answer | None = None
        self._has_pen = False
        self._is_dirty = False
        self._picture = _EaselPicture(self)
        self._classifier = Classifier(directory, self._hear)

    def compose(self) -> ComposeResult:
        """Lay out the picture over the keys."""
        yield self._picture
        yield KeyLine()

    def on_mount(self) -> None:
        """Start the process that answers."""
        self._serve()
        self.set_interval(FRAME_SECONDS, self._show_strokes)
        self.set_interval(LOOK_SECONDS, self._ask_again)

    @work
    async def _serve(self) -> None:
        await self._classifier.serve()

    def _hear(self, answer: Answer) -> None:
        if answer != self._answer:
            self._answer = answer
            self._picture.redraw()

    def action_move(self, right: int, down: int) -> None:
        """Move the pen by a pixel."""
        self._has_pen = True
        self._canvas.move_to(self._canvas.x + right, self._canvas.y + down)
        self._is_dirty = True

    def action_pen(self) -> None:
        """Set the pen down, or lift it."""
        self._has_pen = self._is_dirty = True
        if self._canvas.is_down:
            self._canvas.lift()
        else:
            self._canvas.put_down()

    def action_clear(self) -> None:
        """Take a new sheet."""
        self._canvas.clear()
        self._is_dirty = True

    def action_image_style(self) -> None:
        """Show the images in the next style."""
        self._choices.image_style = next_style(self._style)
        self._picture.redraw()

    def drag(self, x: float, y: float, *, is_first: bool) -> None:
        """Draw with the mouse: to a place on the sheet, in pixels, from there on or from the last one."""
        self._has_pen = False
        if is_first:
            self._canvas.lift()
        self._canvas.move_to(x, y)
        if is_first:
            self._canvas.put_down()
        self._is_dirty = True

    def lift(self) -> None:
        """End a stroke of the mouse."""
        self._canvas.lift()

    def lines(self, width: int, height: int) -> list[Line]:
        """Draw all as it is now."""
        dataset = DATASETS.get(self._spec.dataset)
        easel = Easel(
            title=describe_spec(self._spec),
            class_names=dataset.class_names if dataset else [str(digit) for digit in range(10)],
            framing=FRAMINGS.get(self._spec.dataset, "as it is drawn"),
            canvas=self._canvas,
            answer=self._answer,
            style=self._style,
            has_pen=self._has_pen,
        )
        return draw_easel(easel, width, height)

    @property
    def _style(self) -> ImageStyle:
        return self._choices.style_of_images(ascii_only=output_encoding() == "ascii")

    def _show_strokes(self) -> None:
        """Show what was drawn since the last look, in one go however many moves the mouse told of."""
        if self._is_dirty:
            self._is_dirty = False
            self._picture.redraw()
            self._ask_again()

    def _ask_again(self) -> None:
        if not self._canvas.is_empty:
            self._classifier.ask(self._canvas.pixels)


class _EaselPicture(Picture):
    def __init__(self, easel: EaselScreen) -> None:
        super().__init__()
        self._easel = easel

    def draw(self, width: int, height: int) -> list[Line]:
        return self._easel.lines(width, height)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if sheet_region(*self.size).contains(event.x, event.y):
            self.capture_mouse()
            self._drag(event, is_first=True)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self.app.mouse_captured is self:
            self._drag(event, is_first=False)

    def on_mouse_up(self) -> None:
        self.release_mouse()
        self._easel.lift()

    def _drag(self, event: events.MouseEvent, *, is_first: bool) -> None:
        sheet = sheet_region(*self.size)
        x, y = (event.x - sheet.x + 0.5) / sheet.width, (event.y - sheet.y + 0.5) / sheet.height
        self._easel.drag(x * IMAGE_SIZE, y * IMAGE_SIZE, is_first=is_first)
