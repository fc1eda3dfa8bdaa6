import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.axes import accuracy_axis, epoch_axis, fitted_axis, log_loss_axis, loss_axis, still_fits


@pytest.mark.parametrize(
    ("values", "low"), [([0.1] * 9, 0.0), ([0.1, *[0.85] * 20], 0.8), ([0.93] * 9, 0.9), ([0.99] * 9, 0.98), ([], 0.0)]
)
def test_accuracy_begins_where_nearly_all_values_are(values, low):
    axis = accuracy_axis(values, 16)
    assert (axis.low, axis.high, axis.labels[-1]) == (low, 1.0, "100 %")


def test_a_loss_axis_holds_nearly_all_values_and_ends_at_a_round_number():
    assert loss_axis([0.3, 0.2, 0.1], 13).labels == ("0", "0.1", "0.2", "0.3", "0.4")
    spike = loss_axis([50.0, *[0.3] * 99], 13)
    assert spike.high < 1


def test_a_logarithmic_axis_has_powers_of_ten():
    assert log_loss_axis([-3.2, 0.4]).labels == ("0.0001", "0.001", "0.01", "0.1", "1", "10")


def test_an_epoch_axis_shows_a_short_run_whole_and_a_long_one_as_far_as_it_soon_is():
    assert epoch_axis(0.5, 5).labels == ("0", "1", "2", "3", "4", "5")
    assert epoch_axis(0.5, 100).high == 10
    assert epoch_axis(15, 100).labels == ("0", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20")
    assert epoch_axis(99, 100).high == 100
    assert len(epoch_axis(1e12, 5).labels) <= 11


def test_an_axis_fits_as_long_as_nearly_all_values_are_in_it_and_fill_half_of_it():
    axis = fitted_axis([0.2, 0.4], 16, str)
    assert still_fits(axis, [0.25, 0.4])
    assert still_fits(axis, [*[0.21, 0.39] * 20, 5.0])
    assert still_fits(axis, [math.nan])
    assert not still_fits(axis, [0.2, 0.5])
    assert not still_fits(axis, [0.29, 0.31])


def test_a_fitted_axis_lies_between_round_numbers_close_around_the_values():
    assert fitted_axis([0.93, 0.95], 16, "{:.4g}".format).labels == ("0.93", "0.935", "0.94", "0.945", "0.95")
    assert fitted_axis([1.0] * 9, 16, "{:.4g}".format).labels[-1] == "1"
    assert fitted_axis([], 16, str).low == 0.0


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40), st.integers(3, 60))
def test_a_fitted_axis_holds_nearly_all_values_whatever_they_are(values, rows):
    axis = fitted_axis(values, rows, str)
    assert axis.low < axis.high
    finite = sorted(min(1e30, max(-1e30, value)) for value in values if math.isfinite(value))
    inner = finite[len(finite) // 30 : len(finite) - len(finite) // 30]
    slack = (axis.high - axis.low) * 1e-6
    assert all(axis.low - slack <= value <= axis.high + slack for value in inner)
