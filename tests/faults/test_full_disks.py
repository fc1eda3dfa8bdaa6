"""Disks that are full, for a while or for good: training goes on, and what can be told is told once there is room."""

import os
import resource
import subprocess

import aftermath
import mishaps
import pytest
import real_worker
from command_line import COMMAND
from held_training import held
from real_terminal import RealTerminal

from engines import control, launch
from engines.events import CheckpointSaved, EpochEnded, Log
from engines.problems import StorageProblem
from engines.runs import RunStore

SMALL = 2 << 20
"""Bytes of the small disk: enough for the run of every test here."""

BEFORE, AFTER = 2, 4
"""Epochs after which there is no more room, and after which there is again."""


@pytest.fixture
def small_disk(tmp_path):
    """A small disk of its own, with a folder for runs; to be filled up."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield folder
    mishaps.end_all(folder / "runs")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk, leave=0):
    """Take all room on a disk but `leave` bytes; gives the file whose removal gives it back."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(file.tell() - leave)
    return ballast


def limit_files(worker, size=None):
    """Let no file of a worker grow beyond `size` bytes from now on; without it, any may again."""
    _, hard = resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def check_told_afterwards(ended, *, checkpoints_missed=True):
    """No epoch is missing from the events, checkpoints that failed are told of, and later ones are there."""
    assert ended.exit_code == 0
    assert [event.epoch for event in ended.of_type(EpochEnded)] == [*range(1, mishaps.EPOCHS + 1)]
    said = [event.message for event in ended.events if isinstance(event, Log) and event.level == "error"]
    assert any("no checkpoint could be saved" in message for message in said) == checkpoints_missed
    assert max(event.epoch for event in ended.of_type(CheckpointSaved)) == mishaps.EPOCHS
    aftermath.check(ended.directory, "completed", goes_on=False)


@pytest.mark.parametrize(
    ("size", "checkpoints_missed"),
    [(0, True), (1, True), (27_000, True), (40_000, False)],
    ids=["at all", "beyond a byte", "to a checkpoint's size", "beyond a checkpoint's size"],
)
def test_files_that_may_not_grow_for_a_while_cost_no_epoch(store, size, checkpoints_missed):
    with held(BEFORE, AFTER) as hold:
        worker = mishaps.start(store)
        hold.wait(BEFORE)
        limit_files(worker, size)
        hold.let_on(BEFORE)
        hold.wait(AFTER)
        limit_files(worker)
    check_told_afterwards(real_worker.ended(worker), checkpoints_missed=checkpoints_missed)


@pytest.mark.parametrize("leave", [0, 100, 16_384])
def test_a_disk_that_is_full_for_a_while_costs_no_epoch(small_disk, leave):
    with held(BEFORE, AFTER) as hold:
        worker = mishaps.start(RunStore(small_disk / "runs"))
        hold.wait(BEFORE)
        ballast = fill(small_disk, leave)
        hold.let_on(BEFORE)
        hold.wait(AFTER)
        ballast.unlink()
    check_told_afterwards(real_worker.ended(worker))


def test_a_disk_that_stays_full_ends_with_its_own_exit_code_and_the_run_goes_on_once_there_is_room(
    small_disk, uninterrupted
):
    with held(3) as hold:
        worker = mishaps.start(RunStore(small_disk / "runs"))
        hold.wait(3)
        ballast = fill(small_disk)
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == StorageProblem.exit_code
    ballast.unlink()
    aftermath.check(worker.run_directory, "crashed")
    assert aftermath.learned(worker.run_directory) == aftermath.learned(uninterrupted)


def test_a_run_cannot_be_started_on_a_full_disk_and_leaves_nothing_there(small_disk):
    store = RunStore(small_disk / "runs")
    fill(small_disk)
    with pytest.raises(StorageProblem) as refused:
        mishaps.start(store)
    aftermath.check_words(str(refused.value))
    assert "No space left" in str(refused.value)
    assert store.directories() == []
    assert not store.root.exists() or not list(store.root.iterdir())


def test_a_run_cannot_be_gone_on_with_on_a_full_disk_and_can_once_there_is_room(small_disk):
    with held(3) as hold:
        worker = mishaps.start(RunStore(small_disk / "runs"))
        hold.wait(3)
        mishaps.kill(worker)
    ballast = fill(small_disk)
    with pytest.raises(StorageProblem) as refused:
        launch.go_on(worker.run_directory)
    aftermath.check_words(str(refused.value))
    with pytest.raises(StorageProblem) as refused:
        control.ask(worker.run_directory, "stop")
    aftermath.check_words(str(refused.value))
    ballast.unlink()
    aftermath.check(worker.run_directory, "crashed")


def test_an_app_whose_own_folder_is_full_is_left_as_ever(small_disk):
    fill(small_disk)
    terminal = RealTerminal(COMMAND, XDG_STATE_HOME=str(small_disk))
    terminal.wait_for(lambda: "Enter: start" in terminal.text, "the launcher")
    terminal.child.send("q")
    assert terminal.end() == 0
    assert b"Traceback" not in terminal.written
    terminal.assert_as_before()
