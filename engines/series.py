"""A line of bounded length: as a run goes on, neighbours are merged, and it never has more than `capacity` points."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from math import inf, isfinite, nan

import msgspec


class Point(msgspec.Struct):
    """The mean of `count` values around `x`, and their extremes; all three are NaN where every value was missing."""

    x: float
    mean: float
    low: float
    high: float
    count: int = 1

    def take(self, x: float, ys: Sequence[float]) -> None:
        """Take in more values, the last of them at `x`; those that are missing only move the point along."""
        self.x = x
        numbers = [y for y in ys if isfinite(y)]
        if not numbers:
            return
        if not isfinite(self.mean):
            self.mean, self.low, self.high, self.count = 0.0, inf, -inf, 0
        mean, count = self.mean, self.count
        for y in numbers:
            count += 1
            mean += (y - mean) / count
        self.mean, self.count = mean, count
        self.low = min(self.low, *numbers)
        self.high = max(self.high, *numbers)


class Series:
    """Values by position, thinned by halving: twice as many arrive in each point every time it is full."""

    def __init__(self, capacity: int = 1024) -> None:
        self._capacity = capacity
        self._points: list[Point] = []
        self._per_point = 1
        self._in_last = 0

    def __len__(self) -> int:
        return len(self._points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self._points)

    def extend(self, xs: Sequence[float], values: Sequence[float | None]) -> None:
        """Append each of `values` at its place in `xs`, at or after the last; None or what is not finite is a gap."""
        self._take(xs, [y if y is not None and isfinite(y) else nan for y in values])

    def _take(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        at = 0
        while at < len(xs):
            if self._in_last < self._per_point and self._points:
                end = min(len(xs), at + self._per_point - self._in_last)
                self._points[-1].take(xs[end - 1], ys[at:end])
                self._in_last += end - at
                at = end
                continue
            if len(self._points) >= self._capacity:
                self._halve()
            self._points.append(Point(xs[at], ys[at], ys[at], ys[at]))
            self._in_last = 1
            at += 1

    def cut_after(self, x: float) -> None:
        """Drop all that lies beyond `x`."""
        self._points = [point for point in self._points if point.x <= x]
        self._in_last = self._per_point

    def last(self) -> float | None:
        """Give the value of the last point; None where there is none, or it is a gap."""
        return self._points[-1].mean if self._points and isfinite(self._points[-1].mean) else None

    def between(self, low: float, high: float) -> list[Point]:
        """Give the points from `low` to `high`, and one more on either side: where the line comes from and goes to."""
        begin = bisect_left(self._points, low, key=_x_of) - 1
        return self._points[max(0, begin) : bisect_right(self._points, high, key=_x_of) + 1]

    def _halve(self) -> None:
        points = self._points
        self._points = [_merge(a, b) for a, b in zip(points[::2], points[1::2], strict=False)]
        if len(points) % 2:
            self._points.append(points[-1])
        self._per_point *= 2


def _x_of(point: Point) -> float:
    return point.x


def _merge(a: Point, b: Point) -> Point:
    if not isfinite(a.mean):
        return Point(b.x, b.mean, b.low, b.high, b.count)
    if not isfinite(b.mean):
        return Point(b.x, a.mean, a.low, a.high, a.count)
    count = a.count + b.count
    mean = (a.mean * a.count + b.mean * b.count) / count
    return Point(b.x, mean, min(a.low, b.low), max(a.high, b.high), count)
