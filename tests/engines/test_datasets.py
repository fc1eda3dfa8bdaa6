"""A dataset is loaded whole and verified, or not at all."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import small_dataset
from lying_server import serving
from small_dataset import CONTENTS, FILES, PACKED, TEST_SIZE, TRAIN_SIZE

from engines.catalog import DATASETS
from engines.dataset_files import TEST_IMAGES, TEST_LABELS, TRAIN_LABELS, peek
from engines.datasets import load
from engines.problems import DatasetProblem

REAL_DATA = os.environ.get("MNIST_TUI_DATA_DIR")


def ignore(_done, _total, _unit):
    pass


@pytest.fixture
def data_dir(monkeypatch, tmp_path):
    folder = small_dataset.install(monkeypatch, tmp_path)
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:9")
    return folder


def test_the_files_become_arrays_that_can_be_written_to(data_dir):
    small_dataset.write(data_dir / "mnist")
    data = load("mnist", str(data_dir), ignore)
    assert data.train_images.shape == (TRAIN_SIZE, 28, 28)
    assert data.test_images.shape == (TEST_SIZE, 28, 28)
    assert data.test_images.tobytes() == CONTENTS[TEST_IMAGES][16:]
    assert data.train_labels.tobytes() == CONTENTS[TRAIN_LABELS][8:]
    assert data.test_labels.tolist() == list(range(9, -1, -1))
    for array in (data.train_images, data.train_labels, data.test_images, data.test_labels):
        assert array.dtype == np.uint8
        assert array.flags.writeable


def test_progress_goes_from_the_first_byte_to_the_last(data_dir):
    small_dataset.write(data_dir / "mnist")
    seen = []
    load("mnist", str(data_dir), lambda *progress: seen.append(progress))
    size = sum(file.size for file in FILES)
    assert [done for done, _, _ in seen] == sorted({done for done, _, _ in seen})
    assert seen[-1] == (size, size, "bytes")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PACKED[TRAIN_LABELS][:-9], "cut short"),
        (b"<!doctype html>", "web page"),
        (b"", "empty"),
        (CONTENTS[TEST_LABELS], "wrong count: 10, expected 20"),
        (CONTENTS[TRAIN_LABELS][:-1] + b"\xff", "the label 255"),
        (CONTENTS[TRAIN_LABELS][:-1] + b"\x01", "MD5"),
    ],
    ids=["cut", "web page", "empty", "count", "label", "changed"],
)
def test_a_wrong_file_is_named_and_neither_used_nor_replaced(data_dir, content, words):
    small_dataset.write(data_dir / "mnist")
    path = data_dir / "mnist" / f"{TRAIN_LABELS}.gz"
    path.write_bytes(content)
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_TUI_MIRROR", server.address)
        with pytest.raises(DatasetProblem, match=words) as raised:
            load("mnist", str(data_dir), ignore)
        assert server.requested == []
    assert raised.value.exit_code == 4
    assert str(path) in raised.value.message
    assert "Delete it" in raised.value.hint
    assert path.read_bytes() == content


def test_only_the_missing_file_is_downloaded(data_dir, monkeypatch):
    small_dataset.write(data_dir / "mnist", *[name for name in PACKED if name != TEST_LABELS])
    with serving() as server:
        monkeypatch.setenv("MNIST_TUI_MIRROR", server.address)
        data = load("mnist", str(data_dir), ignore)
        assert server.requested == [f"{TEST_LABELS}.gz"]
        assert load("mnist", str(data_dir), ignore).test_labels.tolist() == data.test_labels.tolist()
        assert len(server.requested) == 1


def test_a_missing_dataset_that_cannot_be_had_is_a_problem_that_says_what_to_do(data_dir):
    with pytest.raises(DatasetProblem, match=r"127\.0\.0\.1:9 cannot be reached") as raised:
        load("mnist", str(data_dir), ignore)
    assert str(data_dir / "mnist") in raised.value.hint
    assert "-d digits" in raised.value.hint


def test_a_caller_may_break_off(data_dir):
    def break_off(_done, _total, _unit):
        raise KeyboardInterrupt

    small_dataset.write(data_dir / "mnist")
    with pytest.raises(KeyboardInterrupt):
        load("mnist", str(data_dir), break_off)


def test_digits_load_without_a_network_and_are_what_a_peek_shows(data_dir):
    data = load("digits", str(data_dir), ignore)
    assert len(data.train_images) == len(data.train_labels) == 1_437
    assert len(data.test_images) == len(data.test_labels) == 360
    assert data.train_images.flags.writeable
    assert set(data.train_labels.tolist()) == set(data.test_labels.tolist()) == set(range(10))
    shown = peek("digits", None, 1_797)
    assert data.train_images.tobytes() + data.test_images.tobytes() == b"".join(image for image, _ in shown)
    assert [*data.train_labels, *data.test_labels] == [label for _, label in shown]


@pytest.fixture(params=["mnist", "fashion-mnist"])
def real_dataset(request):
    if REAL_DATA is None or not Path(REAL_DATA, request.param).is_dir():
        pytest.skip(f"MNIST_TUI_DATA_DIR has no {request.param}")
    return request.param


def test_the_real_datasets_load_as_published(real_dataset):
    data = load(real_dataset, REAL_DATA, ignore)
    assert len(data.train_images) == DATASETS[real_dataset].train_size
    assert len(data.test_images) == DATASETS[real_dataset].test_size
    # MNIST's classes differ in size; Fashion-MNIST's are equal.
    counts = {"mnist": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], "fashion-mnist": [1_000] * 10}
    assert np.bincount(data.test_labels).tolist() == counts[real_dataset]
    shown = peek(real_dataset, REAL_DATA, 20)
    assert b"".join(image for image, _ in shown) == data.train_images[:20].tobytes()
    assert [label for _, label in shown] == data.train_labels[:20].tolist()


def test_one_changed_pixel_of_the_real_images_is_noticed(real_dataset, tmp_path):
    folder = tmp_path / real_dataset
    folder.mkdir()
    for path in Path(REAL_DATA, real_dataset).iterdir():
        (folder / path.name).symlink_to(path.absolute())
    content = bytearray(gzip.decompress((folder / f"{TEST_IMAGES}.gz").read_bytes()))
    content[5_000_000] ^= 1
    (folder / TEST_IMAGES).write_bytes(content)
    with pytest.raises(DatasetProblem, match=f"{TEST_IMAGES} is not the official file"):
        load(real_dataset, str(tmp_path), ignore)
