"""Whatever happened to the newest checkpoint: training goes on from the furthest whole one, and says so."""

import json
import os
import pickle
import shutil

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_checkpoints import SPEC, edit_manifest, newest_file, progress_of, save, state_of

from engines import checkpoints
from engines.checkpoints import CheckpointStore
from engines.problems import CheckpointProblem


def truncate(saved):
    os.truncate(newest_file(saved), newest_file(saved).stat().st_size - 1)


def empty(saved):
    newest_file(saved).write_bytes(b"")


def lengthen(saved):
    with newest_file(saved).open("ab") as file:
        file.write(b"x")


def flip(saved):
    content = bytearray(newest_file(saved).read_bytes())
    content[-1] ^= 1
    newest_file(saved).write_bytes(content)


def lose_weights(saved):
    newest_file(saved).unlink()


def lose_manifest(saved):
    newest_file(saved, ".json").unlink()


def garble_manifest(saved):
    newest_file(saved, ".json").write_bytes(b"\x00\xff{]")


def nest_manifest(saved):
    newest_file(saved, ".json").write_bytes(b"[" * 50_000)


def empty_manifest(saved):
    newest_file(saved, ".json").write_bytes(b"")


def swell_manifest(saved):
    newest_file(saved, ".json").write_bytes(b" " * (1 << 20))


def make_folder(saved):
    path = newest_file(saved, ".json")
    path.unlink()
    path.mkdir()


def make_pipe(saved):
    path = newest_file(saved)
    path.unlink()
    os.mkfifo(path)


def link_weights(saved):
    path = newest_file(saved)
    shutil.move(path, saved._folder / "elsewhere")
    path.symlink_to(saved._folder / "elsewhere")


def link_manifest(saved):
    path = newest_file(saved, ".json")
    shutil.move(path, saved._folder / "elsewhere")
    path.symlink_to(saved._folder / "elsewhere")


def come_from_a_newer_version(saved):
    edit_manifest(saved, schema=99)


def be_of_another_model(saved):
    save(CheckpointStore(saved._folder.parent, msgspec.structs.replace(SPEC, model="lenet")), 2)


def change_progress(saved):
    manifest = json.loads(newest_file(saved, ".json").read_text())
    edit_manifest(saved, progress=manifest["progress"] | {"step": 44})


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("exploded",))


def put_a_pickle(saved):
    newest_file(saved).write_bytes(pickle.dumps(Bomb()))


def vouch_for_a_pickle(saved):
    """A pickle whose size and hash the manifest states rightly, as an attacker would see to."""
    bomb = pickle.dumps(Bomb())
    newest_file(saved).write_bytes(bomb)
    manifest = saved._read_manifest(saved.names()[0])
    vouching = msgspec.structs.replace(manifest, size=len(bomb), sha256=checkpoints.hashlib.sha256(bomb).hexdigest())
    sealed = msgspec.structs.replace(vouching, seal=checkpoints._seal_of(msgspec.json.encode(vouching)))
    newest_file(saved, ".json").write_bytes(msgspec.json.encode(sealed))


DAMAGES = [
    (truncate, "bytes"),
    (empty, "0 bytes"),
    (lengthen, "bytes"),
    (flip, "damaged"),
    (lose_weights, "cannot be read"),
    (lose_manifest, "no manifest"),
    (garble_manifest, "no manifest of ours"),
    (nest_manifest, "no manifest of ours"),
    (empty_manifest, "no manifest of ours"),
    (swell_manifest, "too large"),
    (make_folder, "not a regular file"),
    (make_pipe, "not a regular file"),
    (link_weights, "cannot be read"),
    (link_manifest, "cannot be read"),
    (come_from_a_newer_version, "newer version"),
    (be_of_another_model, "rehearsal lenet digits"),
    (change_progress, "damaged"),
    (put_a_pickle, "bytes"),
    (vouch_for_a_pickle, "no safetensors file"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES, ids=lambda value: getattr(value, "__name__", None))
def test_a_damaged_newest_checkpoint_is_passed_over_for_the_one_before_and_said_to_be(
    two, damage, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    damage(two)
    manifest, state, complaints = two.newest()
    assert manifest.epoch == 1
    np.testing.assert_array_equal(state["model/weight"], state_of(1)["model/weight"])
    assert len(complaints) == 1
    assert words in complaints[0]
    assert "last-00002-0000045" in complaints[0]
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(("damage", "words"), DAMAGES, ids=lambda value: getattr(value, "__name__", None))
def test_where_no_other_is_whole_that_is_a_problem_with_a_way_out(saved, damage, words):
    save(saved, 2)
    damage(saved)
    if damage is lose_manifest:
        assert saved.newest() is None  # It was never finished, so the run has not saved anything yet.
        return
    with pytest.raises(CheckpointProblem, match=words) as caught:
        saved.newest()
    assert caught.value.exit_code == 5
    assert caught.value.hint


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    saved = CheckpointStore(tmp_path_factory.mktemp("intact"), SPEC)
    save(saved, 2)
    return saved


@given(st.sampled_from([".json", ".safetensors"]), st.data())
def test_no_single_flipped_bit_is_ever_taken_for_what_was_saved(intact, suffix, data):
    path = newest_file(intact, suffix)
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) * 8 - 1))
    flipped = bytearray(content)
    flipped[at // 8] ^= 1 << at % 8
    try:
        path.write_bytes(flipped)
        manifest, state = intact.load("last-00002-0000045")
    except CheckpointProblem:
        return
    finally:
        path.write_bytes(content)
    # White space or a letter of a name in JSON may differ: what training goes on with may not.
    assert manifest.progress == progress_of(2)
    assert manifest.seal
    np.testing.assert_array_equal(state["model/weight"], state_of(2)["model/weight"])
