"""How a cell is coloured, in the terminal's own codes, and the shortest way from one pen to another."""

from bisect import bisect
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.style import Style

_ATTRIBUTES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "blink": "5",
    "blink2": "6",
    "reverse": "7",
    "conceal": "8",
    "strike": "9",
    "underline2": "21",
    "frame": "51",
    "encircle": "52",
    "overline": "53",
}
RESET = "\x1b[0m"

_CUBE, _CUBE_LEVELS, _BETWEEN_LEVELS = 16, (0, 95, 135, 175, 215, 255), (48, 115, 155, 195, 235)
_GREYS, _GREY_COUNT, _DARKEST_GREY, _GREY_STEP = 232, 24, 8, 10
"""Where the 256 colours of xterm have their cube of red, green and blue, with its levels, and where their greys."""

_UNSEEN = 5
"""Of 255; colours that differ by no more in red, green and blue look the same."""

ANY = "any"
"""The foreground of a pen for spaces, which show none."""


class Pen(NamedTuple):
    """Codes of SGR, without what is around them; empty is the terminal's own."""

    attributes: str = ""
    foreground: str = ""
    background: str = ""


PLAIN = Pen()


def pen_of(style: Style | None, colors: ColorSystem) -> Pen:
    """Give the pen of a style on a terminal with `colors`."""
    if style is None:
        return PLAIN
    attributes = ";".join(code for name, code in _ATTRIBUTES.items() if getattr(style, name))
    foreground, background = (
        _codes(color, colors, is_ink=is_ink) if color else ""
        for color, is_ink in ((style.color, True), (style.bgcolor, False))
    )
    return Pen(attributes, foreground, background)


def for_spaces(pen: Pen) -> Pen:
    """Give the pen for spaces that are to look as if written with `pen`."""
    return pen if pen.attributes else pen._replace(foreground=ANY)


def resolve(before: Pen, wanted: Pen) -> Pen:
    """Give the pen to write with, after `before`, where `wanted` may leave something open."""
    return wanted._replace(foreground=before.foreground) if wanted.foreground == ANY else wanted


def change(before: Pen, after: Pen) -> str:
    """Give what has the terminal write with `after`, where it wrote with `before`."""
    if before == after:
        return ""
    if after == PLAIN:
        return RESET
    if before.attributes != after.attributes:  # One by one they cannot be taken back on every terminal.
        return f"\x1b[{';'.join(['0', *filter(None, after)])}m"
    codes = []
    if before.foreground != after.foreground:
        codes.append(after.foreground or "39")
    if before.background != after.background:
        codes.append(after.background or "49")
    return f"\x1b[{';'.join(codes)}m"


def _codes(color: Color, colors: ColorSystem, *, is_ink: bool) -> str:
    color = color.downgrade(colors)
    if color.triplet and (number := _find_alike(color.triplet)):
        color = Color.from_ansi(number)
    return ";".join(color.get_ansi_codes(foreground=is_ink))


@lru_cache(1024)
def _find_alike(wanted: ColorTriplet) -> int | None:
    """Give which of the 256 colours of every terminal looks the same: its code is half as long."""
    grey = min(_GREY_COUNT - 1, max(0, round((wanted.green - _DARKEST_GREY) / _GREY_STEP)))
    level = _DARKEST_GREY + _GREY_STEP * grey
    if _look_alike(wanted, (level, level, level)):
        return _GREYS + grey
    red, green, blue = (bisect(_BETWEEN_LEVELS, value) for value in wanted)
    if _look_alike(wanted, (_CUBE_LEVELS[red], _CUBE_LEVELS[green], _CUBE_LEVELS[blue])):
        return _CUBE + 36 * red + 6 * green + blue
    return None


def _look_alike(one: Sequence[int], other: Sequence[int]) -> bool:
    return all(abs(a - b) <= _UNSEEN for a, b in zip(one, other, strict=True))
