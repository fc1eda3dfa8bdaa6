"""What the curves say in words: how far training is ahead of testing, and the exact values at a place."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite

from engines.events import EpochEnded
from engines.marks import Mark
from engines.run_state import RunState
from tui import formats
from tui.curve_lines import Measure

WIDE_GAP = 0.02
"""A gap between training and testing that is shown as a warning."""

_GROWN = 0.005
_LOOKED_BACK = 3


@dataclass(frozen=True)
class Reading:
    """The values at a place of a run: of the nearest batch that was told of, and of the last test up to there."""

    place: float
    epoch: int
    step: int
    trained: float | None
    tested: EpochEnded | None
    marks: tuple[Mark, ...]


def read_at(state: RunState, measure: Measure, place: float, width: float) -> Reading:
    """Read what was measured at `place`, give or take half of `width`, both in epochs."""
    nearest = measure.series(state).nearest(place)
    at = nearest.x if nearest else place
    epoch = max(1, ceil(at - 1e-9))
    tests = bisect_right(state.epochs, place + width / 2, key=lambda ended: ended.place)
    return Reading(
        place=at,
        epoch=epoch,
        step=round((at - epoch + 1) * state.steps_per_epoch),
        trained=nearest.mean if nearest and isfinite(nearest.mean) else None,
        tested=state.epochs[tests - 1] if tests else None,
        marks=tuple(mark for mark in state.marks if abs(mark.place - place) <= width / 2),
    )


def accuracy_gap(epoch: EpochEnded) -> float | None:
    """Give by how much an epoch's training accuracy is above its test accuracy; None where one is missing."""
    if epoch.train_accuracy is None or epoch.test_accuracy is None:
        return None
    return epoch.train_accuracy - epoch.test_accuracy


def describe_gap(epochs: Sequence[EpochEnded]) -> tuple[str, bool]:
    """Say how far training was ahead of testing last, and whether that is a warning; nothing while nobody knows.

    It is overfitting once the gap is wide and testing is no better than some epochs ago.
    """
    known = (epoch for epoch in reversed(epochs) if accuracy_gap(epoch) is not None)
    newest = next(known, None)
    if newest is None or (gap := accuracy_gap(newest)) is None:
        return "", False
    words = f"last gap {formats.points(gap)}"
    if gap <= WIDE_GAP:
        return words, False
    best = max(epochs, key=lambda epoch: -1.0 if epoch.test_accuracy is None else epoch.test_accuracy)
    if newest.epoch - best.epoch >= _LOOKED_BACK:
        return f"{words}, overfitting since epoch {best.epoch}", True
    before = next((accuracy_gap(epoch) for epoch in known if epoch.epoch == newest.epoch - _LOOKED_BACK), None)
    return (f"{words} and growing" if before is not None and gap - before >= _GROWN else words), True


def rising_since(epochs: Sequence[EpochEnded]) -> int | None:
    """Give the epoch of the lowest test loss where the two after it, at least, were higher: overfitting has begun."""
    losses = [(epoch.test_loss, epoch.epoch) for epoch in epochs if epoch.test_loss is not None]
    lowest = min(losses, default=None)
    return lowest[1] if lowest and losses[-2:] and lowest not in losses[-2:] else None
