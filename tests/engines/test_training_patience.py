"""Which epoch is the best, on images held out or not, and when a run has waited long enough for a better one."""

import pytest
from scripted_training import STEPS, ScriptedEngine

from engines.checkpoints import Progress
from engines.events import CheckpointSaved, EpochEnded


def test_the_best_epoch_is_chosen_on_the_images_that_are_held_out(trained):
    engine = ScriptedEngine()
    engine.held_out_accuracies = [0.3, 0.9, 0.5, 0.9, 0.1, 0.2]
    run = trained(engine=engine, epochs=4, validation=5)
    assert [(e.validation_accuracy, e.test_accuracy) for e in run.of(EpochEnded)][1] == (0.9, 0.2)
    progress = run.loop.progress
    assert (progress.best_epoch, progress.best_validation_accuracy, progress.best_test_accuracy) == (2, 0.9, 0.2)
    assert [(c.kind, c.epoch) for c in run.of(CheckpointSaved) if c.kind == "best"] == [("best", 1), ("best", 2)]
    assert run.store.best()[0].epoch == 2


@pytest.mark.parametrize(("target", "epochs"), [(0.3, 3), (0.2, 2), (0.35, 4)])
def test_a_target_is_reached_by_the_test_accuracy_of_an_epoch_that_held_out_images_did_not_choose(
    trained, target, epochs
):
    engine = ScriptedEngine()
    engine.accuracies = [0.1, 0.2, 0.3, 0.1]
    engine.held_out_accuracies = [0.9, 0.8, 0.7, 0.6]
    run = trained(engine=engine, epochs=4, validation=5, target_accuracy=target)
    assert run.loop.epochs_done == epochs
    assert run.loop.progress.best_epoch == 1


def test_nothing_is_held_out_where_that_is_not_asked(trained):
    assert {epoch.validation_accuracy for epoch in trained().of(EpochEnded)} == {None}


@pytest.mark.parametrize(
    ("accuracies", "patience", "epochs"),
    [
        ([0.1, 0.5, 0.3, 0.4, 0.6, 0.6], 2, 4),
        ([0.1, 0.5, 0.3, 0.6, 0.4, 0.6], 2, 6),
        ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 1, 2),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 1, 6),
    ],
)
def test_it_ends_after_so_many_epochs_without_a_better_one(trained, accuracies, patience, epochs):
    engine = ScriptedEngine()
    engine.accuracies = accuracies
    run = trained(engine=engine, epochs=6, patience=patience)
    assert run.outcome == "completed"
    assert run.loop.epochs_done == epochs


def test_patience_is_new_where_more_epochs_are_asked_for(trained):
    def go_on(patient_since):
        engine = ScriptedEngine()
        engine.orders = [None] * 4
        engine.accuracies = [0.1] * 9
        progress = Progress(
            epoch=4, step=STEPS, lr=0.001, best_epoch=2, best_test_accuracy=0.5, patient_since=patient_since
        )
        return trained(engine=engine, epochs=9, patience=2, progress=progress).loop.epochs_done

    assert go_on(0) == 4
    assert go_on(4) == 6
