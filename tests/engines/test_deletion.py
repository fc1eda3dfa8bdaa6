import shutil

import pytest
import real_worker

import engines.deletion
from engines.deletion import delete_run, finish_deletions
from engines.problems import RunBusy, StorageProblem


def test_a_run_is_gone_and_the_others_are_not(store, finished_run):
    other = finished_run.with_name("20200101-000000" + finished_run.name[15:])
    shutil.copytree(finished_run, other)
    delete_run(finished_run)
    assert [path.name for path in store.root.iterdir()] == [other.name]


def test_a_run_that_is_alive_stays(store, running):
    with pytest.raises(RunBusy):
        delete_run(running.run_directory)
    assert store.directories() == [running.run_directory]
    assert running.process.poll() is None


def test_a_run_that_is_about_to_begin_stays(store):
    directory = store.create(real_worker.spec_of())
    with pytest.raises(RunBusy):
        delete_run(directory)
    assert directory.exists()


def test_links_are_not_followed(store, finished_run, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "spec.json").write_text("{}")
    (finished_run / "checkpoints" / "link").symlink_to(precious)
    delete_run(finished_run)
    assert (precious / "spec.json").exists()
    planted = store.root / "20260101-000000-torch-nn-mnist-0000"
    planted.symlink_to(precious)
    with pytest.raises(StorageProblem):
        delete_run(planted)
    assert (precious / "spec.json").exists()


def test_what_was_interrupted_is_no_run_and_is_finished_later(store, finished_run, monkeypatch):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(engines.deletion.shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        delete_run(finished_run)
    assert store.directories() == []
    assert any(store.root.iterdir())
    monkeypatch.undo()
    finish_deletions(store.root)
    assert not any(store.root.iterdir())


def test_two_who_remove_the_same_folder_at_once_are_both_done(store, finished_run, monkeypatch):
    remove = shutil.rmtree

    def removed_by_another(path):
        monkeypatch.undo()
        remove(path / "checkpoints")
        raise FileNotFoundError

    monkeypatch.setattr(engines.deletion.shutil, "rmtree", removed_by_another)
    delete_run(finished_run)
    assert not any(store.root.iterdir())
