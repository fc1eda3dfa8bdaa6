import json

import pytest
from real_worker import spec_of

from engines.runs import RunStore
from tui.ghost import find_ghost


@pytest.fixture
def make_run(store, recorded_run):
    """Make a run from a time of day on, a copy of the recorded one unless it is to have done nothing."""

    def make(clock, *, done="completed", **asked):
        directory = store.root / f"20261124-{clock}-made-1234"
        directory.mkdir(parents=True)
        spec = {"framework": "rehearsal", "model": "nn", "dataset": "digits", **asked}
        (directory / "spec.json").write_text(json.dumps(spec))
        lines = (recorded_run / "events.jsonl").read_bytes().splitlines(keepends=True)
        if done:
            (directory / "events.jsonl").write_bytes(b"".join(lines[: None if done == "completed" else -1]))
        return directory

    return make


def title_of(directory, **asked):
    ghost = find_ghost(directory, spec_of(**asked))
    return ghost and ghost.title.split()


def test_it_is_the_newest_run_before_of_the_same_model(make_run):
    make_run("100000", model="lenet")
    make_run("110000", model="nn")
    make_run("120000", model="lenet1")
    present = make_run("130000")
    make_run("140000", model="nn")
    ghost = find_ghost(present, spec_of(model="lenet"))
    assert ghost.title.split()[0] == "lenet"
    assert len(ghost.state.epochs) == 3
    assert len(ghost.state.train_accuracy) > 0


def test_a_completed_run_comes_before_a_newer_one_that_was_broken_off(make_run):
    make_run("100000", seed=1)
    make_run("110000", done="epochs", seed=2)
    present = make_run("130000")
    assert find_ghost(present, spec_of()).state.finished.state == "completed"
    make_run("090000", model="lenet", done="epochs")
    make_run("080000", model="lenet1")
    assert title_of(present, model="lenet")[0] == "lenet"


def test_without_one_of_the_same_model_it_is_the_newest_of_the_dataset_with_its_framework_named(make_run):
    make_run("100000", dataset="mnist", model="lenet")
    make_run("110000", framework="torch", model="nn")
    present = make_run("130000")
    assert title_of(present, model="lenet")[:2] == ["PyTorch", "nn"]


def test_a_run_that_did_no_epoch_is_no_ghost_and_where_there_is_none_none_comes(make_run):
    make_run("100000", done=None)
    present = make_run("130000")
    assert find_ghost(present, spec_of()) is None
    assert find_ghost(RunStore(present.parent / "none").root / "run", spec_of()) is None
