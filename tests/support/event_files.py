"""Files of events, whole and broken, and what is read of them."""

import json

from hypothesis import strategies as st

from engines.event_tail import READ_BYTES, EventTail
from engines.events import Log

LOG = Log(level="info", message="a word")


def tail_of(path, content):
    path.write_bytes(content)
    return EventTail(path)


def read_to_end(tail, max_bytes=READ_BYTES):
    events = tail.read(max_bytes)
    while not tail.at_end:
        events += tail.read(max_bytes)
    return events


def line_of(seq=0, **fields):
    return json.dumps({"type": "log", "seq": seq, "time": 1.0, "level": "info", "message": "m"} | fields).encode()


GARBAGE = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=50).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_subnormal=False) | st.integers() | st.text(max_size=9),
        st.lists,
        max_leaves=9,
    ).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["log", "batch", "epoch", "samples", "phase", "run_started", "run_finished", "x"])},
        optional={
            name: st.none()
            | st.integers()
            | st.floats(allow_subnormal=False)
            | st.text(max_size=3)
            | st.lists(st.integers(), max_size=2)
            for name in (
                "seq",
                "time",
                "epoch",
                "step",
                "steps_per_epoch",
                "loss",
                "level",
                "message",
                "images",
                "spec",
            )
        },
    ).map(lambda value: json.dumps(value).encode()),
)
"""Lines that are no event, or look like one; a strategy."""
