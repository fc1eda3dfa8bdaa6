"""Images in a grid, each over what it is, what it is taken for and how surely: pure functions over 784 bytes each."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.digits import BARS, ImageStyle, common_margin, draw_image
from tui.lines import Line, fit

RIGHT_MARK, WRONG_MARK, UNKNOWN_MARK = "✓", "✗", " "
_IMAGE_SIZES = ((28, 14), (20, 10), (16, 8), (14, 7), (12, 6), (10, 5), (8, 4))
ENOUGH_IMAGES = 10
_CAPTION_WIDTH = 10
_SHORT_NAME = 2


@dataclass(frozen=True)
class Piece:
    """An image with the names of its class and of the one that it is taken for (None where nobody said yet).

    `is_right` tells whether both are one class, `confidence` (0..1) how sure the network is; `image` is None where the
    record lacks it.
    """

    image: bytes | None
    label: str
    prediction: str | None = None
    confidence: float | None = None
    is_right: bool = False


def draw_exhibit(
    pieces: Sequence[Piece], style: ImageStyle, width: int, height: int, enough: int = ENOUGH_IMAGES
) -> list[Line]:
    """Draw as many of `pieces` as fit, as large as lets at least `enough` of them be seen at once."""
    if not pieces:
        return []
    longest = max(len(name) for piece in pieces for name in (piece.label, piece.prediction or ""))
    caption_height = 2 if longest <= _SHORT_NAME else 3
    enough = min(enough, len(pieces))
    columns, rows, across, down = _choose_size(len(pieces), enough, caption_height, width, height)
    margin = common_margin([piece.image for piece in pieces if piece.image])
    cell_width = width // across
    lines: list[Line] = []
    for first in range(0, min(len(pieces), across * down), across):
        cells = []
        for piece in pieces[first : first + across]:
            picture = _draw_picture(piece.image, columns, rows, style, margin)
            bar = _draw_bar(piece, style, columns)
            if caption_height == 3:
                bar = [*_draw_bar(piece, style, cell_width - 8), (f" {_in_percent(piece):>5}", "muted")]
            cells.append([*picture, *draw_caption(piece, caption_height - 1, cell_width), bar])
        lines += [[run for cell in cells for run in fit(cell[y], cell_width)] for y in range(rows + caption_height)]
    return lines[:height]


def draw_caption(piece: Piece, height: int, width: int) -> list[Line]:
    """Say what an image is and is taken for: `✓ 7  99 %`, `✗ 9→4  61 %`, or over two lines with long names."""
    if piece.prediction is None:
        return [[(f"{UNKNOWN_MARK} {_shorten(piece.label, width - 3)}", "muted")]] + [[]] * (height - 1)
    mark, role = (RIGHT_MARK, "right") if piece.is_right else (WRONG_MARK, "wrong")
    if height == 1:
        words = f"{mark} {piece.label}" if piece.is_right else f"{mark} {piece.label}→{piece.prediction}"
        return [[(words, role), (f" {_in_percent(piece):>5}", "muted")]]
    taken: Line = [] if piece.is_right else [(f"→ {_shorten(piece.prediction, width - 3)}", role)]
    return [[(f"{mark} {_shorten(piece.label, width - 3)}", role)], taken]


def _in_percent(piece: Piece) -> str:
    return "" if piece.confidence is None else f"{int(100 * piece.confidence)} %"


def _draw_picture(image: bytes | None, columns: int, rows: int, style: ImageStyle, margin: int) -> list[Line]:
    if image is None:  # A damaged record.
        return [[("not kept".center(columns) if y == rows // 2 else "", "muted")] for y in range(rows)]
    return list(draw_image(image, columns, rows, style, margin))


def _draw_bar(piece: Piece, style: ImageStyle, width: int) -> Line:
    if piece.confidence is None:
        return []
    full, rest = BARS[style]
    length = min(width, max(0, round(piece.confidence * width)))
    return [(full * length, "bar" if piece.is_right else "wrong"), (rest * (width - length), "rest")]


def _shorten(name: str, width: int) -> str:
    """Give a class's name in at most `width` cells; of `T-shirt/top` the first half says enough."""
    return name if len(name) <= width else name.partition("/")[0][:width]


def _choose_size(count: int, enough: int, caption_height: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Give an image's columns and rows, and how many fit across and down."""
    for columns, rows in _IMAGE_SIZES:
        across = min(count, width // (max(columns, _CAPTION_WIDTH) + 2))
        down = height // (rows + caption_height)
        if across * down >= enough:
            return columns, rows, _even_rows(count, enough, across, down), down
    return columns, rows, max(1, across), max(1, down)


def _even_rows(count: int, enough: int, across: int, down: int) -> int:
    """Give the widest row, of those that are used as fully as can be, so that no row looks forgotten."""
    for fewer in range(across, max(1, across - 3), -1):
        if count % fewer == 0 and fewer * down >= enough:
            return fewer
    return across
