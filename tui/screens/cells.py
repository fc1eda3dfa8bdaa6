"""The images behind the confusion matrix: a cursor in it, and those of its cell, kept up as the run goes on."""

from collections.abc import Callable, Hashable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from engines.catalog import CLASS_COUNT
from tui.choices import Choices
from tui.digits import next_style
from tui.lines import Line, justify
from tui.screens.fresh_size import FreshSize
from tui.view import View
from tui.widgets.cell_images import draw_cells
from tui.widgets.confusion_pane import Cell, is_matrix, most_frequent
from tui.widgets.key_line import KeyLine
from tui.widgets.picture import Picture

LOOK_SECONDS = 0.5


class CellsScreen(FreshSize, Screen[None]):
    """Shows the run that `look` gives; begins at `cell`, or where the most mistakes are."""

    DEFAULT_CSS = "CellsScreen _CellsPicture { margin: 0 1; height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", "predicted", key_display="←→", tooltip="the class predicted"),
        Binding("right", "move(0, 1)", show=False),
        Binding("up", "move(-1, 0)", "true", key_display="↑↓", tooltip="the true class"),
        Binding("down", "move(1, 0)", show=False),
        Binding("i", "image_style", "images", tooltip="images as blocks, braille or ASCII"),
        Binding("escape,enter", "app.back", "back", key_display="esc"),
    ]

    def __init__(self, look: Callable[[], View | None], choices: Choices, cell: Cell | None = None) -> None:
        super().__init__()
        self._look = look
        self._cell = cell
        self._choices = choices
        self._key: Hashable = None
        self._picture = _CellsPicture(self)

    def compose(self) -> ComposeResult:
        """Lay out the picture over the keys."""
        yield self._picture
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin to look whether there is something new."""
        self.set_interval(LOOK_SECONDS, self._redraw_if_new)

    def action_move(self, down: int, right: int) -> None:
        """Go to the cell beside."""
        label, predicted = self._place()
        self._cell = ((label + down) % CLASS_COUNT, (predicted + right) % CLASS_COUNT)
        self._picture.redraw()

    def action_image_style(self) -> None:
        """Show the images in the next style."""
        if view := self._look():
            self._choices.image_style = next_style(self._choices.style_of_images(ascii_only=view.ascii_only))
            self._picture.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Draw the run as it is now."""
        view = self._look()
        if view is None:
            return []
        self._key = _key_of(view)
        told = f"epoch {view.state.epochs[-1].epoch}" if view.state.epochs else ""
        title = justify([(view.title, "title"), ("  rows true, columns predicted", "muted")], [(told, "muted")], width)
        style = self._choices.style_of_images(ascii_only=view.ascii_only)
        return [title, [], *draw_cells(view, self._place(), style, width, height - 2)]

    def _place(self) -> Cell:
        view = self._look()
        if self._cell is None and view and view.state.epochs and is_matrix(counts := view.state.epochs[-1].confusion):
            self._cell = most_frequent(counts)
        return self._cell or (0, 0)

    def _redraw_if_new(self) -> None:
        view = self._look()
        if self.is_seen and view and _key_of(view) != self._key:
            self._picture.redraw()


class _CellsPicture(Picture):
    def __init__(self, cells: CellsScreen) -> None:
        super().__init__()
        self._cells = cells

    def draw(self, width: int, height: int) -> list[Line]:
        return self._cells.lines(width, height)


def _key_of(view: View) -> Hashable:
    return len(view.state.epochs), view.state.gallery.epoch, view.title
