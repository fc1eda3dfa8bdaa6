"""What an option may be given: readers of one value, each of which says in words what it takes when it refuses."""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import NoReturn

import click

from engines.folders import named_folder
from engines.models import MODELS, TORCHVISION, find_model
from engines.torchvision_names import TORCHVISION_NAMES

_LONGEST_SECONDS = 366 * 86_400


def one_of(shown: Sequence[str], hidden: Sequence[str] = ()) -> Callable[[str], str]:
    """Make a reader of one of these names; those that are `hidden` are taken and never spoken of."""

    def read(text: str) -> str:
        return text if text in (*shown, *hidden) else refuse(f"one of {', '.join(shown)}", text, shown)

    return read


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Make a reader of a whole number in `low`..`high`."""

    def read(text: str) -> int:
        rule = f"a whole number from {low} to {high}"
        try:
            number = int(text)
        except ValueError:
            refuse(rule, text)
        return number if low <= number <= high else refuse(rule, text)

    return read


def positive_number(text: str) -> float:
    """Read a finite number above 0."""
    number = _number(text)
    return number if isfinite(number) and number > 0 else refuse("a number above 0", text)


def fraction(text: str) -> float:
    """Read a number in 0..1."""
    number = _number(text)
    return number if 0 <= number <= 1 else refuse("a number from 0 to 1", text)


def seconds(text: str) -> float:
    """Read a time above 0: seconds, `90` or `60s`, and with minutes and hours, `2m`, `1m30s`, `1h`."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?|\.\d+)s?)?", text, re.ASCII)
    hours, minutes, rest = (float(number or 0) for number in found.groups()) if found else (0.0, 0.0, 0.0)
    total = 3600 * hours + 60 * minutes + rest
    return total if 0 < total <= _LONGEST_SECONDS else refuse("a time such as 90, 60s, 2m or 1m30s", text)


def replay_speed(text: str) -> float:
    """Read a speed from 1 to 100, such as `20` or `20x`."""
    number = _number(text.removesuffix("x"))
    return number if 1 <= number <= 100 else refuse("a speed from 1x to 100x", text)


def number(low: float, below: float) -> Callable[[str], float]:
    """Make a reader of a number from `low` to just `below`."""

    def read(text: str) -> float:
        value = _number(text)
        rule = f"a number from {low:g}" + (f" to below {below:g}" if isfinite(below) else "")
        return value if low <= value < below else refuse(rule, text)

    return read


def model(text: str) -> str:
    """Read the name of a model: one of ours, or `torchvision:NAME`."""
    if find_model(text):
        return text
    offered = [f"{TORCHVISION}{name}" for name in TORCHVISION_NAMES] if text.startswith("torchvision") else []
    return refuse(f"one of {', '.join(MODELS)}, {TORCHVISION}NAME", text, [*MODELS, *offered])


def matching(pattern: str, rule: str) -> Callable[[str], str]:
    """Make a reader of what matches `pattern`, which `rule` says in words."""

    def read(text: str) -> str:
        return text if re.fullmatch(pattern, text, re.ASCII) else refuse(rule, text)

    return read


def folder(text: str) -> Path:
    """Read a folder's name, as an absolute path; it need not exist."""
    return named_folder(text) if text else refuse("a folder", text)


def refuse(rule: str, text: str, names: Sequence[str] = ()) -> NoReturn:
    """Refuse `text` where an option takes what `rule` says; the nearest of `names` is suggested."""
    near = get_close_matches(text, names, 3)
    guess = f"; did you mean {' or '.join(near)}?" if near else "."
    raise click.BadParameter(f"takes {rule}, not {text[:80]!r}{guess}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
