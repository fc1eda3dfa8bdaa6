"""What a run's record tells somebody who comes later, in lines: what stands, without what a later attempt replaced."""

from bisect import insort

from engines.event_tail import EventTail
from engines.events import AnyEvent, Batch, EpochEnded, Filters, Mistakes, RunFinished, Samples, Telemetry, Unknown
from engines.run_state import RunState

_NOT_IN_LINES = (Batch, Filters, Mistakes, Samples, Telemetry, Unknown)
"""Most of a record; not one of them is held in memory for the lines."""


def catch_up(tail: EventTail, state: RunState) -> list[AnyEvent]:
    """Read to the end of what is there, add it to `state`, and give what stands of it; of all steps the last."""
    told: list[AnyEvent] = []
    while events := _read_some(tail):
        state.apply_all(events)
        told += [event for event in events if not isinstance(event, _NOT_IN_LINES)]
    kept = {id(event) for event in (*state.epochs, state.finished)}
    standing = [event for event in told if not isinstance(event, EpochEnded | RunFinished) or id(event) in kept]
    if state.batch:
        insort(standing, state.batch, key=lambda event: event.seq)
    return standing


def _read_some(tail: EventTail) -> list[AnyEvent]:
    """Give the next events, past whatever is none; nothing at the end."""
    while not (events := tail.read()):
        if tail.at_end:
            break
    return events
