"""The one training loop: what it tells, saves and obeys, on an engine whose every number is known beforehand."""

import math

import numpy as np
import pytest
from scripted_training import BATCH_SIZE, STEPS, TRAIN_SIZE, ScriptedEngine, request

from engines import obedience, saving
from engines.checkpoints import CheckpointStore, Progress
from engines.events import Batch, CheckpointSaved, ControlApplied, EpochEnded, Log, Mistakes, Samples
from engines.training_loop import epoch_order


def test_every_epoch_sees_every_image_once_in_an_order_of_its_own():
    first, second = epoch_order(0, 1, 1_000), epoch_order(0, 2, 1_000)
    assert sorted(first) == list(range(1_000))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, epoch_order(0, 1, 1_000))
    assert not np.array_equal(first, epoch_order(1, 1, 1_000))


def test_the_orders_are_those_of_seed_and_epoch(trained):
    run = trained(seed=5, epochs=3)
    for epoch, order in enumerate(run.engine.orders, 1):
        np.testing.assert_array_equal(order, epoch_order(5, epoch, TRAIN_SIZE))


@pytest.mark.parametrize("chunk", [1, 2, 4, 9, 100])
def test_an_epochs_figures_are_means_over_its_images_however_steps_fall_into_calls(trained, chunk):
    run = trained(chunk=chunk)
    assert run.outcome == "completed"
    for epoch, ended in enumerate(run.of(EpochEnded)):
        sizes = [BATCH_SIZE] * 8 + [6]
        expected = 0.0
        for step, size in enumerate(sizes, 1):
            expected += size / (epoch * STEPS + step)
        assert ended.train_loss == expected / TRAIN_SIZE
        assert ended.train_accuracy == 0.5
        assert (ended.epoch, ended.epochs) == (epoch + 1, 2)


def test_a_batch_event_is_the_mean_over_the_steps_since_the_last_one(trained):
    run = trained(epochs=1, chunk=2)
    batches = run.of(Batch)
    assert (batches[0].step, batches[0].loss) == (2, (1 + 1 / 2) / 2)
    assert batches[-1].step == STEPS
    since = [1 / step for step in range(batches[-2].step + 1, STEPS + 1)]
    assert batches[-1].loss == pytest.approx(sum(since) / len(since))


def test_images_come_once_and_before_any_step(trained):
    samples = trained().of(Samples)
    assert len(samples[0].images) > 0
    assert [event.step for event in samples[-1:]] == [STEPS]
    assert not any(isinstance(event.images, str) for event in samples[1:])


def test_a_long_run_tells_of_its_mistakes_after_few_epochs_and_after_the_last(trained):
    engine = ScriptedEngine()
    engine.accuracies = [0.1] * 99
    told = [event.epoch for event in trained(engine=engine, epochs=99).of(Mistakes)]
    assert told == [*range(1, 32), *range(32, 64, 2), *range(64, 99, 4), 99]


def test_no_run_tells_of_more_than_fifty_thousand_batches(trained):
    assert trained(batch_events=50_000).of(Batch) == []
    told = trained(batch_events=49_999).of(Batch)
    assert len(told) == 1


def test_each_epoch_is_saved_and_the_best_stays(trained):
    engine = ScriptedEngine()
    engine.accuracies = [0.1, 0.5, 0.3, 0.5]
    run = trained(engine=engine, epochs=4)
    assert [(c.kind, c.epoch) for c in run.of(CheckpointSaved)] == [
        ("best", 1),
        ("last", 1),
        ("best", 2),
        ("last", 2),
        ("last", 3),
        ("last", 4),
    ]
    assert run.loop.progress.best_epoch == 2
    assert run.store.newest()[0].progress == run.loop.progress


def test_one_copy_of_the_state_serves_all_that_an_epoch_ends_with(trained):
    run = trained(epochs=2)
    assert [c.kind for c in run.of(CheckpointSaved)] == ["best", "last"] * 2
    assert run.engine.copies == 1 + 2


def test_a_long_epoch_is_saved_within(trained, monkeypatch):
    monkeypatch.setattr(saving, "CHECKPOINT_SECONDS", 0.0)
    saved = trained(epochs=1, chunk=3).of(CheckpointSaved)
    assert [(c.step, c.kind) for c in saved] == [(3, "last"), (6, "last"), (9, "best"), (9, "last")]


def test_a_loop_goes_on_from_where_another_stopped(trained):
    whole = trained(chunk=1)
    part = trained(chunk=1, requests=[(4, request("stop"))])
    assert part.outcome == "stopped"
    manifest, _, _ = part.store.newest()
    assert 0 < manifest.step < STEPS
    engine = ScriptedEngine()
    engine.done = manifest.step
    rest = trained(chunk=2, progress=manifest.progress, engine=engine)
    clockless = [(e.epoch, e.train_loss, e.train_accuracy, e.test_accuracy) for e in whole.of(EpochEnded)]
    assert [(e.epoch, e.train_loss, e.train_accuracy, e.test_accuracy) for e in rest.of(EpochEnded)] == clockless


def test_a_loop_with_nothing_left_to_do_does_nothing(trained):
    run = trained(progress=Progress(epoch=2, step=STEPS, lr=0.001))
    assert run.outcome == "completed"
    assert run.engine.done == 0
    assert run.of(EpochEnded) == []


def test_no_step_is_done_while_paused(trained, monkeypatch):
    monkeypatch.setattr(obedience, "PAUSE_POLL_SECONDS", 0.0)
    run = trained(chunk=1, requests=[(3, request("pause")), (10, request("resume"))])
    actions = [type(event).__name__ for event in run.events if isinstance(event, Batch | ControlApplied | EpochEnded)]
    assert actions.index("ControlApplied") + 1 == len(actions) - 1 - actions[::-1].index("ControlApplied")
    assert run.outcome == "completed"
    assert len(run.engine.rates) == 2 * STEPS


