"""What part of a run its curves show, and how: zoom, cursor, smoothing. Places and spans are in epochs."""

from dataclasses import dataclass, replace
from math import ceil, floor, log10

from engines import outlook
from tui.axes import Axis, epoch_axis
from tui.view import View

SMOOTHINGS = (0.0, 0.6, 0.9, 0.99)
"""Weights of what came before in the moving average, stepped through by key."""

RECENT_PARTS = 5
"""The recent view shows a fifth of what is done, and an epoch at the least."""

_FEWEST_STEPS = 8
_FINEST_PART = 1e-9
"""Of how far a run is; much finer, two places are the same number."""

_MOST_TICKS = 6


@dataclass(frozen=True)
class Extent:
    """How far a run is (`newest`), how many `epochs` it seems to come to, and what part of one a `step` is."""

    newest: float
    epochs: int
    step: float

    @property
    def whole(self) -> Axis:
        """The axis of all of the run."""
        return epoch_axis(self.newest, self.epochs)


def extent_of(view: View) -> Extent:
    """Give how far the run of `view` is."""
    state = view.state
    return Extent(state.position, outlook.epochs_in_all(state, view.spec), 1 / max(1, state.steps_per_epoch))


@dataclass(frozen=True)
class Lens:
    """Shows a part that is `span` wide, or all where that is None; it ends at `end`, or moves along with the run."""

    span: float | None = None
    end: float | None = None
    cursor: float | None = None
    smoothing: float = 0.0

    @property
    def is_recent(self) -> bool:
        """Tell whether the part moves along with the run."""
        return self.span is not None and self.end is None

    def axis(self, extent: Extent) -> Axis:
        """Give the axis of the part, from one round number to another; what moves along does so by a third of it."""
        if self.span is None:
            return extent.whole
        gap = _round_gap(self.span / _MOST_TICKS)
        end = max(self.span, extent.newest if self.end is None else self.end)
        first, last = floor((end - self.span) / gap + 1e-9), ceil(end / gap - 1e-9)
        if self.end is None and self.span < end < extent.epochs:
            move = max(1, round(self.span / gap / 3))  # In ticks; at each of them all has to be drawn anew.
            first -= first % move
            last = min(first + move + ceil(self.span / gap), ceil(extent.whole.high / gap - 1e-9))
        digits = max(0, -floor(log10(gap) + 1e-9))
        labels = tuple(f"{gap * tick:.{digits}f}" for tick in range(first, last + 1))
        return Axis(gap * first, gap * last, labels)

    def zoomed(self, factor: float, extent: Extent, around: float | None = None) -> "Lens":
        """Give a lens that shows `factor` times as much, with `around` (or the cursor) in the same place of it."""
        axis = self.axis(extent)
        shown = axis.high - axis.low
        span = max(_FEWEST_STEPS * extent.step, extent.newest * _FINEST_PART, shown * factor)
        if span >= extent.whole.high:
            return replace(self, span=None, end=None)
        kept = self.cursor if around is None else around
        if kept is None or not axis.low <= kept <= axis.high:
            kept = None if self.end is None else (axis.low + axis.high) / 2
        if kept is None:
            return replace(self, span=span)
        end = min(kept + (axis.high - kept) / shown * span, extent.newest + span / 2)  # Beyond it, there is nothing.
        return replace(self, span=span, end=max(span, end))

    def moved(self, parts: float, extent: Extent) -> "Lens":
        """Give a lens with the cursor `parts` of what is shown further on, or, below 0, back; what is shown follows."""
        axis = self.axis(extent)
        shown = axis.high - axis.low
        newest = min(axis.high, extent.newest)
        place = newest if self.cursor is None else self.cursor + parts * shown
        return self.pointed_at(min(extent.newest, max(0.0, place)), extent)

    def moved_to_epoch(self, by: int, column: float, extent: Extent) -> "Lens":
        """Give a lens with the cursor at the end of the next epoch, or, below 0, the one before.

        Where an epoch is narrower than a `column`, in parts of what is shown, it is the end of a later or earlier one.
        """
        axis = self.axis(extent)
        place = min(axis.high, extent.newest) if self.cursor is None else self.cursor
        stride = max(1, round(column * (axis.high - axis.low)))
        whole = floor(place + 1e-9) + stride if by > 0 else ceil(place - 1e-9) - stride
        return self.pointed_at(min(extent.newest, max(0.0, whole)), extent)

    def pointed_at(self, place: float | None, extent: Extent) -> "Lens":
        """Give a lens with the cursor at `place`, or with none; what is shown follows it."""
        axis = self.axis(extent)
        if place is None or self.span is None or axis.low <= place <= axis.high:
            return replace(self, cursor=place)
        return replace(self, cursor=place, end=max(self.span, place + self.span / 2))

    def toggled_recent(self, extent: Extent) -> "Lens":
        """Give a lens on what is newest, or, where a part is shown, on the whole run."""
        if self.span is not None:
            return replace(self, span=None, end=None)
        span = max(1.0, extent.newest / RECENT_PARTS)
        return self if span >= extent.whole.high else replace(self, span=span, end=None)

    def smoother(self) -> "Lens":
        """Give a lens with the next smoothing; after the strongest there is none."""
        return replace(self, smoothing=next((weight for weight in SMOOTHINGS if weight > self.smoothing), 0.0))


def _round_gap(least: float) -> float:
    """Give the least of 1, 2, 5, 10, … and their tenths that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
