"""Checkpoints that are damaged between two attempts: the newest whole one is taken, and it is said what was not."""

import json
import os
import pickle
import shutil
from pathlib import Path

import aftermath
import mishaps
import pytest
import real_worker
from held_training import held

from engines import launch
from engines.events import Log, RunStarted
from engines.problems import CheckpointProblem


def cut(weights, _):
    os.truncate(weights, weights.stat().st_size // 2)


def empty(weights, _):
    os.truncate(weights, 0)


def flip(weights, _):
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)


def remove(weights, _):
    weights.unlink()


def replace_by_a_pickle(weights, _):
    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {weights.parent / 'sprung'}",)

    weights.write_bytes(pickle.dumps(Trap()))


def replace_by_a_pipe(weights, _):
    weights.unlink()
    os.mkfifo(weights)


def replace_by_a_folder(weights, _):
    weights.unlink()
    weights.mkdir()


def cut_the_manifest(_, manifest):
    os.truncate(manifest, 100)


def nest_the_manifest(_, manifest):
    manifest.write_bytes(b"[" * 60_000)


def replace_the_manifest_by_a_folder(_, manifest):
    manifest.unlink()
    manifest.mkdir()


def _rewrite(manifest, **changes):
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))


def point_outside(_, manifest):
    _rewrite(manifest, path="../../../../etc/passwd", size=Path("/etc/passwd").stat().st_size)


def come_from_a_newer_version(_, manifest):
    _rewrite(manifest, schema=2)


def be_of_another_model(_, manifest):
    _rewrite(manifest, model="lenet")


def claim_to_be_further(_, manifest):
    _rewrite(manifest, epoch=6, progress={"epoch": 6, "step": 45, "lr": 0.001})


DAMAGES = [
    cut,
    empty,
    flip,
    remove,
    replace_by_a_pickle,
    replace_by_a_pipe,
    replace_by_a_folder,
    cut_the_manifest,
    nest_the_manifest,
    replace_the_manifest_by_a_folder,
    point_outside,
    come_from_a_newer_version,
    be_of_another_model,
    claim_to_be_further,
]


def damage_furthest(directory, damage):
    """Damage all checkpoints of the furthest epoch; gives that epoch."""
    folder = directory / "checkpoints"
    furthest = max(path.stem.split("-")[1] for path in folder.glob("*.json"))
    for manifest in list(folder.glob(f"*-{furthest}-*.json")):
        damage(manifest.with_suffix(".safetensors"), manifest)
    return int(furthest)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_run_whose_newest_checkpoint_is_damaged_goes_on_from_the_one_before(crashed, uninterrupted, damage):
    furthest = damage_furthest(crashed, damage)
    ended = real_worker.go_on(crashed)
    assert ended.exit_code == 0
    (begun,) = (event for event in ended.events if isinstance(event, RunStarted))
    assert begun.epochs_done == furthest - 1
    warned = [event.message for event in ended.events if isinstance(event, Log) and event.level == "warning"]
    assert any(f"{furthest:05d}" in message and "passed over" in message for message in warned)
    assert not list(crashed.rglob("sprung"))
    aftermath.check(crashed, "completed", goes_on=False)
    aftermath.check_curve(crashed)
    assert aftermath.learned(crashed) == aftermath.learned(uninterrupted)


@pytest.mark.parametrize("damage", [cut, flip, be_of_another_model], ids=lambda damage: damage.__name__)
def test_a_run_whose_every_checkpoint_is_damaged_is_refused_and_left_as_it_is(crashed, damage):
    for manifest in (crashed / "checkpoints").glob("*.json"):
        damage(manifest.with_suffix(".safetensors"), manifest)
    before = {path: path.read_bytes() for path in crashed.rglob("*") if path.is_file()}
    with pytest.raises(CheckpointProblem) as refused:
        launch.go_on(crashed)
    aftermath.check_words(str(refused.value))
    assert {path: path.read_bytes() for path in crashed.rglob("*") if path.is_file()} == before
    aftermath.check_listed(crashed, "crashed")


def test_what_has_no_manifest_is_no_checkpoint_and_is_never_deleted(crashed):
    folder = crashed / "checkpoints"
    orphans = [folder / "last-00009-0000045.safetensors", folder / "last-00000-0000001.safetensors"]
    for orphan in orphans:
        orphan.write_bytes(b"unfinished")
    aftermath.check(crashed, "crashed")
    assert all(orphan.read_bytes() == b"unfinished" for orphan in orphans)


def test_a_checkpoint_damaged_while_its_run_trains_costs_nothing(store):
    with held(3) as hold:
        worker = mishaps.start(store)
        hold.wait(3)
        for weights in (worker.run_directory / "checkpoints").glob("*.safetensors"):
            weights.write_bytes(b"damaged")
    assert real_worker.ended(worker).exit_code == 0
    aftermath.check_listed(worker.run_directory, "completed")
    aftermath.check_curve(worker.run_directory)


def test_checkpoints_removed_while_their_run_trains_are_made_anew(store):
    with held(3) as hold:
        worker = mishaps.start(store)
        hold.wait(3)
        shutil.rmtree(worker.run_directory / "checkpoints")
    assert real_worker.ended(worker).exit_code == 0
    aftermath.check(worker.run_directory, "completed", goes_on=False)
