"""The confusion matrix with a cursor, and beside or below it the images in the cell where that stands."""

from engines.catalog import CLASS_COUNT
from tui.digits import ImageStyle
from tui.exhibit import draw_exhibit
from tui.lines import Line, fit, wrap
from tui.view import View
from tui.widgets.confusion_pane import Cell, draw_confusion, is_matrix
from tui.widgets.pane import draw_waiting
from tui.widgets.samples_pane import pieces_of

_WIDE = 110
_MATRIX_WIDTH, _MATRIX_HEIGHT = 66, 11
_GAP = 3
_ENOUGH_IMAGES = 4


def draw_cells(view: View, cell: Cell, style: ImageStyle, width: int, height: int) -> list[Line]:
    """Draw both side by side where the screen is wide, else one below the other."""
    if not view.state.epochs:
        coming = [[], fit([("  the matrix comes with the first evaluation, at the end of the epoch", "muted")], width)]
        return coming if view.is_alive else draw_waiting(view, width)
    names = [view.class_name(label) for label in range(CLASS_COUNT)]
    counts = view.state.epochs[-1].confusion
    if not is_matrix(counts):
        return draw_confusion(counts, names, width, height)
    if width < _WIDE:
        matrix = draw_confusion(counts, names, width, _MATRIX_HEIGHT, cell)
        return [*matrix, [], *draw_cell(view, cell, style, width, height - len(matrix) - 1)]
    matrix = draw_confusion(counts, names, _MATRIX_WIDTH, height, cell)
    images = draw_cell(view, cell, style, width - _MATRIX_WIDTH - _GAP, height)
    matrix += [[]] * (len(images) - len(matrix))
    images += [[]] * (len(matrix) - len(images))
    return [[*fit(left, _MATRIX_WIDTH + _GAP), *right] for left, right in zip(matrix, images, strict=True)]


def draw_cell(view: View, cell: Cell, style: ImageStyle, width: int, height: int) -> list[Line]:
    """Draw the images in one cell under a line that says what they are."""
    label, predicted = cell
    epoch, gallery = view.state.epochs[-1], view.state.gallery
    number, found = epoch.confusion[label][predicted], gallery.in_cell(label, predicted)
    taken = f"{view.class_name(label)} taken for {view.class_name(predicted)}"
    told = f"{number:,} of {sum(epoch.confusion[label]):,}"
    if label == predicted:
        words = "These are right; the record keeps the images of mistakes alone."
    elif found:
        words = ""
        told += _describe_choice(len(found), gallery.epoch, epoch.epoch, number)
    elif number == 0:
        words = "No image is in this cell."
    elif gallery.epoch is None:
        words = "This run's record holds no images of mistakes."
    else:
        words = f"The record holds no image of this cell; what it keeps is of epoch {gallery.epoch}."
    if len(taken) + 2 + len(told) <= width:
        lines: list[Line] = [[(taken, "title"), (f"  {told}", "muted")], []]
    else:
        lines = [fit([(taken, "title")], width), fit([(told, "muted")], width), []]
    if words:
        return [*lines, *([(line, "muted")] for line in wrap(words, width))]
    return [*lines, *draw_exhibit(pieces_of(view, found), style, width, height - len(lines), _ENOUGH_IMAGES)]


def _describe_choice(kept: int, of_epoch: int | None, epoch: int, number: int) -> str:
    if of_epoch != epoch:
        return f", images of epoch {of_epoch}"
    return f", the {kept} most confident are kept" if kept < number else ", the most confident first"
