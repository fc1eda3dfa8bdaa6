"""How long a run is and what is left of it, as its events tell, by epochs or by a budget."""

import msgspec
import pytest
from views import STEPS, batch, epoch_ended, started

from engines import outlook
from engines.run_state import RunState
from engines.spec import RunSpec


def fold(*events):
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def timed(budget=60.0, epochs=None):
    return started(budget=budget, epochs=epochs)


def spent(seconds, epoch=1, step=50):
    return msgspec.structs.replace(batch(epoch, step), trained_seconds=seconds)


def ended(number, epochs=10, **fields):
    return msgspec.structs.replace(epoch_ended(number), epochs=epochs, **fields)


def test_of_a_run_that_has_not_begun_only_what_is_asked_is_known():
    state = RunState()
    assert (outlook.part_done(state), outlook.seconds_left(state), outlook.epochs_in_all(state)) == (0.0, None, 1)
    assert outlook.epochs_in_all(state, RunSpec(epochs=7)) == 7


def test_time_left_follows_the_last_epoch_or_the_rate_of_the_first():
    assert outlook.seconds_left(fold(started())) is None
    assert outlook.seconds_left(fold(started(), batch(1, 50, rate=64.0))) == pytest.approx(4.5 * STEPS * 32 / 64)
    assert outlook.seconds_left(fold(started(), epoch_ended(1), epoch_ended(2))) == pytest.approx(3 * 6.5)
    assert outlook.seconds_left(fold(started(), *map(epoch_ended, range(1, 6)))) == 0.0


def test_in_the_first_epoch_a_slow_moment_does_not_throw_the_time_left_about():
    warm_up, steady = batch(1, 1, rate=10.0), [batch(1, step, rate=1000.0) for step in range(10, 91, 10)]
    assert outlook.seconds_left(fold(started(), warm_up, *steady)) == pytest.approx(4.1 * STEPS * 32 / 1000)
    slow = outlook.seconds_left(fold(started(), warm_up, *steady, batch(1, 91, rate=100.0)))
    assert slow == pytest.approx(4.09 * STEPS * 32 * (89 / 1000 + 1 / 100) / 90)
    assert outlook.seconds_left(fold(started(), batch(1, 1, rate=0.0))) is None


def test_time_left_after_an_epoch_that_ended_in_its_middle_is_that_of_whole_ones():
    quarter = ended(1, part=0.25)
    more = msgspec.structs.replace(started(), attempt=2, steps_done=STEPS // 4)
    assert outlook.seconds_left(fold(timed(), quarter, more)) == pytest.approx(4.75 * (4 * 6.0 + 0.5))


def test_by_epochs_the_part_done_is_that_of_the_epochs():
    state = fold(started(), batch(2, 50))
    assert outlook.part_done(state) == pytest.approx(1.5 / 5)
    assert outlook.epochs_in_all(state) == 5


def test_by_a_budget_it_is_the_part_that_is_spent():
    assert outlook.seconds_left(fold(timed())) == 60.0
    state = fold(timed(), spent(15.0))
    assert (outlook.part_done(state), outlook.seconds_left(state)) == (0.25, 45.0)
    assert outlook.seconds_left(fold(timed(), spent(61.0))) == 0.0
    assert outlook.part_done(fold(timed(), spent(61.0))) == 1.0


def test_what_earlier_attempts_spent_counts_before_the_next_has_said_a_word():
    assert outlook.seconds_left(fold(timed(), ended(1), ended(2))) == 60.0 - 2 * 6.0


def test_how_many_epochs_there_is_time_for_is_what_the_worker_said_last():
    assert outlook.epochs_in_all(fold(timed())) == 1
    assert outlook.epochs_in_all(fold(timed(), spent(15.0))) == 2
    assert outlook.epochs_in_all(fold(timed(), spent(6.0, step=100), ended(1, epochs=10))) == 10
    assert outlook.epochs_in_all(fold(timed(), ended(1, epochs=1), spent(7.0, epoch=3))) == 3


def test_what_comes_first_ends_a_run_that_has_both():
    state = fold(timed(budget=60.0, epochs=2), spent(6.0))
    assert outlook.part_done(state) == 0.25
    assert outlook.seconds_left(state) == pytest.approx(1.5 * STEPS * 32 / 9481)
    assert outlook.part_done(fold(timed(budget=8.0, epochs=20), spent(6.0))) == 0.75


@pytest.mark.parametrize(
    ("spec", "epochs_done", "is_completed", "is_done"),
    [
        (RunSpec(epochs=3), 3, True, True),
        (RunSpec(epochs=3), 2, True, True),
        (RunSpec(epochs=3), 2, False, False),
        (RunSpec(epochs=3), 3, False, True),
        (RunSpec(epochs=None, budget=9.0), 3, True, True),
        (RunSpec(epochs=None, budget=9.0), 3, False, False),
    ],
)
def test_a_run_is_done_once_it_did_all_that_was_asked(spec, epochs_done, is_completed, is_done):
    assert outlook.is_done(spec, epochs_done, is_completed=is_completed) == is_done
