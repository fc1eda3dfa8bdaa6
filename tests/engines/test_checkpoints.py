"""Checkpoints as they are written, kept and found again, also where a disk or a kill comes between."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from small_checkpoints import newest_file, progress_of, save, state_of

from engines import checkpoints
from engines.checkpoints import KEPT, Progress
from engines.problems import CheckpointProblem


def files(saved, suffix=""):
    return sorted(path.name for path in saved._folder.glob(f"*{suffix}"))


def test_a_checkpoint_comes_back_as_it_was_saved(saved):
    path = save(saved, 3, step=17)
    assert path == "checkpoints/last-00003-0000017.safetensors"
    manifest, state, complaints = saved.newest()
    assert (manifest.kind, manifest.epoch, manifest.step, complaints) == ("last", 3, 17, [])
    assert manifest.progress == progress_of(3, 17)
    for name, array in state_of(3).items():
        np.testing.assert_array_equal(state[name], array, strict=True)


def test_a_rate_given_as_a_whole_number_is_no_damage(saved):
    saved.save("last", Progress(lr=1), state_of(1))
    assert saved.newest()[0].progress.lr == 1.0


def test_a_run_without_checkpoints_has_none_and_no_complaint(saved):
    assert saved.newest() is None


def test_what_is_on_disk_is_private(two, tmp_path):
    assert {path.stat().st_mode & 0o777 for path in two._folder.iterdir()} == {0o600}
    assert two._folder.stat().st_mode & 0o777 == 0o700


def test_only_so_many_of_a_kind_are_kept_and_no_temporaries(saved):
    for epoch in range(1, 7):
        save(saved, epoch, "best")
        save(saved, epoch)
    assert files(saved, ".json") == ["best-00006-0000045.json", "last-00005-0000045.json", "last-00006-0000045.json"]
    assert files(saved, ".safetensors") == [name.replace("json", "safetensors") for name in files(saved, ".json")]
    assert len(files(saved)) == 2 * sum(KEPT.values())
    assert not list(saved._folder.glob(".*"))


def test_the_furthest_is_the_newest_whatever_its_kind(saved):
    save(saved, 1)
    save(saved, 2, "best")
    assert saved.newest()[0].kind == "best"
    save(saved, 2)
    assert saved.newest()[0].kind == "last"
    save(saved, 3, step=1)
    assert (saved.newest()[0].epoch, saved.newest()[0].step) == (3, 1)
    assert saved.names() == ["last-00003-0000001", "last-00002-0000045", "best-00002-0000045"]


def test_epochs_with_a_digit_more_are_further_than_those_before(saved):
    save(saved, 20_000, "best")
    for epoch in (99_998, 99_999, 100_000):
        save(saved, epoch)
    assert saved.newest()[0].epoch == 100_000
    assert saved.names() == ["last-100000-0000045", "last-99999-0000045", "best-20000-0000045"]


def test_what_stands_in_the_place_of_the_folder_is_no_folder_of_this_runs(two, tmp_path):
    kept = tmp_path / "kept"
    two._folder.rename(kept)
    for put in (lambda: two._folder.symlink_to(kept), lambda: two._folder.write_bytes(b"")):
        put()
        with pytest.raises(CheckpointProblem, match="is no folder of this run's"):
            two.newest()
        two._folder.unlink()


def test_only_temporary_files_are_removed_and_none_behind_a_link(two, tmp_path):
    folder = two._folder
    for place in (folder, folder.parent):
        (place / ".tmp-1").write_bytes(b"")
        (place / ".tmp-folder").mkdir()
    before = set(files(two))
    two.remove_temporaries()
    assert set(files(two)) == before - {".tmp-1"}
    assert not (folder.parent / ".tmp-1").exists()
    assert (folder.parent / ".tmp-folder").is_dir()
    folder.rename(tmp_path / "kept")
    folder.symlink_to(tmp_path / "kept")
    (tmp_path / "kept" / ".tmp-2").write_bytes(b"")
    two.remove_temporaries()
    assert (tmp_path / "kept" / ".tmp-2").exists()


def test_what_is_saved_after_a_fall_back_is_kept_and_is_the_newest(saved):
    for epoch in (1, 2, 3):
        save(saved, epoch, "best")
        save(saved, epoch)
    for name in ("last-00003-0000045", "last-00002-0000045", "best-00003-0000045"):
        (saved._folder / f"{name}.safetensors").write_bytes(b"")
    save(saved, 1, step=45)
    save(saved, 2, step=10)
    assert [name for name in saved.names() if name.startswith("last")] == ["last-00002-0000010", "last-00001-0000045"]
    manifest, _, _ = saved.newest()
    assert (manifest.epoch, manifest.step) == (2, 10)


@pytest.mark.parametrize("at", ["safetensors", "json"])
def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before_whole(two, monkeypatch, at):
    class Killed(BaseException):
        pass

    real = checkpoints.write_atomically

    def killed_at(path, data, **how):
        if path.suffix == f".{at}":
            (path.parent / f".tmp-00000000-{path.name}.part").write_bytes(data[: len(data) // 2])
            raise Killed
        real(path, data, **how)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_atomically", killed_at)
        with pytest.raises(Killed):
            save(two, 3)
    assert two.newest()[0].epoch == 2
    two.remove_temporaries()
    assert not list(two._folder.glob(".*"))
    save(two, 3)
    assert two.newest()[0].epoch == 3


def test_saving_again_under_the_same_name_is_never_vouched_for_by_the_old_manifest(two, monkeypatch):
    def refuse(path, data, **_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_atomically", refuse)
    with pytest.raises(OSError, match="No space"):
        save(two, 2)
    assert two.newest()[0].epoch == 1


def test_a_disk_that_refuses_leaves_no_temporary_and_all_that_was_there(two, monkeypatch):
    real_fsync = os.fsync

    def refuse(fd):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="No space"):
            save(two, 3)
    assert os.fsync is real_fsync
    assert not list(two._folder.glob(".*"))
    assert two.newest()[0].epoch == 2


def test_files_are_synced_before_they_are_renamed_and_the_folder_after(two, monkeypatch):
    happened = []
    real_replace = os.replace

    def note_sync(fd):
        happened.append("sync " + Path(f"/proc/self/fd/{fd}").readlink().name.split("-last-")[-1].removesuffix(".part"))

    def note_rename(source, to, **folders):
        happened.append(f"rename {to.removeprefix('last-')}")
        real_replace(source, to, **folders)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_rename)
    save(two, 3)
    assert happened[:6] == [
        "sync 00003-0000045.safetensors",
        "rename 00003-0000045.safetensors",
        "sync checkpoints",
        "sync 00003-0000045.json",
        "rename 00003-0000045.json",
        "sync checkpoints",
    ]


def test_a_file_without_a_manifest_is_never_deleted(saved):
    stray = saved._folder / "last-00001-0000001.safetensors"
    saved._folder.mkdir()
    stray.write_bytes(b"somebody's own")
    for epoch in range(1, 5):
        save(saved, epoch)
    assert stray.read_bytes() == b"somebody's own"


@pytest.mark.parametrize("change", [{"drop": "best_epoch"}, {"add": "later_field"}], ids=["fewer", "more"])
def test_a_manifest_of_a_version_that_knew_of_other_fields_is_whole(saved, change):
    save(saved, 1)
    path = newest_file(saved, ".json")
    fields = json.loads(path.read_bytes())
    fields["progress"].pop(change.get("drop"), None)
    fields["progress"] |= {change["add"]: 1.5} if "add" in change else {}
    fields["seal"] = checkpoints._seal_of(json.dumps(fields).encode())
    path.write_text(json.dumps(fields))
    manifest, _ = saved.load(path.stem)
    assert manifest.progress.epoch == fields["progress"]["epoch"]


@pytest.mark.parametrize("moment", ["weights", "manifest", "after"])
def test_a_link_that_takes_the_folders_place_in_the_middle_is_not_written_or_removed_through(
    two, tmp_path, monkeypatch, moment
):
    elsewhere = Path(shutil.copytree(two._folder, tmp_path / "elsewhere"))
    before = {path.name: path.read_bytes() for path in elsewhere.iterdir()}
    real = checkpoints.write_atomically
    suffix = ".safetensors" if moment == "weights" else ".json"

    def swap():
        two._folder.rename(tmp_path / "moved")
        two._folder.symlink_to(elsewhere)

    def write(path, data, **how):
        if path.suffix == suffix and moment != "after":
            swap()
        real(path, data, **how)
        if path.suffix == suffix and moment == "after":
            swap()

    monkeypatch.setattr(checkpoints, "write_atomically", write)
    with suppress(OSError):
        save(two, 3)
    assert two._folder.is_symlink()
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == before
