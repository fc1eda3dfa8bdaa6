"""Folders that go away, move, or may not be written, before a run, while it trains, and between its attempts."""

import os
import shutil
import stat
import subprocess
from contextlib import contextmanager

import aftermath
import command_line
import mishaps
import pytest
import real_worker
import rows
from held_training import held

from engines import control, launch
from engines.events import Log
from engines.problems import RunNotFound, StorageProblem
from engines.run_queue import RunQueue
from engines.run_reader import RunReader
from engines.runs import RunStore, summarise
from tui import outcome
from tui.doctor import _examine_folder
from tui.race_watch import RaceWatch
from tui.watch import Watch

NOBODY = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


@contextmanager
def as_nobody():
    """Be a user who owns nothing."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def immutable(path):
    """Let not even root change a folder or a file."""
    if (
        not shutil.which("chattr")
        or subprocess.run(["chattr", "+i", path], check=False, capture_output=True).returncode
    ):
        pytest.skip("only root may make files immutable, and not on every disk")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


@contextmanager
def refused(*words):
    with pytest.raises(StorageProblem) as problem:
        yield
    aftermath.check_words(str(problem.value))
    for word in words:
        assert word in str(problem.value)


def test_a_worker_whose_run_was_removed_ends_and_leaves_nothing(store):
    worker = mishaps.start(store, epochs=100_000)
    mishaps.wait_for_epoch(worker.run_directory, 1)
    mishaps.wait_for(lambda: _is_removed(worker.run_directory), "the removal")
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == StorageProblem.exit_code
    assert list(store.root.iterdir()) == []
    assert store.directories() == []
    with pytest.raises(RunNotFound):
        store.find("last")


def _is_removed(directory):
    # A checkpoint may be written into the folder while it is being removed.
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()


def test_a_paused_worker_whose_run_was_removed_ends(store):
    worker = mishaps.start(store, epochs=100_000)
    mishaps.wait_for_epoch(worker.run_directory, 1)
    control.ask(worker.run_directory, "pause")
    real_worker.wait_until(worker.run_directory, lambda state: state.paused)
    shutil.rmtree(worker.run_directory)
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == StorageProblem.exit_code


def test_a_run_that_was_moved_trains_on_and_its_events_move_along(store, tmp_path):
    with held(2) as hold:
        worker = mishaps.start(store)
        hold.wait(2)
        elsewhere = RunStore(tmp_path / "elsewhere")
        elsewhere.root.mkdir()
        moved = worker.run_directory.rename(elsewhere.root / worker.run_directory.name)
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == 0
    aftermath.check(moved, "completed", goes_on=False)
    aftermath.check_curve(moved)
    assert store.directories() == []


def test_checkpoints_that_may_not_be_written_are_told_of_and_trained_past(store):
    with held(2) as hold:
        worker = mishaps.start(store)
        hold.wait(2)
        with immutable(worker.run_directory / "checkpoints"):
            hold.let_on(2)
            ended = real_worker.ended(worker)
    assert ended.exit_code == 0
    assert any(isinstance(event, Log) and "no checkpoint could be saved" in event.message for event in ended.events)
    aftermath.check(ended.directory, "completed", goes_on=False)


def test_events_that_may_not_be_written_are_kept_until_they_may(store):
    with held(2, 4) as hold:
        worker = mishaps.start(store)
        hold.wait(2)
        with immutable(worker.run_directory / "events.jsonl"):
            hold.let_on(2)
            hold.wait(4)
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == 0
    aftermath.check(worker.run_directory, "completed", goes_on=False)
    aftermath.check_curve(worker.run_directory)


def test_a_run_in_a_folder_that_may_not_be_written_goes_on_once_it_may(crashed):
    with immutable(crashed), refused(str(crashed)):
        launch.go_on(crashed)
    aftermath.check(crashed, "crashed")


@needs_root
def test_somebody_else_may_neither_start_nor_steer_nor_go_on_with_a_run(crashed, store):
    for folder in (store.root, *store.root.parents):
        folder.chmod(folder.stat().st_mode | 0o055)
    with as_nobody():
        with refused(str(store.root)):
            store.create(real_worker.spec_of())
        with refused(str(crashed)):
            control.ask(crashed, "stop")
        with refused("worker.log"):
            launch.go_on(crashed)
    aftermath.check(crashed, "crashed")


@needs_root
def test_runs_that_may_not_be_looked_at_are_refused_in_words(crashed, store):
    store.root.parent.chmod(0o755)
    store.root.chmod(0o700)
    with as_nobody(), refused(str(store.root)):
        store.directories()
    aftermath.check(crashed, "crashed")


def test_a_run_that_may_not_be_looked_into_is_no_run_of_ours(crashed, store):
    theirs = store.root / "20261124-144501-torch-lenet-mnist-4f2a"
    theirs.mkdir()
    theirs.chmod(0)
    aftermath.check(crashed, "crashed")


def test_a_file_in_the_place_of_the_folder_of_runs_is_refused_and_kept(tmp_path):
    store = RunStore(tmp_path / "file")
    store.root.write_text("mine")
    for attempt in (store.directories, store.alive, lambda: store.find("last"), lambda: mishaps.start(store)):
        with refused(str(store.root), "--runs-dir"):
            attempt()
    assert store.root.read_text() == "mine"


def test_a_run_needs_no_folder_of_runs_to_be_there(tmp_path):
    store = RunStore(tmp_path / "not" / "there" / "yet")
    assert store.directories() == []
    ended = real_worker.ended(mishaps.start(store))
    aftermath.check(ended.directory, "completed", goes_on=False)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o027], ids="{:03o}".format)
def test_nobody_else_may_read_or_write_a_run_whatever_the_umask(store, mask):
    before = os.umask(mask)
    try:
        worker = mishaps.start(store)
        control.ask(worker.run_directory, "pause")
        control.ask(worker.run_directory, "resume")
        assert real_worker.ended(worker).exit_code == 0
    finally:
        os.umask(before)
    for path in (store.root, *store.root.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path.name} has mode {mode:o}"
    aftermath.check(worker.run_directory, "completed", goes_on=False)


def test_the_owner_may_read_and_write_a_run_whatever_the_umask(store):
    train = f"$T {' '.join(command_line.TRAIN)} --epochs 1"
    trained = command_line.run_in_shell(f"umask 777; {train} && {train} --queue")
    mishaps.wait_for_queued(RunQueue(store), trained.stdout.split()[-1:])
    assert [run.state for run in rows.listed(store)] == ["completed"] * 2
    for path in (store.root, *store.root.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path.name} has mode {mode:o}"


@needs_root
@pytest.mark.parametrize("has_begun", [True, False])
def test_a_folder_that_can_be_looked_into_no_more_ends_nobody_who_watches_a_run(store, crashed, has_begun):
    directory = crashed if has_begun else store.create(real_worker.spec_of())
    watch, race = Watch(RunReader(directory), None, ascii_only=False), RaceWatch(store, [directory])
    watch.look(1.0)
    store.root.chmod(0o700)
    with as_nobody():
        assert watch.look(1.0).is_gone
        race.look(1.0)
        assert race.lanes[0].status == "gone"
        assert summarise(directory).state == "crashed"
        assert "out of sight" in outcome.last_word(directory, watch.look(1.0).state)
        assert str(store.root) in _examine_folder("runs", directory).detail
