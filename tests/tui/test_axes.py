import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.axes import accuracy_axis, epoch_axis, fitted_axis, log_loss_axis, loss_axis, seconds_axis, still_fits

LOSSES = st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=70)
ROWS = st.integers(5, 60)


def check_ticks(axis, numbers):
    """The labels are the numbers evenly apart from one end to the other, and their distance is a round one."""
    step = (axis.high - axis.low) / (len(numbers) - 1)
    assert numbers == pytest.approx([axis.low + step * at for at in range(len(numbers))], rel=1e-3, abs=step / 100)
    assert f"{step:.4e}".split("e")[0] in {"1.0000", "2.0000", "2.5000", "5.0000"}


@pytest.mark.parametrize(
    ("values", "low"), [([0.1] * 9, 0.0), ([0.1, *[0.85] * 20], 0.8), ([0.93] * 9, 0.9), ([0.99] * 9, 0.98), ([], 0.0)]
)
def test_accuracy_begins_where_nearly_all_values_are(values, low):
    axis = accuracy_axis(values, 16)
    assert (axis.low, axis.high, axis.labels[-1]) == (low, 1.0, "100 %")


@pytest.mark.parametrize(
    ("lowest", "low"), [(0.98, 0.98), (0.979, 0.95), (0.95, 0.95), (0.9, 0.9), (0.8, 0.8), (0.5, 0.5), (0.49, 0)]
)
def test_accuracy_begins_at_the_highest_round_number_below_all_but_a_tenth(lowest, low):
    assert accuracy_axis([math.nan, 0.1, *[lowest] * 9], 16).low == low
    assert accuracy_axis([0.1, 0.1, *[lowest] * 9], 16).low == 0


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=20), ROWS)
def test_the_ticks_of_accuracy_are_round_and_even(values, rows):
    axis = accuracy_axis(values, rows)
    *numbers, last = axis.labels
    assert last == "100 %"
    check_ticks(axis, [*[float(number) / 100 for number in numbers], 1.0])


@pytest.mark.parametrize(("rows", "intervals"), [(5, 2), (8, 2), (9, 4), (11, 5), (13, 4)])
def test_ticks_are_as_many_as_leave_the_fewest_lines_empty_and_none_beside_another(rows, intervals):
    assert len(accuracy_axis([0.1], rows).labels) == intervals + 1


