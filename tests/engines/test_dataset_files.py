"""Where datasets are looked for, what is offered where MNIST is not to be had, and the first look into a dataset."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import small_dataset
from lying_server import respond, serving
from small_dataset import CONTENTS, FILES, TRAIN_SIZE

from engines import dataset_files, mirrors
from engines.dataset_files import (
    TRAIN_IMAGES,
    TRAIN_LABELS,
    data_directory,
    default_dataset,
    find_files,
    locate,
    on_disk,
    peek,
)
from engines.mirrors import mirror_reachable
from engines.problems import DatasetProblem


@pytest.fixture
def data_dir(monkeypatch, tmp_path):
    return small_dataset.install(monkeypatch, tmp_path)


def test_the_data_directory_is_the_argument_else_the_variable_else_the_cache_folder(monkeypatch, data_dir):
    monkeypatch.setenv("MNIST_TUI_DATA_DIR", "/srv/data")
    assert data_directory("/mnt/sets") == Path("/mnt/sets")
    assert data_directory("~/sets") == Path.home() / "sets"
    assert data_directory("sets") == Path.cwd() / "sets"
    assert data_directory(None) == data_directory("") == Path("/srv/data")
    monkeypatch.delenv("MNIST_TUI_DATA_DIR")
    assert data_directory(None).name == "mnist-tui"
    assert data_directory(None).is_relative_to(Path.home())


@pytest.mark.parametrize(
    "folder",
    [
        "{data}/mnist",
        "{data}/MNIST/raw",
        "data/MNIST/raw",
        "~/.pytorch/datasets/mnist/MNIST/raw",
        "~/.pytorch/datasets/MNIST/raw",
        "~/.keras/datasets/mnist",
    ],
)
def test_files_of_this_program_torchvision_and_keras_are_found(data_dir, folder):
    place = Path(folder.format(data=data_dir)).expanduser()
    assert find_files("mnist", str(data_dir)) is None
    small_dataset.write(place)
    assert find_files("mnist", str(data_dir)) == {file.name: place / f"{file.name}.gz" for file in FILES}


def test_the_nearest_copy_is_taken_and_an_unpacked_one_before_a_packed_one(data_dir):
    far = Path.home() / ".pytorch/datasets/MNIST/raw"
    small_dataset.write(far)
    small_dataset.write(data_dir / "mnist", TRAIN_IMAGES)
    unpacked = data_dir / "mnist" / TRAIN_LABELS
    unpacked.write_bytes(CONTENTS[TRAIN_LABELS])
    found = locate("mnist", str(data_dir))
    assert found.pop(TRAIN_IMAGES) == data_dir / "mnist" / f"{TRAIN_IMAGES}.gz"
    assert found.pop(TRAIN_LABELS) == unpacked
    assert {path.parent for path in found.values()} == {far}


def test_the_archive_of_keras_is_found_and_can_be_looked_into(monkeypatch, data_dir, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    archive = tmp_path / "keras/datasets/mnist.npz"
    archive.parent.mkdir(parents=True)
    arrays = {
        key: np.frombuffer(CONTENTS[file.name][-file.size :], np.uint8).reshape(file.shape)
        for key, file in zip(("x_train", "y_train", "x_test", "y_test"), FILES, strict=True)
    }
    np.savez(archive, **arrays)
    assert set(locate("mnist", str(data_dir)).values()) == {archive}
    assert locate("fashion-mnist", str(data_dir)) == {}
    assert peek("mnist", str(data_dir), 3) == [(arrays["x_train"][at].tobytes(), at) for at in range(3)]


def test_three_of_four_files_are_located_but_are_no_dataset(data_dir):
    small_dataset.write(data_dir / "mnist", *[file.name for file in FILES[1:]])
    assert set(locate("mnist", str(data_dir))) == {file.name for file in FILES[1:]}
    assert not on_disk("mnist", str(data_dir))


@pytest.mark.timeout(20)
def test_what_lies_in_the_way_of_a_file_counts_as_the_file(data_dir):
    small_dataset.write(data_dir / "mnist", *[file.name for file in FILES[1:]])
    os.mkfifo(data_dir / "mnist" / TRAIN_IMAGES)
    assert on_disk("mnist", str(data_dir))
    with pytest.raises(DatasetProblem, match="not a regular file"):
        peek("mnist", str(data_dir), 1)


def test_digits_are_always_on_disk(data_dir):
    assert on_disk("digits", str(data_dir))


def test_an_unknown_dataset_is_a_problem_that_names_the_known_ones(data_dir):
    with pytest.raises(DatasetProblem, match="mnist, fashion-mnist, digits") as raised:
        locate("cifar\x1b[2J", str(data_dir))
    assert "\x1b" not in str(raised.value)


def test_mnist_is_the_default_where_it_is_on_disk(data_dir, monkeypatch):
    monkeypatch.setattr(dataset_files, "mirror_reachable", lambda _: pytest.fail("asked the network"))
    small_dataset.write(data_dir / "mnist")
    assert default_dataset(str(data_dir)) == ("mnist", "")


def test_mnist_is_the_default_where_a_mirror_has_it(data_dir, monkeypatch):
    with serving() as server:
        monkeypatch.setenv("MNIST_TUI_MIRROR", f"{server.address}/")
        assert default_dataset(str(data_dir)) == ("mnist", "")


def test_digits_are_the_default_elsewhere_and_it_says_why(data_dir, monkeypatch):
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:9")
    name, reason = default_dataset(str(data_dir))
    assert name == "digits"
    assert str(data_dir / "mnist") in reason
    assert "no mirror answers" in reason


def not_found(handler, _body):
    respond(handler, b"", status=404)


def no_http(handler, _body):
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


def silent(handler, _body):
    handler.server.closing.wait(20)


@pytest.mark.timeout(15)
@pytest.mark.parametrize("answer", [not_found, no_http, silent])
def test_a_mirror_without_the_dataset_does_not_count_as_reachable(monkeypatch, answer):
    with serving(answer) as server:
        monkeypatch.setenv("MNIST_TUI_MIRROR", server.address)
        assert not mirror_reachable("mnist", timeout=0.3)


def test_mirrors_that_refuse_one_after_the_other_are_waited_for_no_longer_in_all(monkeypatch):
    waits = []

    class Refusals:
        def put(self, _):
            pass

        def get(self, timeout):
            waits.append(timeout)
            return False

    clock = itertools.count()
    monkeypatch.setattr(mirrors, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(mirrors.queue, "SimpleQueue", Refusals)
    monkeypatch.setattr(mirrors, "mirrors", lambda _: ["no address"] * 3)
    assert not mirror_reachable("mnist", timeout=2)
    assert waits == [1, 0, 0]


def test_one_mirror_that_answers_is_enough(monkeypatch):
    with serving() as server:
        monkeypatch.setattr(mirrors, "mirrors", lambda _: ["http://127.0.0.1:9", server.address, "no address"])
        assert mirror_reachable("mnist")


@pytest.mark.parametrize("form", ["packed", "plain"])
def test_a_peek_gives_images_with_their_labels(data_dir, form):
    small_dataset.write(data_dir / "mnist")
    if form == "plain":
        (data_dir / "mnist" / TRAIN_IMAGES).write_bytes(CONTENTS[TRAIN_IMAGES])
    pixels = CONTENTS[TRAIN_IMAGES][16:]
    assert peek("mnist", str(data_dir), 2) == [(pixels[:784], 0), (pixels[784:1568], 1)]
    assert len(peek("mnist", str(data_dir), 50)) == TRAIN_SIZE


def test_a_peek_into_a_missing_or_damaged_dataset_is_a_problem(data_dir):
    with pytest.raises(DatasetProblem, match="not on this machine"):
        peek("mnist", str(data_dir), 1)
    small_dataset.write(data_dir / "mnist")
    damaged = data_dir / "mnist" / f"{TRAIN_LABELS}.gz"
    damaged.write_bytes(b"<html>no such page</html>")
    with pytest.raises(DatasetProblem, match="web page") as raised:
        peek("mnist", str(data_dir), 1)
    assert str(damaged) in raised.value.message


@pytest.mark.parametrize("present", [TRAIN_IMAGES, TRAIN_LABELS])
def test_a_peek_into_half_of_what_it_takes_is_a_problem(data_dir, present):
    small_dataset.write(data_dir / "mnist", present)
    with pytest.raises(DatasetProblem, match="not on this machine"):
        peek("mnist", str(data_dir), 1)


def test_a_peek_into_digits_gives_what_was_asked_for(data_dir):
    shown = peek("digits", str(data_dir), 3)
    assert [label for _, label in shown] == [0, 1, 2]
    assert all(len(image) == 784 for image, _ in shown)


def test_nothing_heavy_is_imported_to_look_for_datasets():
    code = "import sys; from engines.dataset_files import peek; peek('digits', None, 1); print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "sklearn", "pandas", "pooch", "requests", "urllib.request", "torch", "tensorflow", "keras"}
    assert "engines.dataset_files" in listed
    assert not heavy & set(listed)
