"""The embedded dataset: scikit-learn's 1,797 handwritten digits of 8x8, brought to 28x28."""

import gzip
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from engines.problems import DatasetProblem

IMAGE_COUNT = 1_797
_SIDE = 8
_SCALE = 3
_BORDER = 2
_DARKEST = 16
# A line has at most 64 values of two digits and a label; a longer one is not from this file.
_LONGEST_LINE = 256

# Interpolating by thirds along both axes multiplies by 9, so a sum of 0..144 becomes a grey level of 0..255.
_GREY_LEVELS = bytes(min(255, (total * 255 + 72) // 144) for total in range(256))
_BLANK_ROWS = bytes(_BORDER * (_SIDE * _SCALE + 2 * _BORDER))
_MARGIN = bytes(_BORDER)


def find_file() -> Path | None:
    """Find the file that scikit-learn brings along, or None.

    It is read where it lies: importing scikit-learn for it would cost 0.9 s and 111 MB.
    """
    package = find_spec("sklearn")
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder, "datasets", "data", "digits.csv.gz")
        if path.is_file():
            return path
    return None


def read_digits() -> Iterator[tuple[bytes, int]]:
    """Yield each image (784 bytes, 28x28, 255 is full ink) with its label, in the file's order.

    Raises `DatasetProblem` where the file is missing or not what it should be.
    """
    path = find_file()
    if path is None:
        raise DatasetProblem(
            "The digits come with scikit-learn, which is not installed.", "Install it: pip install scikit-learn"
        )
    count = 0
    try:
        with gzip.open(path) as lines:
            while count < IMAGE_COUNT and (line := lines.readline(_LONGEST_LINE)):
                yield _parse(line)
                count += 1
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise _damaged(path, f"line {count + 1} cannot be read") from error
    if count < IMAGE_COUNT:
        raise _damaged(path, f"it has {count:,} images, expected {IMAGE_COUNT:,}")


def _damaged(path: Path, reason: str) -> DatasetProblem:
    return DatasetProblem(
        f"{path} is damaged: {reason}.", "Install it again: pip install --force-reinstall scikit-learn"
    )


def _parse(line: bytes) -> tuple[bytes, int]:
    values = [int(field) for field in line.split(b",")]
    if len(values) != _SIDE * _SIDE + 1 or min(values) < 0 or max(values) > _DARKEST or values[-1] > 9:
        raise ValueError("not a line of the digits")
    return enlarge(values[:-1]), values[-1]


def enlarge(values: list[int]) -> bytes:
    """Bring 8x8 values of 0..16 to 28x28 grey levels: bilinear, three times as large, with a border of two pixels."""
    rows = [bytes(_interpolate(values[at : at + _SIDE])) for at in range(0, len(values), _SIDE)]
    # A row is interpolated as one number: each pixel is a byte of it, and no sum passes 144.
    tall = _interpolate([int.from_bytes(row, "big") for row in rows])
    width = _SIDE * _SCALE
    body = b"".join(_MARGIN + row.to_bytes(width, "big").translate(_GREY_LEVELS) + _MARGIN for row in tall)
    return _BLANK_ROWS + body + _BLANK_ROWS


def _interpolate(samples: list[int]) -> list[int]:
    """Give three values for each sample, in thirds: towards the one before, itself, towards the one after."""
    before = [samples[0], *samples[:-1]]
    after = [*samples[1:], samples[-1]]
    return [third for a, b, c in zip(before, samples, after, strict=True) for third in (a + 2 * b, 3 * b, 2 * b + c)]
