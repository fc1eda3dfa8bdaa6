"""What others put in the place of a run's files: links, pipes, folders. None is followed, waited for, or fatal."""

import os
import shutil

import aftermath
import mishaps
import pytest
import real_worker
from held_training import held

from engines import control, launch
from engines.events import Log
from engines.problems import CheckpointProblem, RunNotFound, StorageProblem
from engines.runs import RunStore, summarise

KINDS = ["link", "dangling link", "pipe", "folder"]

SECRET = b"not to be touched\n"


@pytest.fixture
def victim(tmp_path):
    """A file of somebody's that no link may lead us to; unchanged at the end."""
    path = tmp_path / "victim"
    path.write_bytes(SECRET)
    yield path
    assert path.read_bytes() == SECRET


def plant(path, kind, victim):
    """Put something in the place of a file of a run."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    match kind:
        case "link":
            path.symlink_to(victim)
        case "dangling link":
            path.symlink_to(victim.parent / "nowhere")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()


def remove(path):
    path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["events.jsonl", "lock", "worker.log"])
def test_a_run_is_not_gone_on_with_through_what_stands_for_a_file_of_its_own(crashed, victim, name, kind):
    own = (crashed / name).rename(crashed / "own")
    plant(crashed / name, kind, victim)
    with pytest.raises(StorageProblem) as refused:
        launch.go_on(crashed)
    aftermath.check_words(str(refused.value))
    assert name in str(refused.value)
    assert not (victim.parent / "nowhere").exists()
    remove(crashed / name)
    own.rename(crashed / name)
    aftermath.check_goes_on(crashed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_whose_spec_is_no_file_is_listed_and_not_gone_on_with(crashed, victim, kind):
    plant(crashed / "spec.json", kind, victim)
    with pytest.raises(CheckpointProblem) as refused:
        launch.go_on(crashed)
    aftermath.check_words(str(refused.value))
    assert summarise(crashed).state == "crashed"


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_for_the_requests_is_no_request_and_trains_on(store, victim, kind):
    with held(1) as hold:
        worker = mishaps.start(store)
        hold.wait(1)
        plant(worker.run_directory / "control.json", kind, victim)
    assert real_worker.ended(worker).exit_code == 0
    aftermath.check(worker.run_directory, "completed", goes_on=False)


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_a_request_takes_the_place_of_what_stands_there(store, victim, kind):
    worker = mishaps.start(store, epochs=100_000)
    plant(worker.run_directory / "control.json", kind, victim)
    control.ask(worker.run_directory, "stop")
    assert real_worker.ended(worker).finished.state == "stopped"
    aftermath.check(worker.run_directory, "stopped", goes_on=False)


def test_a_request_is_refused_in_words_where_a_folder_stands(crashed, victim):
    plant(crashed / "control.json", "folder", victim)
    with pytest.raises(StorageProblem) as refused:
        control.ask(crashed, "stop")
    aftermath.check_words(str(refused.value))
    aftermath.check_goes_on(crashed)


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_for_events_reads_as_none(crashed, victim, kind):
    plant(crashed / "events.jsonl", kind, victim)
    summary = summarise(crashed)
    assert (summary.state, summary.epochs_done) == ("crashed", 0)


@pytest.fixture
def elsewhere(tmp_path):
    """A folder of somebody's with files named like ours; unchanged at the end."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    theirs = ["last-00001-0000045.json", "last-00001-0000045.safetensors", ".tmp-12345678-theirs"]
    for name in theirs:
        (folder / name).write_bytes(SECRET)
    yield folder
    assert sorted(path.name for path in folder.iterdir()) == sorted(theirs)
    assert all(path.read_bytes() == SECRET for path in folder.iterdir())


@pytest.mark.parametrize("what", ["link", "file", "nothing"])
def test_a_run_is_not_begun_again_where_its_checkpoints_were(crashed, elsewhere, what):
    own = (crashed / "checkpoints").rename(crashed / "own")
    match what:
        case "link":
            (crashed / "checkpoints").symlink_to(elsewhere)
        case "file":
            (crashed / "checkpoints").write_bytes(SECRET)
    with pytest.raises(CheckpointProblem) as refused:
        launch.go_on(crashed)
    aftermath.check_words(str(refused.value))
    if what != "nothing":
        (crashed / "checkpoints").unlink()
    own.rename(crashed / "checkpoints")
    aftermath.check(crashed, "crashed")


def test_checkpoints_are_never_written_or_removed_through_a_link(store, elsewhere):
    with held(1) as hold:
        worker = mishaps.start(store)
        folder = worker.run_directory / "checkpoints"
        hold.wait(1)
        folder.rename(worker.run_directory / "moved")
        folder.symlink_to(elsewhere)
    ended = real_worker.ended(worker)
    assert ended.exit_code == 0
    assert any(isinstance(event, Log) and "no checkpoint could be saved" in event.message for event in ended.events)
    aftermath.check_listed(ended.directory, "completed")


def test_what_only_looks_like_a_temporary_file_does_not_stand_in_the_way(crashed, victim):
    folder = crashed / "checkpoints" / ".tmp-folder"
    folder.mkdir()
    (crashed / ".tmp-link").symlink_to(victim)
    assert real_worker.go_on(crashed).exit_code == 0
    folder.rmdir()
    aftermath.check(crashed, "completed", goes_on=False)


def test_a_link_to_a_run_is_no_run(crashed, store, tmp_path):
    moved = crashed.rename(tmp_path / crashed.name)
    crashed.symlink_to(moved)
    assert store.directories() == []
    with pytest.raises(RunNotFound) as refused:
        store.find(crashed.name)
    aftermath.check_words(str(refused.value))


def test_a_link_to_the_folder_of_runs_is_the_persons_own(crashed, store, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(store.root)
    directory = RunStore(link).find("last")
    aftermath.check(directory, "crashed")
