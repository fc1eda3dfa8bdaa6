"""How a cell is coloured, in the terminal's own codes, and the shortest way from one pen to another."""

from typing import NamedTuple

from rich.color import ColorSystem
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
        ";".join(color.downgrade(colors).get_ansi_codes(foreground=is_ink)) if color else ""
        for color, is_ink in ((style.color, True), (style.bgcolor, False))
    )
    return Pen(attributes, foreground, background)


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
