"""What a run's record says of how long the run is and what is left of it, be it asked for by epochs or by time."""

from itertools import pairwise
from math import ceil

from msgspec import UNSET

from engines.run_state import RunState
from engines.spec import MAX_EPOCHS, RunSpec


def trained_seconds(state: RunState) -> float:
    """Give the seconds of training steps that are known of; exact where the run has a budget of them."""
    ended = sum(max(0.0, epoch.train_seconds or 0.0) for epoch in state.epochs)
    told = state.batch.trained_seconds if state.batch else UNSET
    return ended if told is UNSET else max(ended, told)


def part_done(state: RunState) -> float:
    """Give how much of what is asked is done, in 0..1; by what will end the run first, as it looks."""
    spec = state.spec
    if spec is None:
        return 0.0
    by_epochs = state.position / spec.epochs if spec.epochs else 0.0
    by_time = trained_seconds(state) / spec.budget if spec.budget else 0.0
    return min(1.0, max(by_epochs, by_time))


def epochs_in_all(state: RunState, asked: RunSpec | None = None) -> int:
    """Give how many epochs the run is asked for, or seems to come to in its budget; 1 while nothing tells.

    `asked` is its spec where that is known from elsewhere, as it is before the run has started.
    """
    spec = state.spec or asked
    if spec is None:
        return 1
    if spec.epochs and not spec.budget:
        return spec.epochs
    part = part_done(state)
    # What the worker said last stays for an epoch, so that an axis does not move all the time.
    told = state.epochs[-1].epochs if state.epochs else ceil(min(state.position / part, MAX_EPOCHS)) if part else 1
    return max(1, told, ceil(state.position))


def seconds_left(state: RunState) -> float | None:
    """Give the seconds until training ends at the present pace, of training alone by a budget; None: nothing tells."""
    spec = state.spec
    by_time = max(0.0, spec.budget - trained_seconds(state)) if spec and spec.budget else None
    by_epochs = _seconds_of_epochs(state, spec.epochs) if spec and spec.epochs else None
    known = [seconds for seconds in (by_time, by_epochs) if seconds is not None]
    return min(known, default=None)


def is_done(spec: RunSpec, epochs_done: int, *, is_completed: bool) -> bool:
    """Tell whether a run that has ended did all that was asked: to go on, it has to be asked for more."""
    # A target that was reached, or patience that was lost, completes a run before its last epoch.
    return is_completed or (not spec.budget and spec.epochs is not None and epochs_done >= spec.epochs)


def _seconds_of_epochs(state: RunState, epochs: int) -> float | None:
    left = max(0.0, epochs - state.position)
    if state.epochs:
        seconds = state.epochs[-1].whole_seconds
        return None if seconds is None else left * seconds
    pace = _first_pace(state)
    return left * state.started.train_size / pace if state.started and pace > 0 else None


def _first_pace(state: RunState) -> float:
    """Give the images a second of the first epoch so far: by its time, so that a slow moment moves it little.

    What came first warmed up, and is left out as soon as there is more.
    """
    points = [point for point in state.throughput if point.mean > 0]
    parts = [(after.x - before.x, after.mean) for before, after in pairwise(points)]
    if seconds := sum(part / rate for part, rate in parts):
        return sum(part for part, _ in parts) / seconds
    return (state.batch.images_per_second or 0.0) if state.batch else 0.0
