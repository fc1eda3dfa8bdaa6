"""The embedded digits are scikit-learn's own, brought to 28x28, and a damaged copy is said to be one."""

import gzip

import numpy as np
import pytest

from engines import digits
from engines.digits import enlarge, find_file, read_digits
from engines.problems import DatasetProblem

LINE = b",".join([b"16"] * 64) + b",7\n"


def test_every_digit_is_scikit_learns_in_order():
    table = np.loadtxt(find_file(), delimiter=",", dtype=int)
    images, labels = zip(*read_digits(), strict=True)
    assert list(labels) == table[:, -1].tolist()
    enlarged = np.frombuffer(b"".join(images), np.uint8).reshape(-1, 28, 28)
    # Every third pixel lies on one of the original's.
    centres = enlarged[:, 3:26:3, 3:26:3].reshape(-1, 64)
    assert np.abs(centres - table[:, :-1] * 255 / 16).max() <= 0.5


def test_an_image_is_interpolated_between_its_pixels():
    values = np.random.default_rng(0).integers(0, 17, (8, 8))
    at = (np.arange(24) - 1) / 3
    wide = np.array([np.interp(at, range(8), row) for row in values])
    tall = np.array([np.interp(at, range(8), column) for column in wide.T]).T
    expected = np.pad(tall * 255 / 16, 2)
    image = np.frombuffer(enlarge(values.ravel().tolist()), np.uint8).reshape(28, 28)
    assert np.abs(image - expected).max() <= 0.5 + 1e-9


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(digits, "find_spec", lambda _: None)
    with pytest.raises(DatasetProblem, match="pip install scikit-learn"):
        next(read_digits())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(LINE * 1_797)[:-20], "cannot be read"),
        (gzip.compress(LINE * 5), "5 images, expected 1,797"),
        (gzip.compress(LINE * 3 + b"1,2,3\n"), "line 4 cannot be read"),
        (gzip.compress(LINE.replace(b"16", b"17")), "line 1 cannot be read"),
        (gzip.compress(LINE.replace(b"7", b"10")), "line 1 cannot be read"),
        (gzip.compress(b"1" * 1_000_000), "line 1 cannot be read"),
        (b"<html>", "cannot be read"),
        (b"", "0 images"),
    ],
    ids=["cut", "too few", "short line", "value", "label", "endless line", "no gzip", "empty"],
)
def test_a_damaged_file_is_a_problem_that_names_it(monkeypatch, tmp_path, content, words):
    path = tmp_path / "digits.csv.gz"
    path.write_bytes(content)
    monkeypatch.setattr(digits, "find_file", lambda: path)
    with pytest.raises(DatasetProblem, match=words) as raised:
        list(read_digits())
    assert str(path) in raised.value.message
    assert "reinstall" in raised.value.hint
