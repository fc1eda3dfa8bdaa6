"""A layer's weights as pictures: shades from the most negative to the most positive, zero in the middle."""

from engines.events import PIXEL_SPAN, ZERO_PIXEL, Filters
from engines.gallery import decode_bytes
from tui.digits import INK_LEVELS
from tui.half_blocks import draw_half_blocks
from tui.lines import Line, fit

_MIDDLE = INK_LEVELS // 2
_ASCII = " #=- .+*@"
"""By level: negative weights are lines, positive ones points and crosses, and zero is left out."""

_LARGEST_ZOOM = 4

Pictures = list[list[bytes]]
"""Pictures as rows of levels: 1 is the most negative, `_MIDDLE` is zero, and 0 lies between the pictures."""


def draw_kernels(filters: Filters, width: int, height: int, *, ascii_only: bool = False) -> list[Line]:
    """Draw the pictures of `filters` side by side, as large as lets all be seen, or else as many as fit."""
    pictures = _pictures_of(filters)
    if not pictures or not filters.width:
        return []
    zoom, across, down = _choose_zoom(len(pictures), filters, width, height, ascii_only=ascii_only)
    rows: list[bytes] = []
    for first in range(0, min(len(pictures), across * down), across):
        rows += [b""] if rows else []
        for y in range(filters.height * zoom):
            parts = [_enlarge(picture[y // zoom], zoom) for picture in pictures[first : first + across]]
            rows.append(b"\0".join(parts))
    lines = _draw_ascii(rows) if ascii_only else _draw_blocks(rows)
    return [fit(line, width) for line in lines[:height]]


def count_drawn(filters: Filters, width: int, height: int, *, ascii_only: bool = False) -> int:
    """Give how many pictures `draw_kernels` draws in this room."""
    count = len(_pictures_of(filters))
    _, across, down = _choose_zoom(count, filters, width, height, ascii_only=ascii_only)
    return min(count, across * down)


def draw_scale(filters: Filters, *, ascii_only: bool = False) -> Line:
    """Give the legend: minus the largest weight, the shades up to zero and beyond, and the largest."""
    levels = bytes(range(1, INK_LEVELS, 2))
    shades = (_draw_ascii if ascii_only else _draw_blocks)([levels] if ascii_only else [levels, levels])[0]
    return [(f"-{filters.scale:.2g} ", "muted"), *shades, (f" +{filters.scale:.2g}", "muted")]


def _pictures_of(filters: Filters) -> Pictures:
    data, size = decode_bytes(filters.pixels).translate(_LEVELS), filters.height * filters.width
    starts = range(0, len(data) - size + 1, size) if size else ()
    return [[data[at + y : at + y + filters.width] for y in range(0, size, filters.width)] for at in starts]


def _choose_zoom(count: int, filters: Filters, width: int, height: int, *, ascii_only: bool) -> tuple[int, int, int]:
    """Give how many pixels a weight takes, and how many pictures fit across and down."""
    width, height = (width // 2, height) if ascii_only else (width, 2 * height)
    for zoom in range(_LARGEST_ZOOM, 0, -1):
        across = (width + 1) // (filters.width * zoom + 1)
        down = (height + 1) // (filters.height * zoom + 1)
        if across * down >= count:
            break
    return zoom, max(1, across), max(1, down)


def _enlarge(row: bytes, zoom: int) -> bytes:
    return b"".join(row[x : x + 1] * zoom for x in range(len(row)))


def _draw_blocks(rows: list[bytes]) -> list[Line]:
    lines = []
    for y in range(0, len(rows), 2):
        width = max(map(len, rows[y : y + 2]))
        upper, lower = (row.ljust(width, b"\0") for row in [*rows[y : y + 2], b""][:2])
        lines.append(draw_half_blocks(upper, lower))
    return lines


def _draw_ascii(rows: list[bytes]) -> list[Line]:
    return [[("".join(_ASCII[(level + 1) // 2] * 2 for level in row), "strong")] for row in rows]


_LEVELS = bytes(max(1, round(_MIDDLE + (value - ZERO_PIXEL) * (_MIDDLE - 1) / PIXEL_SPAN)) for value in range(256))
