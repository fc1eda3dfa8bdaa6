"""Training for a time: the loop on a clock that its engine moves, a step's seconds at a time."""

from types import SimpleNamespace

import pytest
from scripted_training import STEPS, ScriptedEngine, request

from engines import epoch_end, obedience, training_loop
from engines.checkpoints import Progress
from engines.events import Batch, CheckpointSaved, ControlApplied, EpochEnded, Log
from engines.schedule import rate_factor

STEP_SECONDS = 1 / 128  # as a sum of powers of two, so that sums are exact
BUDGET = 30 * STEP_SECONDS  # three epochs and three steps


class TimedEngine(ScriptedEngine):
    """Takes `seconds[n]` for its n-th step, or `STEP_SECONDS`, and longer by far for all else."""

    def __init__(self, seconds=None):
        super().__init__()
        self.accuracies = [0.5] * 99
        self.seconds = seconds or {}
        self.now = 1024.0

    def train(self, first_step, step_count, rates):
        for ahead in range(step_count):
            super().train(first_step + ahead, 1, rates[ahead : ahead + 1])
            self.now += self.seconds.get(self.done, STEP_SECONDS)

    def evaluate(self, split):
        self.now += 7.0
        return super().evaluate(split)


@pytest.fixture
def timed(trained, monkeypatch):
    def train(*, engine=None, **asked):
        engine = engine or TimedEngine()

        def sleep(seconds):
            engine.now += 3.0

        clock = SimpleNamespace(monotonic=lambda: engine.now, sleep=sleep)
        for module in (training_loop, epoch_end, obedience):
            monkeypatch.setattr(module, "time", clock)
        return trained(engine=engine, **{"epochs": None, "budget": BUDGET, **asked})

    return train


def test_it_ends_in_the_middle_of_an_epoch_once_its_time_is_spent_and_tests_what_it_has(timed):
    run = timed()
    assert run.outcome == "completed"
    assert run.engine.done == 30
    *whole, last = run.of(EpochEnded)
    assert [(epoch.epoch, epoch.place) for epoch in whole] == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert (last.epoch, last.epochs, last.part, last.place) == (4, 4, 3 / STEPS, 3 + 3 / STEPS)
    assert last.train_loss == pytest.approx((1 / 28 + 1 / 29 + 1 / 30) / 3)
    assert last.train_accuracy == 0.5
    assert sum(epoch.train_seconds for epoch in run.of(EpochEnded)) == pytest.approx(BUDGET)
    assert run.loop.epochs_done == 3


def test_what_it_came_to_is_saved_there(timed):
    run = timed()
    last = run.of(CheckpointSaved)[-1]
    assert (last.epoch, last.step, last.kind) == (4, 3, "last")
    assert run.store.newest()[0].progress == run.loop.progress
    assert run.loop.progress.seconds == pytest.approx(BUDGET)


def test_its_last_batch_is_told_of_with_the_seconds_that_are_spent(timed):
    last = timed().of(Batch)[-1]
    assert (last.epoch, last.step, last.steps_per_epoch) == (4, 3, STEPS)
    assert last.trained_seconds == pytest.approx(BUDGET)


@pytest.mark.parametrize("schedule", ["triangle", "cosine", "one-cycle"])
def test_the_rate_follows_the_time_that_is_spent_down_to_next_to_nothing(timed, schedule):
    budget = 300 * STEP_SECONDS
    rates = timed(schedule=schedule, warmup=0.2, lr=0.3, budget=budget).engine.rates
    assert len(rates) == 300
    wanted = [0.3 * rate_factor(schedule, 0.2, (step + 0.5) / 300) for step in range(300)]
    # Before anything is measured, a step is taken to last a tenth of a second.
    assert rates[1:] == pytest.approx(wanted[1:], abs=1e-9)
    assert 0 < rates[-1] < 0.001


