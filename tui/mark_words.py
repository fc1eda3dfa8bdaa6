"""What stands at the curves for what happened to a run: a sign, which is the key that asks for it, and words."""

from engines.marks import Mark, What
from tui import formats

_SIGNS: dict[What, str] = {
    "rate up": "+",
    "rate down": "-",
    "pause": "p",
    "resume": "p",
    "checkpoint": "c",
    "epochs": "E",
    "attempt": "»",
    "missing": "!",
}


def sign_of(mark: Mark, *, ascii_only: bool) -> str:
    """Give the one character that stands for `mark`."""
    return ">" if ascii_only and mark.what == "attempt" else _SIGNS[mark.what]


def words_of(mark: Mark) -> str:
    """Say what happened, and who asked for it."""
    value = mark.value or 0
    words: dict[What, str] = {
        "rate up": f"learning rate {formats.number(value)}",
        "rate down": f"learning rate {formats.number(value)}",
        "pause": "paused",
        "resume": "resumed",
        "checkpoint": "checkpoint asked for",
        "epochs": f"{formats.number(value)} epoch{'s' * (value != 1)} more",
        "attempt": f"attempt {formats.number(value)} begins",
        "missing": "no finite loss",
    }
    return words[mark.what] + (f" ({mark.by})" if mark.by else "")
