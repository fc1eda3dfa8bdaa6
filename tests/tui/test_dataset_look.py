import gzip
import os

import pytest
import small_dataset

import tui.dataset_look
from engines.dataset_files import TRAIN_IMAGES
from tui.dataset_look import look_at


@pytest.fixture
def folder(monkeypatch, tmp_path):
    return small_dataset.install(monkeypatch, tmp_path)


@pytest.fixture
def network(monkeypatch):
    """Whether a mirror answers, for the test to say."""
    answers = {"reachable": False}
    monkeypatch.setattr(tui.dataset_look, "mirror_reachable", lambda _dataset: answers["reachable"])
    return answers


def write_files(folder):
    (folder / "mnist").mkdir(parents=True)
    for name, content in small_dataset.PACKED.items():
        (folder / "mnist" / f"{name}.gz").write_bytes(content)


def test_what_is_on_disk_is_shown_with_its_first_images(folder):
    write_files(folder)
    look = look_at("mnist", str(folder), 3)
    assert look.state == "here"
    assert look.summary == f"on disk in {folder / 'mnist'}"
    assert [label for _, label in look.images] == [0, 1, 2]
    assert {len(image) for image, _ in look.images} == {784}


def test_a_folder_whose_name_commands_a_terminal_is_named_without_that(folder):
    write_files(folder / "x\x1b[31m")
    assert look_at("mnist", str(folder / "x\x1b[31m"), 1).summary == f"on disk in {folder / 'x' / 'mnist'}"


def test_files_that_vanish_between_two_looks_are_said_to_be_missing(folder, monkeypatch):
    write_files(folder)
    looks = iter([True] * 4)
    monkeypatch.setattr(os.path, "lexists", lambda _: next(looks, False))
    look = look_at("mnist", str(folder), 3)
    assert not look.is_trainable
    assert "not on this machine" in look.summary


def test_the_digits_need_nothing():
    look = look_at("digits", None, 5)
    assert (look.state, look.summary, len(look.images)) == ("here", "part of scikit-learn", 5)


@pytest.mark.parametrize(("reachable", "state"), [(True, "fetchable"), (False, "unreachable")])
def test_what_is_not_on_disk_says_whether_it_can_be_fetched(folder, network, reachable, state):
    network["reachable"] = reachable
    look = look_at("mnist", str(folder), 3)
    assert (look.state, look.is_trainable, look.images) == (state, reachable, ())
    assert look.summary == (
        "not on disk yet: the run downloads it first" if reachable else "MNIST is neither on disk nor reachable"
    )


def test_a_damaged_file_is_named_with_what_to_do(folder):
    write_files(folder)
    path = folder / "mnist" / f"{TRAIN_IMAGES}.gz"
    path.write_bytes(gzip.compress(b"<html>not found</html>"))
    look = look_at("mnist", str(folder), 3)
    assert (look.state, look.is_trainable) == ("damaged", False)
    assert str(path) in look.summary
    assert "Delete it" in look.summary