def test_a_constant_rate_stays_what_it_is(timed):
    assert set(timed(lr=0.3).engine.rates) == {0.3}


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_a_machine_that_changes_its_speed_does_fewer_or_more_steps_and_ends_at_the_rates_end(timed, factor):
    slow_from = 150
    engine = TimedEngine(dict.fromkeys(range(slow_from, 2_000), factor * STEP_SECONDS))
    run = timed(engine=engine, schedule="triangle", lr=0.3, budget=300 * STEP_SECONDS)
    assert run.engine.done == pytest.approx(149 + 151 / factor, abs=1)
    overshoot = run.loop.progress.seconds - 300 * STEP_SECONDS
    assert 0 <= overshoot < max(1, factor) * STEP_SECONDS + 1e-9
    assert run.engine.rates[-1] < 0.01
    # Each call goes by the speed of the one before it, so that a rate is out by less than what a call takes.
    spent = 0.0
    for step, rate in enumerate(run.engine.rates, 1):
        assert rate == pytest.approx(0.3 * (1 - spent / run.spec.budget), abs=0.3 * 0.6 / run.spec.budget)
        spent += engine.seconds.get(step, STEP_SECONDS)


def test_a_first_step_that_takes_all_the_time_is_the_only_one(timed):
    run = timed(engine=TimedEngine({1: 5.0}), schedule="triangle")
    assert run.engine.done == 1
    assert run.engine.rates[0] > 0
    assert [(epoch.epoch, epoch.part) for epoch in run.of(EpochEnded)] == [(1, 1 / STEPS)]


def test_pauses_tests_and_checkpoints_are_not_counted(timed):
    asked = [(2, request("pause")), (9, request("checkpoint")), (11, request("resume"))]
    run = timed(requests=asked)
    assert run.engine.now > 1024 + 3 * 7
    assert run.engine.done == 30


@pytest.mark.parametrize("look", [1, 2, 3, 5])
def test_a_run_that_was_stopped_goes_on_with_the_seconds_that_are_left(timed, look):
    part = timed(requests=[(look, request("stop"))])
    assert part.outcome == "stopped"
    manifest = part.store.newest()[0] if part.store.newest() else None
    progress = manifest.progress if manifest else Progress(lr=0.001)
    rest = timed(progress=progress)
    assert rest.loop.progress.seconds == pytest.approx(BUDGET, abs=STEP_SECONDS)
    assert part.engine.done + rest.engine.done == 30


def test_a_number_of_epochs_beside_it_is_the_most_and_the_rate_comes_to_its_end_either_way(timed):
    by_epochs = timed(epochs=2, schedule="triangle", lr=0.3)
    assert (by_epochs.engine.done, by_epochs.outcome) == (2 * STEPS, "completed")
    assert [(epoch.place, epoch.epochs) for epoch in by_epochs.of(EpochEnded)] == [(1.0, 2), (2.0, 2)]
    by_time = timed(epochs=5, schedule="triangle", lr=0.3)
    assert by_time.engine.done == 30
    for run in (by_epochs, by_time):
        assert run.engine.rates[-1] < 0.03
        assert run.engine.rates[1:] == sorted(run.engine.rates[1:], reverse=True)


def test_each_epoch_says_how_many_there_should_be_time_for(timed):
    engine = TimedEngine(dict.fromkeys(range(1, STEPS + 1), 2 * STEP_SECONDS))
    run = timed(engine=engine, budget=45 * STEP_SECONDS)
    # After nine steps of twice the time there seems to be time for 22 in all; then for more.
    assert [epoch.epochs for epoch in run.of(EpochEnded)] == [3, 4, 4, 4]
    assert run.engine.done == 36


def test_epochs_more_are_refused_where_time_alone_ends_it(timed):
    run = timed(requests=[(1, request("epochs", 2))])
    assert run.of(ControlApplied) == run.kept == []
    assert [log.message for log in run.of(Log)] == ["2 epochs more asked for; time alone ends this run."]
    assert run.engine.done == 30


def test_a_rate_asked_for_holds_and_falls_with_the_time_that_is_left(timed):
    rates = timed(requests=[(4, request("lr", 0.05))], schedule="triangle", lr=0.3).engine.rates
    at = 1 + 2 + 4
    assert rates[at] == pytest.approx(0.05)
    left = [0.05 * (1 - (step + 0.5) / 30) / (1 - (at + 0.5) / 30) for step in range(at, 30)]
    assert rates[at:] == pytest.approx(left, abs=1e-9)


def test_a_run_without_one_says_nothing_of_it(timed):
    run = timed(budget=None, epochs=2)
    assert run.engine.done == 2 * STEPS
    assert {str(batch.trained_seconds) for batch in run.of(Batch)} == {"UNSET"}
    assert {str(epoch.part) for epoch in run.of(EpochEnded)} == {"UNSET"}
    assert run.loop.progress.seconds == pytest.approx(2 * STEPS * STEP_SECONDS)