def test_an_epoch_takes_no_longer_for_a_pause_in_it(trained, monkeypatch):
    now = [1024.0]
    monkeypatch.setattr(obedience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(obedience.time, "sleep", lambda _: now.append(now.pop() + 60.0))
    run = trained(chunk=1, requests=[(3, request("pause")), (10, request("resume"))])
    assert now[0] > 1024.0 + 300.0
    assert [epoch.seconds for epoch in run.of(EpochEnded)] == [0.0, 0.0]


@pytest.mark.parametrize("first", [[], [(3, request("pause"))]], ids=["training", "paused"])
@pytest.mark.parametrize(("action", "saves"), [("stop", True), ("stop-now", False)])
def test_a_stop_ends_it_where_it_is(trained, monkeypatch, first, action, saves):
    monkeypatch.setattr(obedience, "PAUSE_POLL_SECONDS", 0.0)
    run = trained(chunk=1, requests=[*first, (4, request(action))])
    assert run.outcome == "stopped"
    assert run.loop.epochs_done == 0
    assert [c.step for c in run.of(CheckpointSaved)] == ([run.loop.progress.step] if saves else [])
    assert run.of(ControlApplied)[-1].id == f"id-of-{action}"


def test_a_checkpoint_asked_for_twice_at_one_place_is_saved_once(trained, monkeypatch):
    run = trained(epochs=1, chunk=3, requests=[(2, request("checkpoint")), (2, request("checkpoint"))])
    assert [c.step for c in run.of(CheckpointSaved)] == [3, 9, 9]
    assert len(run.of(ControlApplied)) == 2


@pytest.mark.parametrize("look", [1, 3, 2 * STEPS])
def test_epochs_more_are_trained_whenever_they_are_asked_for_and_kept_for_the_next_attempt(trained, look):
    run = trained(chunk=1, requests=[(look, request("epochs", 2.0))])
    assert run.outcome == "completed"
    assert [event.epoch for event in run.of(EpochEnded)] == [1, 2, 3, 4]
    assert run.of(EpochEnded)[-1].epochs == 4
    assert [spec.epochs for spec in run.kept] == [4]
    assert [(c.action, c.value, c.by) for c in run.of(ControlApplied)] == [("epochs", 2.0, "ann")]


@pytest.mark.parametrize("more", [None, 0.0, -1.0, 1.5, 1e300, math.nan, math.inf])
def test_epochs_that_are_none_change_nothing(trained, more):
    run = trained(chunk=1, requests=[(3, request("epochs", more))])
    assert run.loop.epochs_done == 2
    assert len(run.of(Log)) == 1
    assert run.of(ControlApplied) == run.kept == []


def test_epochs_more_are_trained_also_where_the_disk_takes_no_word_of_them(trained):
    run = trained(chunk=1, requests=[(3, request("epochs", 1.0))], disk_is_full=True)
    assert run.loop.epochs_done == 3
    assert "No space left" in run.of(Log)[0].message


def test_it_stops_as_soon_as_an_epoch_is_there(trained):
    run = trained(epochs=6, target_accuracy=0.3)
    assert [event.epoch for event in run.of(EpochEnded)] == [1, 2, 3]
    assert run.outcome == "completed"


def test_a_target_that_was_reached_before_is_still_reached(trained):
    progress = Progress(epoch=1, step=STEPS, lr=0.001, highest_test_accuracy=0.9)
    assert trained(target_accuracy=0.5, progress=progress).engine.done == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_such_a_loss_stops_and_says_where(trained, bad):
    engine = ScriptedEngine()
    engine.losses = {STEPS + 5: bad}
    run = trained(engine=engine, chunk=4)
    for words in ("step 5 of epoch 2", "learning rate 0.001", "gradient norm 123", "is kept"):
        assert words in run.error.message
    assert not math.isfinite(run.of(Batch)[-1].loss)
    assert run.store.newest()[0].epoch == 1


def test_before_the_first_checkpoint_it_says_that_there_is_none(trained):
    engine = ScriptedEngine()
    engine.losses = {1: math.nan}
    assert "No checkpoint was saved yet" in trained(engine=engine).error.message


def test_it_goes_on_where_that_was_asked_for_and_saves_nothing_that_is_not_finite(trained):
    engine = ScriptedEngine()
    engine.losses = {5: math.nan}
    run = trained(engine=engine, on_nan="continue", requests=[(8, request("checkpoint"))], chunk=1)
    assert run.outcome == "completed"
    assert math.isnan(run.of(EpochEnded)[0].train_loss)
    # The second epoch is finite again.
    assert {c.epoch for c in run.of(CheckpointSaved)} == {2}
    assert run.store.newest()[0].epoch == 2
    assert [log.message for log in run.of(Log)] == [
        "No checkpoint is saved while the loss or a weight is no finite number."
    ]


def test_weights_that_are_not_finite_are_not_saved_though_the_loss_before_them_was(trained):
    engine = ScriptedEngine()
    engine.losses = {"weights": math.inf}
    run = trained(engine=engine)
    assert run.of(CheckpointSaved) == []
    assert len(run.of(Log)) == 1  # and it is not said again at the end of each epoch


def test_training_goes_on_without_checkpoints_and_says_so(trained, monkeypatch):
    def refuse(self, kind, progress, state):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CheckpointStore, "save", refuse)
    run = trained()
    assert run.outcome == "completed"
    assert len(run.of(EpochEnded)) == 2
    assert {log.level for log in run.of(Log)} == {"error"}
    assert "No space left on device" in run.of(Log)[0].message
