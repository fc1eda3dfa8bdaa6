import pytest
from views import batch

from engines.epoch_tail import EpochTail


def means(*events, steps_done=0):
    tail = EpochTail(steps_done)
    return [tail.take(event) for event in events]


def test_a_few_last_steps_of_an_epoch_are_shown_with_those_before_them():
    shown = means(batch(1, 50, 1.0, 0.5), batch(1, 98, 0.5, 0.9), batch(1, 100, 2.0, 0.4))
    assert shown[:2] == [(1.0, 0.5), (0.5, 0.9)]
    assert shown[2] == (pytest.approx(0.56), pytest.approx(0.88))


def test_a_few_steps_within_an_epoch_stand_for_themselves():
    assert means(batch(1, 50, 1.0, 0.5), batch(1, 52, 0.5, 0.9))[-1] == (0.5, 0.9)


def test_as_many_steps_as_before_stand_for_themselves_and_so_does_a_new_epoch():
    events = (batch(1, 50, 1.0, 0.5), batch(1, 100, 0.5, 0.9), batch(2, 2, 0.4, 0.8), batch(2, 10, 0.3, 0.9))
    assert means(*events) == [(event.loss, event.accuracy) for event in events]


def test_a_gap_at_the_end_or_before_it_stays_a_gap():
    assert means(batch(1, 98, 0.5, 0.9), batch(1, 100, None, 0.4))[-1][0] is None
    assert means(batch(1, 98, None, 0.9), batch(1, 100, 0.5, 0.4))[-1][0] is None


def test_the_first_batch_of_an_attempt_is_one_of_the_steps_since_it_began():
    events = (batch(1, 98, 0.5, 0.9), batch(1, 99, 0.4, 0.8), batch(1, 100, 0.3, 0.7))
    assert means(*events, steps_done=97) == [(event.loss, event.accuracy) for event in events]
    assert means(*events, steps_done=50)[-1] == (0.3, 0.7)
    assert means(batch(1, 98, 0.5, 0.9), batch(1, 100, 0.3, 0.7), steps_done=50)[-1] == (
        pytest.approx((0.5 * 48 + 0.3 * 2) / 50),
        pytest.approx((0.9 * 48 + 0.7 * 2) / 50),
    )
