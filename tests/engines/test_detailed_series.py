"""A line that can be looked at closely: more detail of a part, in bounded memory, and the same line as a whole."""

from math import inf, isclose, isfinite, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from long_lists import long_lists

from engines.detailed_series import DetailedSeries
from engines.series import Series

VALUES = st.floats(-1e6, 1e6, allow_subnormal=False)
GAPPY = long_lists(VALUES | st.none() | st.sampled_from([nan, inf]))


def filled(values, capacity=8, detail=64, kind=DetailedSeries):
    series = kind(capacity, detail) if kind is DetailedSeries else kind(capacity)
    for x, value in enumerate(values):
        series.extend([x], [value])
    return series


def places(points):
    return [point.x for point in points]


@given(GAPPY)
def test_as_a_whole_it_is_the_plain_series(values):
    assert repr(list(filled(values))) == repr(list(filled(values, kind=Series)))


@given(GAPPY, st.integers(1, 100), st.integers(-1, 310))
def test_many_at_once_are_the_same_as_one_by_one(values, at_once, cut):
    one_by_one, many = filled(values), DetailedSeries(8, 64)
    for begin in range(0, len(values), at_once):
        many.extend(range(len(values))[begin : begin + at_once], values[begin : begin + at_once])
    for series in (one_by_one, many):
        series.cut_after(cut)
        series.extend([999.0, 1000.0], [7.0, 8.0])
    assert repr([list(many), many.zoomed(-1, 1e9, 999)]) == repr([list(one_by_one), one_by_one.zoomed(-1, 1e9, 999)])


def test_a_part_has_every_value_where_the_whole_line_is_thinned():
    series = filled(range(64))
    assert len(series) <= 8
    assert places(series.zoomed(10, 20, 8)) == list(range(9, 22))
    assert [point.mean for point in series.zoomed(10, 12, 8)] == [9, 10, 11, 12, 13]


def test_the_thinned_line_is_given_where_it_is_fine_enough():
    series = filled(range(64))
    assert series.zoomed(0, 63, len(series)) == list(series)


@given(long_lists(VALUES, min_size=1), st.integers(2, 20).map(lambda half: 2 * half))
def test_the_detail_is_bounded_too_and_keeps_the_mean(values, detail):
    points = filled(values, 2, detail).zoomed(-1, 1_000, 10_000)
    assert min(len(values), detail // 2) <= len(points) <= detail
    assert places(points) == sorted(set(places(points)))
    assert points[-1].x == len(values) - 1
    if len(values) % points[0].count == 0:
        assert isclose(sum(p.mean for p in points) / len(points), sum(values) / len(values), rel_tol=1e-9, abs_tol=1e-6)


def test_a_gap_stays_one_until_it_is_narrower_than_a_point():
    series = filled([1.0, None, None, 3.0], detail=4)
    assert [isnan(point.mean) for point in series.zoomed(0, 9, 99)] == [False, True, True, False]
    series.extend([4], [None])
    assert [point.mean for point in series.zoomed(0, 9, 99)][:2] == [1.0, 3.0]


@given(GAPPY, st.integers(-1, 310))
def test_nothing_is_left_beyond_a_cut_and_what_comes_then_is_not_mixed_with_it(values, x):
    series = filled(values)
    series.cut_after(x)
    kept = series.zoomed(-1, 999, 999)
    assert all(point.x <= x for point in kept)
    series.extend([max(x, 0) + 1], [7.0])
    *before, newest = series.zoomed(-1, 999, 999)
    assert newest.x == max(x, 0) + 1
    if len(kept) < 64:  # Else there was no room for one more, and all had to be thinned.
        assert repr(before) == repr(kept)
        assert newest.mean == 7.0


@pytest.mark.parametrize(("x", "found"), [(-5, 0), (2.4, 2), (2.6, 3), (99, 9)])
def test_the_nearest_is_found_among_the_finest(x, found):
    assert filled(range(10), capacity=2).nearest(x).x == found


def test_nothing_is_near_an_empty_line_and_a_gap_is_told_of_as_one():
    assert DetailedSeries().nearest(1) is None
    assert not isfinite(filled([1.0, None]).nearest(1).mean)
