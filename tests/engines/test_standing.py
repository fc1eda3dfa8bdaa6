"""Where a run stands when somebody goes on with it: what is done, what is asked then, and what is refused."""

import pytest
import views
from msgspec.structs import replace
from small_checkpoints import SPEC, progress_of, save, state_of

from engines.checkpoints import CheckpointStore
from engines.events import CheckpointSaved
from engines.launch import Order
from engines.problems import CheckpointProblem, UsageProblem
from engines.run_state import RunState
from engines.runs import read_spec
from engines.spec import encode_spec
from engines.standing import Standing

STEPS = 45
SAVED = CheckpointSaved(path="checkpoints/x.safetensors", epoch=1, step=STEPS, kind="last")


@pytest.fixture
def stand(tmp_path):
    """Give where a run stands that was asked `spec`, has checkpoints at these places, and told of `events`."""

    def stand(spec=SPEC, *, saved=(), events=(), **order):
        (tmp_path / "spec.json").write_bytes(encode_spec(spec))
        for epoch, step in saved:
            save(CheckpointStore(tmp_path, spec), epoch, step=step)
        earlier = RunState()
        for seq, event in enumerate(events):
            earlier.apply(replace(event, seq=seq, time=1.0))
        return Standing(tmp_path, earlier, Order(run_directory=str(tmp_path), **{"go_on": True, **order}))

    return stand


@pytest.fixture
def spend(tmp_path):
    """Save a checkpoint after two epochs that took so many `seconds`, with the rate lifted."""

    def spend(seconds, lift=1.0):
        progress = progress_of(2)
        progress.seconds, progress.lift = seconds, lift
        CheckpointStore(tmp_path, SPEC).save("last", progress, state_of(2))

    return spend


@pytest.mark.parametrize(
    ("epoch", "step", "epochs_done", "steps_done"), [(1, 1, 0, 1), (2, 44, 1, 44), (2, 45, 2, 0), (3, 1, 2, 1)]
)
def test_it_knows_how_many_epochs_are_done_and_how_many_steps_of_the_next(stand, epoch, step, epochs_done, steps_done):
    standing = stand(saved=[(epoch, step)], events=[views.started(), views.batch()])
    assert (standing.epochs_done, standing.steps_done, standing.attempt) == (epochs_done, steps_done, 2)
    assert standing.batch_events == 1
    assert standing.state is not None
    assert standing.warnings == []


def test_images_that_are_held_out_are_none_of_an_epochs(stand):
    spec = replace(SPEC, validation=437)
    assert stand(spec, saved=[(2, 31)]).steps_done == 31
    assert stand(spec, saved=[(2, 32)]).epochs_done == 2


def test_a_run_that_is_begun_has_nothing_done_and_no_complaint(stand):
    standing = stand(go_on=False)
    assert (standing.epochs_done, standing.steps_done, standing.attempt, standing.state) == (0, 0, 1, None)
    assert standing.warnings == []


@pytest.mark.parametrize(
    ("order", "epochs", "budget"),
    [
        ({}, 5, None),
        ({"more_epochs": 7}, 9, None),
        ({"more_seconds": 60.0}, None, 60.0),
        ({"more_epochs": 7, "more_seconds": 60.0}, 9, 60.0),
    ],
)
def test_what_more_is_asked_counts_from_what_is_done_and_is_kept_for_the_next_attempt(stand, order, epochs, budget):
    standing = stand(saved=[(2, STEPS)], **order)
    assert (standing.spec.epochs, standing.spec.budget) == (epochs, budget)
    assert read_spec(standing.directory) == standing.spec
    assert standing.progress.patient_since == (2 if order else 0)


def test_seconds_more_count_from_those_that_are_spent_and_a_lifted_rate_is_lifted_no_more(stand, spend):
    spend(seconds=30.0, lift=4.0)
    standing = stand(more_seconds=60.0)
    assert standing.spec.budget == 90.0
    assert standing.progress.lift == 1.0
    assert stand(replace(SPEC, epochs=9)).progress.lift == 4.0


@pytest.mark.parametrize(
    ("asked", "ended", "done", "words"),
    [
        (2, "completed", 2, "all its 2 epochs"),
        (1, "stopped", 2, "all its 2 epochs"),
        (1, "completed", 1, "its one epoch"),
    ],
)
def test_where_no_epoch_is_left_to_do_it_says_what_is_done(stand, asked, ended, done, words):
    with pytest.raises(UsageProblem, match=f"has done {words}"):
        stand(replace(SPEC, epochs=asked), saved=[(done, STEPS)], events=[views.started(), views.finished(ended)])


def test_where_no_time_is_left_it_says_so(stand, spend):
    spend(seconds=60.0)
    with pytest.raises(UsageProblem, match="has spent its budget"):
        stand(replace(SPEC, epochs=None, budget=60.0), events=[views.started(), views.finished("completed")])


def test_a_run_that_died_after_its_last_step_still_gets_its_results(stand):
    assert stand(replace(SPEC, epochs=2), saved=[(2, STEPS)], events=[views.started()]).epochs_done == 2


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([views.started(), views.batch(), SAVED], "the checkpoints of run .* are gone"),
        ([views.started(), views.batch(), views.finished("completed")], "was completed without a checkpoint"),
    ],
    ids=["gone", "never saved"],
)
def test_a_run_that_has_lost_what_it_learned_is_not_begun_again_unasked(stand, events, words):
    with pytest.raises(CheckpointProblem, match=words):
        stand(events=events)


def test_a_run_that_never_saved_begins_again_and_says_so_where_something_is_lost(stand):
    assert stand(events=[views.started()]).warnings == []
    standing = stand(events=[views.started(), views.batch()])
    assert standing.warnings == ["No checkpoint of this run was ever saved: it begins again."]
    assert (standing.epochs_done, standing.state) == (0, None)


@pytest.mark.parametrize("changed", [{"dataset": "gone"}, {"model": "gone"}])
def test_what_cannot_be_trained_any_more_is_refused(stand, changed):
    with pytest.raises(CheckpointProblem, match=r"spec\.json is missing, or is none of ours"):
        stand(replace(SPEC, **changed))


def test_the_gpu_that_it_was_given_is_asked_for_and_not_kept(stand):
    standing = stand(go_on=False, device="cuda:1")
    assert (standing.placed_spec.device, standing.spec.device) == ("cuda:1", "auto")
    assert stand(go_on=False).placed_spec.device == "auto"
