from dataclasses import replace
from math import isnan

import pytest
from views import batch, epoch_ended, started, view_of

from tui import curve_lines
from tui.axes import Axis
from tui.curve_lines import ACCURACY, LOSS, best_point, newest_test, trained_line
from tui.widgets.curves import chart_of

TEN = Axis(0.0, 10.0, ("0", "10"))
TESTED = [0.90, None, 0.92, 0.95, 0.94, 0.93, 0.91, 0.90, 0.90, 0.90]
EPOCHS = [epoch_ended(at, train=0.5 + at / 100, test=test) for at, test in enumerate(TESTED, start=1)]
RUN = view_of(started(), *EPOCHS).state


def test_the_line_of_tests_has_a_point_an_epoch_and_a_gap_where_there_is_no_figure():
    line = curve_lines.tested_line(RUN, ACCURACY, TEN, 100)
    assert [x for x, _ in line] == list(range(1, 11))
    assert [None if isnan(y) else y for _, y in line] == TESTED


@pytest.mark.parametrize(
    ("low", "high", "first", "last"), [(4, 6, 3, 7), (4.5, 5.5, 4, 6), (0, 2, 1, 3), (9, 12, 8, 10)]
)
def test_a_part_comes_from_the_test_before_it_and_goes_to_the_one_after_it(low, high, first, last):
    line = curve_lines.tested_line(RUN, ACCURACY, Axis(low, high, ("a", "b")), 100)
    assert [x for x, _ in line] == list(range(first, last + 1))


def test_training_is_drawn_by_its_batches_or_where_none_was_told_of_by_its_epochs():
    assert trained_line(RUN, ACCURACY, TEN, 100) == [(at, 0.5 + at / 100) for at in range(1, 11)]
    told = view_of(started(), batch(1, 50, accuracy=0.3), *EPOCHS).state
    assert trained_line(told, ACCURACY, TEN, 100) == [(0.5, 0.3)]


@pytest.mark.parametrize(("high", "newest"), [(10, [(10, 0.90)]), (4.5, [(4, 0.95)]), (2, [(1, 0.90)]), (0.5, [])])
def test_the_newest_test_is_the_last_that_is_seen_and_has_a_figure(high, newest):
    assert newest_test(RUN, ACCURACY, Axis(0.0, high, ("a", "b"))) == newest


def test_a_chart_of_a_long_run_looks_at_each_test_once():
    looks = []
    counted = replace(ACCURACY, tested=lambda epoch: looks.append(epoch.epoch) or epoch.test_accuracy)
    chart_of(view_of(started(), *map(epoch_ended, range(1, 1001))), counted, 80, 20)
    assert len(looks) <= 1003


def test_the_best_test_has_its_point():
    assert best_point(RUN, ACCURACY) == [(4.0, 0.95)]
    assert best_point(view_of(started()).state, ACCURACY) == []


def test_a_tick_has_the_unit_of_what_is_measured():
    assert (ACCURACY.tick(0.975), LOSS.tick(0.25)) == ("97.5 %", "0.25")