@given(LOSSES, ROWS)
def test_the_ticks_of_a_loss_are_round_and_even_and_little_stays_empty_above(values, rows):
    axis = loss_axis([*values, math.inf, math.nan], rows)
    check_ticks(axis, [float(label) for label in axis.labels])
    most = sorted(values)[-1 - len(values) // 30]
    assert axis.low == 0
    assert 1.05 * most <= axis.high * (1 + 1e-9)
    assert axis.high <= (2.2 if rows < 9 else 1.7) * most


def test_a_loss_axis_holds_nearly_all_values_and_ends_at_a_round_number():
    assert loss_axis([0.3, 0.2, 0.1], 13).labels == ("0", "0.1", "0.2", "0.3", "0.4")
    spike = loss_axis([50.0, *[0.3] * 99], 13)
    assert spike.high < 1
    assert loss_axis([], 13).high == pytest.approx(1.2)
    assert 0 < loss_axis([0.0], 13).high < loss_axis([1e300], 13).high < math.inf


def test_a_logarithmic_axis_has_powers_of_ten():
    assert log_loss_axis([-3.2, 0.4]).labels == ("0.0001", "0.001", "0.01", "0.1", "1", "10")
    assert log_loss_axis([]).labels == ("0.1", "0.32", "1")
    assert log_loss_axis([0.0]).labels == ("1", "3.2", "10")
    assert log_loss_axis([-2.5, -0.5]).labels == ("0.001", "0.01", "0.1", "1")


@given(st.lists(st.floats(), max_size=9))
def test_a_logarithmic_axis_holds_all_that_can_be_told_apart_with_few_ticks(logarithms):
    axis = log_loss_axis(logarithms)
    step = (axis.high - axis.low) / (len(axis.labels) - 1)
    assert [math.log10(float(label)) for label in axis.labels] == pytest.approx(
        [axis.low + step * at for at in range(len(axis.labels))], abs=0.01
    )
    assert 3 <= len(axis.labels) <= 7
    for logarithm in filter(math.isfinite, logarithms):
        assert axis.low <= max(-30, min(30, logarithm)) <= axis.high


def test_an_epoch_axis_shows_a_short_run_whole_and_a_long_one_as_far_as_it_soon_is():
    assert epoch_axis(0.5, 5).labels == ("0", "1", "2", "3", "4", "5")
    assert epoch_axis(0.5, 100).high == 10
    assert epoch_axis(15, 100).labels == ("0", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20")
    assert epoch_axis(99, 100).high == 100
    assert epoch_axis(0.0, 10).labels == tuple(map(str, range(11)))
    assert epoch_axis(0.0, 0).labels == ("0", "1")
    assert epoch_axis(10, 100).high == 10
    assert epoch_axis(6.5, 5).high == 7
    assert len(epoch_axis(1e12, 5).labels) <= 11


@given(st.floats(1e-3, 1e9))
def test_an_axis_of_seconds_has_round_and_even_ticks_up_to_the_last(last):
    axis = seconds_axis(last)
    *numbers, end = axis.labels
    check_ticks(axis, [float(number) for number in (*numbers, end.removesuffix(" s"))])
    assert end.endswith(" s")
    assert axis.low == 0
    assert last * (1 - 1e-9) <= axis.high <= 1.26 * last
    assert len(axis.labels) <= 9


def test_an_axis_of_no_time_or_of_endless_time_is_one_all_the_same():
    assert 0 < seconds_axis(0.0).high < seconds_axis(1e300).high < math.inf


def test_an_axis_fits_as_long_as_nearly_all_values_are_in_it_and_fill_half_of_it():
    axis = fitted_axis([0.2, 0.4], 16, str)
    assert still_fits(axis, [0.25, 0.4])
    assert still_fits(axis, [*[0.21, 0.39] * 20, 5.0])
    assert still_fits(axis, [math.nan])
    assert not still_fits(axis, [0.2, 0.5])
    assert not still_fits(axis, [0.1, 0.4])
    assert not still_fits(axis, [0.26, 0.35])
    assert still_fits(axis, [0.24, 0.36])


@pytest.mark.parametrize(("of_usual", "is_passed_over"), [(28, True), (27, False)])
def test_of_thirty_values_the_highest_and_the_lowest_do_not_matter(of_usual, is_passed_over):
    usual = ([0.2, 0.4] * 14)[:of_usual]
    values = [-9.0, *usual, 9.0]
    assert (fitted_axis(values, 16, str) == fitted_axis(usual, 16, str)) == is_passed_over
    assert still_fits(fitted_axis(usual, 16, str), values) == is_passed_over
    assert (loss_axis(values, 16) == loss_axis(usual, 16)) == is_passed_over


def test_what_is_to_be_kept_is_no_outlier_however_few_it_is():
    usual, kept = [0.2, 0.4] * 60, [0.9, math.nan]
    axis = fitted_axis(usual, 16, str, kept=kept)
    assert axis.low <= min(usual)
    assert axis.high >= kept[0]
    assert still_fits(axis, usual, kept=kept)
    assert not still_fits(fitted_axis(usual, 16, str), usual, kept=kept)


def test_a_fitted_axis_lies_between_round_numbers_close_around_the_values():
    assert fitted_axis([0.93, 0.95], 16, "{:.4g}".format).labels == ("0.93", "0.935", "0.94", "0.945", "0.95")
    assert fitted_axis([1.0] * 9, 16, "{:.4g}".format).labels[-1] == "1"
    assert fitted_axis([], 16, str).low == 0.0
    assert fitted_axis([], 16, str).high == pytest.approx(1)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40), st.integers(5, 60))
def test_a_fitted_axis_holds_nearly_all_values_whatever_they_are(values, rows):
    axis = fitted_axis(values, rows, str)
    assert axis.low < axis.high
    finite = sorted(min(1e30, max(-1e30, value)) for value in values if math.isfinite(value))
    inner = finite[len(finite) // 30 : len(finite) - len(finite) // 30] or [0.0, 1.0]
    slack = (axis.high - axis.low) * 1e-6
    assert all(axis.low - slack <= value <= axis.high + slack for value in inner)
    check_ticks(axis, [float(label) for label in axis.labels])
    assert 3 <= len(axis.labels) <= 9
    widest = max(inner[-1] - inner[0], 1e-6, abs(inner[-1]) / 500)
    # Up to eight rows have room for three intervals at most, of a step that may be as long as the values reach.
    assert axis.high - axis.low <= (2.01 if rows > 8 else 4.01) * widest


def test_where_there_is_room_for_three_ticks_only_values_may_take_a_quarter_of_the_axis():
    assert fitted_axis([6.390000000010001e16], 5, str).labels == ("6.36e+16", "6.38e+16", "6.4e+16")
