"""What happened to a run at some place of its training: what was asked of it, an attempt, a loss that was none."""

from typing import Literal

import msgspec

from engines.events import Batch, ControlApplied, RunStarted

What = Literal["rate up", "rate down", "pause", "resume", "checkpoint", "epochs", "attempt", "missing"]

MAX_MARKS = 200


class Mark(msgspec.Struct, frozen=True):
    """At `place`, in epochs, something happened; `value` is the new rate, the epochs more or the attempt's number."""

    place: float
    what: What
    value: float | None = None
    by: str = ""


def mark_control(event: ControlApplied, place: float, rate_before: float | None) -> Mark | None:
    """Give the mark of what somebody asked for; None where it leaves none, as a stop does: an attempt begins there."""
    match event.action:
        case "pause" | "resume" | "checkpoint" | "epochs":
            return Mark(place, event.action, event.value, event.by)
        case "lr" if event.value is not None:
            is_lower = rate_before is not None and event.value < rate_before
            return Mark(place, "rate down" if is_lower else "rate up", event.value, event.by)
        case _:
            return None


def mark_attempt(event: RunStarted, place: float) -> Mark | None:
    """Give the mark of an attempt that goes on with the run; None for the first."""
    return Mark(place, "attempt", float(event.attempt)) if event.attempt > 1 else None


def mark_missing(event: Batch, before: Batch | None, place: float) -> Mark | None:
    """Give the mark of a loss that is no finite number, where those before it were."""
    return Mark(place, "missing") if event.loss is None and (before is None or before.loss is not None) else None
