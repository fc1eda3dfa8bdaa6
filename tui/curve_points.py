"""The numbers of a curve: points to one a column, smoothed, on a logarithmic scale. A value that is missing is NaN."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import floor, isnan, log10, nan

from engines.detailed_series import DetailedSeries
from engines.series import Point
from tui.axes import Axis

Points = list[tuple[float, float]]

_POINTS_A_COLUMN = 2


def points_within(series: DetailedSeries, axis: Axis, columns: int, smoothing: float = 0.0) -> Points:
    """Give the line of `series` along `axis`, a point a column, as a moving average where `smoothing` is above 0."""
    points = series.zoomed(axis.low, axis.high, columns * _POINTS_A_COLUMN)
    if smoothing and points:
        before = [point for point in series if point.x < points[0].x]
        points = smoothed([*before, *points], smoothing)[len(before) :]
    return by_column(points, axis, columns)


def by_column(points: Iterable[Point], axis: Axis, columns: int) -> Points:
    """Give the means of `points` in `columns` equal parts of `axis`, and those beside it; an empty part has none.

    The parts stay where they are while a line grows, so that what was drawn stays as it is.
    """
    sums: dict[int, tuple[float, float, int]] = {}
    width = (axis.high - axis.low) / columns
    for point in points:
        column = floor((point.x - axis.low) / width)
        _, total, count = sums.get(column, (0.0, 0.0, 0))
        weight = 0 if isnan(point.mean) else point.count
        sums[column] = point.x, total + (point.mean * weight if weight else 0.0), count + weight
    return [(x, total / count if count else nan) for x, total, count in sums.values()]


def smoothed(points: Iterable[Point], weight: float) -> list[Point]:
    """Give the exponential moving average of `points`, in which what came before has `weight` (0 to 1).

    As in TensorBoard: without the bias towards zero at the beginning, and a gap stays one and changes nothing. A point
    that stands for several values weighs as much as they do.
    """
    average, share, result = 0.0, 0.0, []
    for point in points:
        if isnan(point.mean):
            result.append(point)
            continue
        kept = weight**point.count
        average = average * kept + point.mean * (1 - kept)
        share = share * kept + (1 - kept)
        y = average / share
        result.append(Point(point.x, y, y, y, point.count))
    return result


def seen_within(points: Sequence[tuple[float, float]], axis: Axis) -> list[float]:
    """Give the values of a line along `axis`: those of its points, and those with which it comes in and goes out."""
    seen = [y for x, y in points if axis.low <= x <= axis.high]
    for (x, y), (next_x, next_y) in pairwise(points):
        seen += [y + (next_y - y) * (end - x) / (next_x - x) for end in (axis.low, axis.high) if x < end < next_x]
    return seen


def logarithms(points: Sequence[tuple[float, float]]) -> Points:
    """Give the logarithms to base 10 of the values; what has none is missing."""
    return [(x, log10(y) if y > 0 else nan) for x, y in points]
