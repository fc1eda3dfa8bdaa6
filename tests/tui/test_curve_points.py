from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.detailed_series import DetailedSeries
from engines.series import Point
from tui.axes import Axis
from tui.curve_points import by_column, logarithms, points_within, seen_within, smoothed

FIVE = Axis(0.0, 5.0, ("0", "5"))
numbers = st.floats(-1e3, 1e3)


def points_of(*values, count=1):
    return [Point(float(x), y, y, y, count) for x, y in enumerate(values)]


def means(points):
    return [point.mean for point in points]


def series_of(*pairs):
    series = DetailedSeries()
    for x, y in pairs:
        series.extend([x], [y])
    return series


def test_what_is_drawn_of_the_past_stays_as_the_series_grows():
    series = series_of(*((step / 100, step % 7) for step in range(100)))
    before = by_column(series, FIVE, 50)
    for step in range(100, 300):
        series.extend([step / 100], [step % 7])
    assert by_column(series, FIVE, 50)[: len(before) - 1] == before[:-1]


def test_a_column_without_any_value_is_a_gap():
    points = by_column(series_of((0.05, 1.0), (0.06, None), (0.15, None), (0.25, 3.0)), Axis(0, 1, ("0", "1")), 10)
    assert [x for x, _ in points] == [0.06, 0.15, 0.25]
    assert points[0][1] == 1.0
    assert isnan(points[1][1])


def test_a_column_has_the_mean_of_all_values_in_it():
    points = [Point(0.01, 1.0, 1.0, 1.0, 1), Point(0.02, 4.0, 4.0, 4.0, 2), Point(0.11, 5.0, 5.0, 5.0, 1)]
    assert by_column(points, Axis(0, 1, ("0", "1")), 10) == [(0.02, 3.0), (0.11, 5.0)]


def test_a_part_has_a_point_a_column_and_one_beside_it_on_either_side():
    series = series_of(*((step / 1000, 1.0) for step in range(5_000)))
    points = points_within(series, Axis(2.0, 2.5, ("2", "2.5")), 40)
    assert 40 <= len(points) <= 42
    assert points[0][0] < 2.0
    assert points[-1][0] > 2.5


def test_the_first_smoothed_value_is_the_first_value_and_not_near_zero():
    assert means(smoothed(points_of(5.0, 5.0, 5.0), 0.99)) == pytest.approx([5.0, 5.0, 5.0])


def test_smoothing_is_the_debiased_moving_average_of_tensorboard():
    last, weight, expected = 0.0, 0.6, []
    for number, y in enumerate((1.0, 4.0, 2.0), start=1):
        last = last * weight + (1 - weight) * y
        expected.append(last / (1 - weight**number))
    assert means(smoothed(points_of(1.0, 4.0, 2.0), weight)) == pytest.approx(expected)


def test_a_gap_stays_a_gap_and_changes_nothing():
    with_gap = means(smoothed(points_of(1.0, nan, 4.0), 0.9))
    assert isnan(with_gap[1])
    assert [with_gap[0], with_gap[2]] == pytest.approx(means(smoothed(points_of(1.0, 4.0), 0.9)))


@given(st.lists(numbers, min_size=1, max_size=20), st.integers(1, 5), st.sampled_from([0.6, 0.9, 0.99]))
def test_a_point_weighs_as_much_as_the_values_that_it_stands_for(values, count, weight):
    apart = means(smoothed(points_of(*(y for y in values for _ in range(count))), weight))[count - 1 :: count]
    assert means(smoothed(points_of(*values, count=count), weight)) == pytest.approx(apart, rel=1e-6, abs=1e-6)


def test_a_smoothed_part_is_the_same_line_as_the_whole():
    series = series_of(*((step / 64, float(step % 13)) for step in range(256)))
    whole = dict(points_within(series, Axis(0.0, 4.0, ("0", "4")), 256, 0.9))
    part = points_within(series, Axis(2.0, 3.0, ("2", "3")), 64, 0.9)
    assert [y for _, y in part] == pytest.approx([whole[x] for x, _ in part])
    assert {*part}.isdisjoint(points_within(series, Axis(2.0, 3.0, ("2", "3")), 64))
    assert points_within(series_of(), Axis(2.0, 3.0, ("2", "3")), 64, 0.9) == []


def test_what_is_seen_of_a_line_has_the_values_with_which_it_comes_in_and_goes_out():
    line = [(0.0, 10.0), (2.0, 20.0), (4.0, nan), (5.0, 40.0), (7.0, 60.0)]
    assert sorted(y for y in seen_within(line, Axis(1.0, 6.0, ("1", "6"))) if not isnan(y)) == [15, 20, 40, 50]
    assert seen_within(line[:2], Axis(0.5, 1.0, ("0.5", "1"))) == [12.5, 15.0]
    assert seen_within([], Axis(0.0, 1.0, ("0", "1"))) == []


def test_what_has_no_logarithm_is_missing():
    points = logarithms([(0, 100.0), (1, 0.0), (2, -1.0), (3, nan)])
    assert points[0] == (0, 2.0)
    assert all(isnan(y) for _, y in points[1:])
