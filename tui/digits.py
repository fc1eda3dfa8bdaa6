"""Images as text: half blocks, braille or plain ASCII, any size; pure functions over 784 bytes."""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from typing import Literal, get_args

from engines.catalog import IMAGE_SIZE
from tui.half_blocks import draw_half_blocks
from tui.lines import Line

ImageStyle = Literal["blocks", "braille", "ascii"]
IMAGE_STYLES: tuple[ImageStyle, ...] = get_args(ImageStyle)

BARS: dict[ImageStyle, tuple[str, str]] = {"blocks": ("━", "─"), "braille": ("━", "─"), "ascii": ("=", "-")}
"""What a bar beside images of a style is drawn with: what is full of it, and the rest."""

INK_LEVELS = 16
_RAMP = " .:-=+*#%@"
_BRAILLE_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE_THRESHOLD = 96


def next_style(style: ImageStyle) -> ImageStyle:
    """Give the style after `style`, round and round."""
    return IMAGE_STYLES[(IMAGE_STYLES.index(style) + 1) % len(IMAGE_STYLES)]


def common_margin(images: Sequence[bytes]) -> int:
    """Give how many pixels on each side are empty in all `images`, so that they may be left out."""
    margin = 0
    while margin < IMAGE_SIZE // 4 and not any(_has_ink_at(image, margin) for image in images):
        margin += 1
    return margin


def _has_ink_at(image: bytes, margin: int) -> bool:
    last = IMAGE_SIZE - 1 - margin
    rows = any(image[margin * IMAGE_SIZE : (margin + 1) * IMAGE_SIZE]) or any(
        image[last * IMAGE_SIZE : (last + 1) * IMAGE_SIZE]
    )
    return rows or any(image[margin::IMAGE_SIZE]) or any(image[last::IMAGE_SIZE])


def scale(image: bytes, margin: int, columns: int, rows: int) -> list[list[int]]:
    """Give `rows` x `columns` values in 0..255: the mean of the pixels that each covers, `margin` left out."""
    inner = IMAGE_SIZE - 2 * margin
    if columns % inner == 0 and rows % inner == 0:
        return _enlarge(image, margin, columns // inner, rows // inner)
    across = [_weights(inner * x / columns, inner * (x + 1) / columns, margin) for x in range(columns)]
    area = inner / columns * inner / rows
    scaled = []
    for y in range(rows):
        down = _weights(inner * y / rows, inner * (y + 1) / rows, margin)
        lines = [(image[line * IMAGE_SIZE : (line + 1) * IMAGE_SIZE], weight) for line, weight in down]
        scaled.append([round(_sum(lines, part) / area) for part in across])
    return scaled


def _enlarge(image: bytes, margin: int, across: int, down: int) -> list[list[int]]:
    """Give each pixel that is not in the margin `across` times in a row, and each row `down` times."""
    inside = range(margin, IMAGE_SIZE - margin)
    rows = (image[y * IMAGE_SIZE + margin : (y + 1) * IMAGE_SIZE - margin] for y in inside)
    return [[value for value in row for _ in range(across)] for row in rows for _ in range(down)]


def _sum(lines: list[tuple[bytes, float]], part: list[tuple[int, float]]) -> float:
    return sum(down * across * line[x] for line, down in lines for x, across in part)


def _weights(begin: float, end: float, margin: int) -> list[tuple[int, float]]:
    """Give the pixels that lie between `begin` and `end`, each with how much of it does."""
    pixels = range(int(begin), ceil(end - 1e-9))
    return [(pixel + margin, min(end, pixel + 1) - max(begin, pixel)) for pixel in pixels]


@lru_cache(maxsize=256)
def draw_image(image: bytes, columns: int, rows: int, style: ImageStyle, margin: int = 0) -> list[Line]:
    """Draw an image in `rows` lines of `columns` cells; of half blocks the roles give the inks, up to `INK_LEVELS`."""
    if style == "blocks":
        return _draw_blocks(scale(image, margin, columns, 2 * rows))
    if style == "braille":
        return _draw_braille(scale(image, margin, 2 * columns, 4 * rows))
    return _draw_ascii(scale(image, margin, columns, rows))


def _draw_blocks(pixels: list[list[int]]) -> list[Line]:
    rows = [list(map(_ink, row)) for row in pixels]
    return [draw_half_blocks(upper, lower) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]


def _ink(value: int) -> int:
    return round(value * (INK_LEVELS - 1) / 255)


def _draw_braille(pixels: list[list[int]]) -> list[Line]:
    lines = []
    for y in range(0, len(pixels), 4):
        cells = ""
        for x in range(0, len(pixels[0]), 2):
            bits = sum(
                _BRAILLE_BITS[dy][dx]
                for dy in range(4)
                for dx in range(2)
                if pixels[y + dy][x + dx] >= _BRAILLE_THRESHOLD
            )
            cells += chr(0x2800 + bits) if bits else " "
        lines.append([(cells, "strong")])
    return lines


def _draw_ascii(pixels: list[list[int]]) -> list[Line]:
    last = len(_RAMP) - 1
    return [[("".join(_RAMP[round(value * last / 255)] for value in row), "strong")] for row in pixels]
