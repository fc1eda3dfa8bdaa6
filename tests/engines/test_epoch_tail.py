import pytest
from views import batch

from engines.epoch_tail import EpochTail


def means(*events):
    tail = EpochTail()
    return [tail.take(event) for event in events]


def test_a_few_last_steps_of_an_epoch_are_shown_with_those_before_them():
    shown = means(batch(1, 50, 1.0, 0.5), batch(1, 98, 0.5, 0.9), batch(1, 100, 2.0, 0.4))
    assert shown[:2] == [(1.0, 0.5), (0.5, 0.9)]
    assert shown[2] == (pytest.approx(0.56), pytest.approx(0.88))


def test_as_many_steps_as_before_stand_for_themselves_and_so_does_a_new_epoch():
    events = (batch(1, 50, 1.0, 0.5), batch(1, 100, 0.5, 0.9), batch(2, 2, 0.4, 0.8), batch(2, 10, 0.3, 0.9))
    assert means(*events) == [(event.loss, event.accuracy) for event in events]


def test_a_gap_at_the_end_stays_a_gap():
    assert means(batch(1, 98, 0.5, 0.9), batch(1, 100, None, 0.4))[-1][0] is None
