import shutil

import pytest

import tui.run_index
from engines.label import Label, write_label
from engines.problems import StorageProblem
from engines.run_queue import RunQueue
from engines.run_reader import RunReader
from engines.spec import RunSpec
from tui.run_index import RunIndex, best_of


@pytest.fixture
def read(monkeypatch):
    """The names of the runs whose files were read."""
    names = []
    summarise = tui.run_index.summarise
    monkeypatch.setattr(tui.run_index, "summarise", lambda path: names.append(path.name) or summarise(path))
    return names


def test_an_ended_run_is_read_once_until_it_changes(store, finished_run, read):
    index = RunIndex(store)
    assert [row.run_id for row in index.read()] == [finished_run.name]
    assert index.read()[0].state == "completed"
    assert read == [finished_run.name]
    with (finished_run / "events.jsonl").open("ab") as file:
        file.write(b"\n")
    index.read()
    assert read == [finished_run.name] * 2


def test_a_run_that_is_alive_is_read_at_every_look(store, live_run, read):
    index = RunIndex(store)
    assert {index.read()[0].state for _ in range(3)} == {"running"}
    assert len(read) == 3
    live_run.process.kill()
    live_run.process.wait()
    assert index.read()[0].state == "crashed"


def test_only_the_newest_are_read_where_that_is_asked(store, finished_run, read):
    older = finished_run.with_name("20200101-000000" + finished_run.name[15:])
    shutil.copytree(finished_run, older)
    index = RunIndex(store)
    assert [row.run_id for row in index.read(newest=1)] == [finished_run.name]
    assert [row.run_id for row in index.read()] == [finished_run.name, older.name]
    assert read == [finished_run.name, older.name]


def test_a_run_that_was_deleted_is_forgotten(store, finished_run):
    index = RunIndex(store)
    index.read()
    shutil.rmtree(finished_run)
    assert index.read() == []


def test_the_best_run_is_that_of_the_same_choice(store, finished_run):
    rows = RunIndex(store).read()
    same = RunSpec(framework="rehearsal", model="nn", dataset="digits", epochs=99, lr=0.5)
    assert best_of(rows, same) == rows[0]
    assert best_of(rows, RunSpec(framework="torch", model="nn", dataset="digits")) is None
    assert best_of([], same) is None


def test_a_folder_that_cannot_be_read_is_a_problem(store):
    store.root.mkdir()
    store.root.chmod(0)
    try:
        if not any(True for _ in _listing(store.root)):
            with pytest.raises(StorageProblem):
                RunIndex(store).read()
    finally:
        store.root.chmod(0o700)


def _listing(folder):
    try:
        list(folder.iterdir())
    except PermissionError:
        return
    yield folder


def test_a_run_that_is_named_is_read_again(store, finished_run, read):
    index = RunIndex(store)
    index.read()
    write_label(finished_run, Label(name="best"))
    assert index.read()[0].name == "best"
    index.read()
    assert read == [finished_run.name] * 2


def test_runs_that_wait_come_before_those_that_have_begun(store, finished_run, monkeypatch):
    monkeypatch.setattr(RunQueue, "see_to_it", lambda _: None)
    first, second = RunQueue(store).add([RunSpec(seed=1), RunSpec(seed=2)])
    rows = RunIndex(store).look()
    assert [(row.run_id, row.state) for row in rows] == [
        (second, "queued"),
        (first, "queued"),
        (finished_run.name, "completed"),
    ]


def test_what_a_row_tells_is_the_same_however_little_is_read(store, finished_run):
    (row,) = RunIndex(store).read()
    state = RunReader(finished_run).read_all()
    assert (row.epochs_done, row.best_test_accuracy) == (3, state.best.test_accuracy)
    assert row.seconds == pytest.approx(state.last_time - state.first_time)
    assert row.epoch_seconds == pytest.approx(sum(epoch.seconds for epoch in state.epochs) / 3)
