"""Axes: a range that suits the values, with ticks evenly apart and their labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

_ACCURACY_FLOORS = (98, 95, 90, 80, 50, 0)
_INTERVALS = range(2, 9)
_MAX_EPOCH_TICKS = 10
_MAX_DECADES = 6
_MAX_SECOND_TICKS = 8


@dataclass(frozen=True)
class Axis:
    """A range from `low` to `high`, and the labels of its ticks, evenly apart, the first at `low`."""

    low: float
    high: float
    labels: tuple[str, ...]


def accuracy_axis(values: Sequence[float], rows: int) -> Axis:
    """Give an axis up to 100 % from the highest round floor that nine tenths of `values` are above.

    `rows` is how many lines there are to draw in; as few as possible stay empty between even ticks.
    """
    finite = sorted(value for value in values if isfinite(value))
    most = finite[len(finite) // 10] if finite else 0.0
    floor_percent = next((floor for floor in _ACCURACY_FLOORS if 100 * most >= floor), 0)
    span = 100 - floor_percent
    intervals = _best_fit({n: 0.0 for n in _INTERVALS if _is_round(span / n)}, rows)
    labels = [f"{floor_percent + span * at / intervals:.4g}" for at in range(intervals + 1)]
    return Axis(floor_percent / 100, 1.0, (*labels[:-1], "100 %"))


def loss_axis(values: Sequence[float], rows: int) -> Axis:
    """Give an axis from 0 to a round number that all but a thirtieth of `values` are below, for `rows` lines."""
    finite = sorted(value for value in values if isfinite(value))
    most = finite[-1 - len(finite) // 30] if finite else 1.0
    most = min(max(most, 1e-9), 1e30) * 1.05
    power = 10.0 ** floor(log10(most))
    steps = [factor * power for factor in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5)]
    by_intervals = {ceil(most / step): step for step in steps if ceil(most / step) in _INTERVALS}
    intervals = _best_fit({n: 1 - most / (step * n) for n, step in by_intervals.items()}, rows)
    step = by_intervals[intervals]
    return Axis(0.0, step * intervals, tuple(f"{step * at:.4g}" for at in range(intervals + 1)))


def log_loss_axis(values: Sequence[float]) -> Axis:
    """Give an axis of powers of ten around the logarithms in `values`."""
    finite = [min(30.0, max(-30.0, value)) for value in values if isfinite(value)]
    low, high = floor(min(finite, default=-1.0)), ceil(max(finite, default=0.0))
    high = max(high, low + 1)
    gap = 0.5 if high - low < 3 else ceil((high - low) / _MAX_DECADES)
    intervals = ceil((high - low) / gap)
    return Axis(low, low + gap * intervals, tuple(f"{10 ** (low + gap * at):.2g}" for at in range(intervals + 1)))


def fitted_axis(
    values: Sequence[float], rows: int, label: Callable[[float], str], *, kept: Sequence[float] = ()
) -> Axis:
    """Give an axis between the round numbers around all but a thirtieth of `values` at either end, for `rows` lines.

    All of `kept` lie between them too.
    """
    low, high = (min(1e30, max(-1e30, end)) for end in _ends(values, kept) or (0.0, 1.0))
    least = max(1e-6, abs(high) / 500)
    if high - low < least:
        low, high = (high - least, high) if high > 0 else (low, low + least)
    power = 10.0 ** floor(log10(high - low))
    fits: dict[int, tuple[float, float]] = {}
    for step in (factor * power for factor in (0.1, 0.2, 0.25, 0.5, 1, 2)):
        begin = floor(low / step + 1e-9)
        fits.setdefault(ceil(high / step - 1e-9) - begin, (begin * step, step))
    fits = {n: fit for n, fit in fits.items() if n in _INTERVALS}
    intervals = _best_fit({n: 1 - (high - low) / (step * n) for n, (_, step) in fits.items()}, rows)
    first, step = fits[intervals]
    ticks = [first + step * at for at in range(intervals + 1)]
    return Axis(ticks[0], ticks[-1], tuple(label(tick) for tick in ticks))


def still_fits(axis: Axis, values: Sequence[float], *, kept: Sequence[float] = ()) -> bool:
    """Tell whether all that `fitted_axis` would see to lies within `axis`, and takes up half of it at least."""
    ends = _ends(values, kept)
    if ends is None:
        return True
    low, high = ends
    return axis.low <= low and high <= axis.high and high - low >= (axis.high - axis.low) / 2


def epoch_axis(position: float, epochs: int) -> Axis:
    """Give an axis over all `epochs`, or, while a long run is young, over as many as are soon done."""
    high = max(1, epochs, ceil(position))
    soon = _MAX_EPOCH_TICKS
    while soon < position:
        soon *= 2
    high = min(high, soon)
    gap = next(gap for gap in _gaps() if high / gap <= _MAX_EPOCH_TICKS)
    intervals = ceil(high / gap)
    return Axis(0.0, float(gap * intervals), tuple(str(gap * at) for at in range(intervals + 1)))


def seconds_axis(last: float) -> Axis:
    """Give an axis from 0 to the next round number of seconds after `last`."""
    last = min(max(last, 1e-3), 1e9)
    power = 10.0 ** floor(log10(last))
    step = next(
        factor * power for factor in (0.1, 0.2, 0.25, 0.5, 1, 2) if last / (factor * power) <= _MAX_SECOND_TICKS
    )
    intervals = ceil(last / step)
    labels = [f"{step * at:.6g}" for at in range(intervals + 1)]
    return Axis(0.0, step * intervals, (*labels[:-1], f"{labels[-1]} s"))


def _ends(values: Sequence[float], kept: Sequence[float]) -> tuple[float, float] | None:
    """Give what all but a thirtieth of `values` at either end, and all of `kept`, lie between; None of no value."""
    usual, others = sorted(filter(isfinite, values)), sorted(filter(isfinite, kept))
    left_out = len(usual) // 30
    usual = usual[left_out : len(usual) - left_out]
    ends = [*usual[:1], *usual[-1:], *others[:1], *others[-1:]]
    return (min(ends), max(ends)) if ends else None


def _best_fit(empty_parts: Mapping[int, float], rows: int) -> int:
    """Give the number of intervals that wastes the fewest of `rows`: below even ticks, or by range that stays empty.

    `empty_parts` has the part of the range that stays empty, by number of intervals. Few ticks cost rows too.
    """
    fitting = [n for n in empty_parts if (rows - 1) // n >= 2] or [min(empty_parts)]
    return min(fitting, key=lambda n: (rows - 1) % n + empty_parts[n] * rows + 2 * max(0, 4 - n))


def _is_round(step: float) -> bool:
    digits = f"{step:.10g}".strip("0").replace(".", "").lstrip("0")
    return digits in {"", "1", "2", "5", "25"}


def _gaps() -> list[int]:
    return [factor * 10**power for power in range(18) for factor in (1, 2, 5)]
