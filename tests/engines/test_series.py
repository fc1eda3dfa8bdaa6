"""A line of bounded length: however long the run, its points are the plain means of what they stand for."""

from math import inf, isclose, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from long_lists import long_lists

from engines.series import Series

VALUES = st.floats(-1e6, 1e6, allow_subnormal=False) | st.just(0.5)
GAPPY = long_lists(VALUES | st.none() | st.sampled_from([nan, inf, -inf]))
CAPACITIES = st.integers(2, 20)


def filled(values, capacity=1024):
    series = Series(capacity)
    for x, value in enumerate(values):
        series.extend([x], [value])
    return series


def is_number(value):
    return value is not None and isfinite(value)


def groups(series, values):
    """Give each point with the values that arrived after the point before it, up to its own place."""
    begin = 0
    for point in series:
        yield point, [value for value in values[begin : int(point.x) + 1] if is_number(value)]
        begin = int(point.x) + 1


def test_a_short_line_is_kept_as_it_is():
    assert [(point.x, point.mean) for point in filled([3.0, 1.0, 2.0])] == [(0, 3.0), (1, 1.0), (2, 2.0)]


def test_a_full_line_is_halved():
    series = filled([1.0, 3.0, 5.0, 7.0, 10.0, 20.0], capacity=4)
    assert [(p.x, p.mean, p.low, p.high, p.count) for p in series] == [
        (1, 2.0, 1.0, 3.0, 2),
        (3, 6.0, 5.0, 7.0, 2),
        (5, 15.0, 10.0, 20.0, 2),
    ]


@given(long_lists(VALUES), CAPACITIES)
def test_there_are_never_more_points_than_the_capacity_nor_fewer_than_half(values, capacity):
    series = filled(values, capacity)
    assert min(len(values), capacity // 2) <= len(series) <= capacity


@given(long_lists(VALUES, min_size=1), CAPACITIES)
def test_every_point_stands_for_as_many_values_as_any_other_but_for_the_newest(values, half):
    *counts, newest = [point.count for point in filled(values, 2 * half)]
    assert len(set(counts)) <= 1
    assert not counts or newest <= counts[0]


@given(GAPPY, CAPACITIES)
def test_every_point_is_the_plain_mean_and_the_extremes_of_its_values(values, capacity):
    series = filled(values, capacity)
    assert (len(series) == 0) == (not values)
    assert not values or list(series)[-1].x == len(values) - 1
    for point, stood_for in groups(series, values):
        if stood_for:
            assert isclose(point.mean, sum(stood_for) / len(stood_for), rel_tol=1e-9, abs_tol=1e-6)
            assert (point.low, point.high, point.count) == (min(stood_for), max(stood_for), len(stood_for))
        else:
            assert not isfinite(point.mean)


@given(long_lists(VALUES, min_size=1), CAPACITIES)
def test_the_mean_over_the_whole_line_survives_every_thinning(values, capacity):
    points = list(filled(values, capacity))
    assert sum(point.count for point in points) == len(values)
    weighted = sum(point.mean * point.count for point in points) / len(values)
    assert isclose(weighted, sum(values) / len(values), rel_tol=1e-9, abs_tol=1e-6)
    assert min(point.low for point in points) == min(values)
    assert max(point.high for point in points) == max(values)


@pytest.mark.parametrize("missing", [None, nan, inf, -inf])
def test_a_missing_value_is_a_gap_between_two_points(missing):
    points = list(filled([1.0, missing, 3.0]))
    assert [isfinite(point.mean) for point in points] == [True, False, True]


def test_last_is_the_newest_value_or_none_in_a_gap():
    assert Series().last() is None
    assert filled([1.0, 2.0, 3.0]).last() == 3.0
    assert filled([1.0, None]).last() is None


def test_a_part_has_the_points_in_it_and_one_beside_it_on_either_side():
    series = filled([0.0] * 10)
    assert [point.x for point in series.between(3, 5)] == [2, 3, 4, 5, 6]
    assert [point.x for point in series.between(3.5, 3.6)] == [3, 4]
    assert [point.x for point in series.between(-9, 99)] == list(range(10))


@given(GAPPY, CAPACITIES, st.integers(-1, 310))
def test_cutting_leaves_nothing_beyond_and_whole_points_before(values, capacity, x):
    series = filled(values, capacity)
    before = [point.x for point in series if point.x <= x]
    series.cut_after(x)
    assert [point.x for point in series] == before


def test_what_is_appended_after_a_cut_is_never_mixed_into_what_lies_before_it():
    series = filled([1.0] * 9, capacity=4)
    series.cut_after(5)
    kept = [(point.x, point.mean) for point in series]
    series.extend([6], [100.0])
    assert [(point.x, point.mean) for point in series][:-1] == kept
    assert series.last() == 100.0


@given(long_lists(VALUES), long_lists(VALUES), CAPACITIES, st.integers(0, 100))
def test_a_line_goes_on_after_a_cut_in_order_and_within_its_capacity(first, second, capacity, x):
    series = filled(first, capacity)
    series.cut_after(x)
    for i, value in enumerate(second):
        series.extend([x + i], [value])
    places = [point.x for point in series]
    assert places == sorted(places)
    assert len(places) <= capacity
