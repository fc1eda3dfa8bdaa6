"""An ASCII stand-in, of the same width, for each glyph that a screen draws: what a terminal without UTF-8 is shown."""

import codecs
from unicodedata import east_asian_width

ERRORS = "mnist-tui-ascii"
"""The name of the error handler, for `open(..., errors=ERRORS)`."""

_STAND_INS = str.maketrans(
    {
        **dict.fromkeys("─━═╌╍┄┅┈┉╴╶╸╺╼╾▔–—―−", "-"),  # noqa: RUF001 - these are what is replaced
        **dict.fromkeys("│┃║‖╎╏┆┇┊┋╵╷╹╻╽╿▏▎▍▌▐▕", "|"),
        **dict.fromkeys("▁▂▃▄▖▗", "_"),
        **dict.fromkeys("▀▘▝", '"'),
        **dict.fromkeys("█▉▊▋▅▆▇▓▙▛▜▟■", "#"),
        **dict.fromkeys("▒▚▞", "%"),
        **dict.fromkeys("░·∙", "."),
        **dict.fromkeys("←◀◂◄«", "<"),
        **dict.fromkeys("→▶▸►»", ">"),
        **dict.fromkeys("↑▲▴", "^"),
        **dict.fromkeys("↓▼▾✓✔", "v"),
        **dict.fromkeys("•●◉◆★", "*"),
        **dict.fromkeys("○◌◯◇°", "o"),
        **dict.fromkeys("×✗✘", "x"),  # noqa: RUF001
        **dict.fromkeys("‘’", "'"),  # noqa: RUF001
        **dict.fromkeys("“”", '"'),
        "…": ".",
        "\u00a0": " ",
    }
)


def register() -> None:
    """Make the error handler `ERRORS` known; characters without a stand-in become `?`."""
    codecs.register_error(ERRORS, _replace)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(stand_in, error.object[error.start : error.end])), error.end


def stand_in(character: str) -> str:
    """Give the ASCII that is as wide as `character` and looks most like it."""
    if character.isascii():
        return character
    code = ord(character)
    if 0x2800 <= code <= 0x28FF:  # Braille: as dark as it has dots.
        dots = (code - 0x2800).bit_count()
        return " " if not dots else "." if dots <= 2 else ":" if dots <= 5 else "#"
    if 0x2500 <= code <= 0x257F and code not in _STAND_INS:  # Corners and crossings of boxes.
        return "+"
    found = _STAND_INS.get(code, "?")
    return found * 2 if east_asian_width(character) in "WF" else found
