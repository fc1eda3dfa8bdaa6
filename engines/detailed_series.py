"""A line with more detail where only a part of it is looked at, in bounded memory too."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import isfinite

from engines.series import Point, Series

DETAIL_POINTS = 1 << 14
"""Enough for every column of a wide terminal at a sixty-fold zoom, in a quarter of a megabyte."""


class DetailedSeries(Series):
    """A series, and beside it the same line in up to `detail` points, an even number of them, as plain numbers."""

    def __init__(self, capacity: int = 1024, detail: int = DETAIL_POINTS) -> None:
        super().__init__(capacity)
        self._detail = detail
        self._xs = array("d")
        self._ys = array("d")
        self._per_number = 1
        self._in_newest = 1

    def _take(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        super()._take(xs, ys)
        at = 0
        while at < len(xs):
            if self._in_newest < self._per_number:
                end = min(len(xs), at + self._per_number - self._in_newest)
                mean = self._ys[-1]
                for count, y in enumerate(ys[at:end], self._in_newest + 1):
                    mean = _mean(mean, y, count)
                self._xs[-1], self._ys[-1] = xs[end - 1], mean
                self._in_newest += end - at
            else:
                if len(self._xs) >= self._detail:
                    self._thin()
                # Where each has a point of its own, all that there is room for.
                end = min(len(xs), at + self._detail - len(self._xs)) if self._per_number == 1 else at + 1
                self._xs.extend(xs[at:end])
                self._ys.extend(ys[at:end])
                self._in_newest = 1
            at = end

    def cut_after(self, x: float) -> None:
        """See `Series.cut_after`."""
        super().cut_after(x)
        end = bisect_right(self._xs, x)
        del self._xs[end:], self._ys[end:]
        self._in_newest = self._per_number

    def zoomed(self, low: float, high: float, wanted: int) -> list[Point]:
        """Give the points from `low` to `high` as `between` does: the fewer ones, if they are `wanted` at least."""
        points = self.between(low, high)
        if len(points) >= wanted:
            return points
        places = range(max(0, bisect_left(self._xs, low) - 1), min(len(self._xs), bisect_right(self._xs, high) + 1))
        return [self._point(at) for at in places]

    def nearest(self, x: float) -> Point | None:
        """Give the point nearest to `x`, of the finest that there are, be it a gap; None where there is none at all."""
        after = bisect_left(self._xs, x)
        places = [at for at in (after - 1, after) if 0 <= at < len(self._xs)]
        return self._point(min(places, key=lambda at: abs(self._xs[at] - x))) if places else None

    def _point(self, at: int) -> Point:
        y = self._ys[at]
        return Point(self._xs[at], y, y, y, self._per_number)

    def _thin(self) -> None:
        pairs = zip(self._ys[::2], self._ys[1::2], strict=True)
        self._ys = array("d", [_mean(a, b, 2) for a, b in pairs])
        self._xs = self._xs[1::2]
        self._per_number *= 2


def _mean(mean: float, y: float, count: int) -> float:
    """Take `y` as the last of `count` numbers into their `mean`; one that is missing changes nothing."""
    if not isfinite(y):
        return mean
    return mean + (y - mean) / count if isfinite(mean) else y
