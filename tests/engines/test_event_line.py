"""A line of the event file: what is an event comes back as it was written and safe to show, and all else is refused."""

import json

import pytest
from event_files import GARBAGE, line_of, read_to_end
from hypothesis import given
from hypothesis import strategies as st

from engines.event_line import decode_event, encode_event
from engines.event_tail import EventTail
from engines.events import EpochEnded, Unknown
from engines.run_state import RunState


@given(st.lists(GARBAGE, max_size=12))
def test_whatever_reads_as_an_event_adds_up_to_a_state(lines):
    state = RunState()
    for line in lines:
        try:
            event = decode_event(line)
        except ValueError:
            continue
        state.apply(event)
        assert state.position >= 0


@pytest.mark.parametrize("moment", [b"1e12", b"1e308", b"-1", b"null", b'"now"'])
def test_a_time_that_no_clock_shows_is_no_event(moment):
    with pytest.raises(ValueError, match=r"\$\.time"):
        decode_event(b'{"type":"log","seq":0,"time":' + moment + b',"level":"info","message":"m"}')


def test_an_event_without_seq_or_time_is_none():
    for name in ("seq", "time"):
        fields = json.loads(line_of())
        del fields[name]
        with pytest.raises(ValueError, match="place in the order"):
            decode_event(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "message", ["\x1b[31mred", "\x7f", "\x9b2J", "\u202egpj.exe", "\x07\x08", "a\nb", "\ue000"], ids=ascii
)
def test_no_control_character_in_a_line_comes_through(message):
    assert decode_event(line_of(message=message)).message.isprintable()


@pytest.mark.parametrize("message", ["\x9b2J", "\u202egpj.exe", "\u2066", "\x7f"], ids=ascii)
def test_nor_does_one_that_is_not_escaped(message):
    assert decode_event(line_of(message="m").replace(b'"m"', f'"{message}"'.encode())).message.isprintable()


def test_every_event_reads_back_as_it_was_written(recorded_run):
    events = read_to_end(EventTail(recorded_run / "events.jsonl"))
    assert [decode_event(encode_event(event)) for event in events] == events
    assert any(isinstance(event, EpochEnded) for event in events)


FIELDS = {
    "batch": {"epoch": 1, "step": 1, "steps_per_epoch": 9, "loss": 1.0, "accuracy": 0.5}
    | {"images_per_second": 9.0, "lr": 0.1},
    "epoch": {"epoch": 1, "epochs": 1, "train_loss": 1.0, "train_accuracy": 0.5, "test_loss": 1.0}
    | {"test_accuracy": 0.5, "confusion": [], "seconds": 1.0, "train_seconds": 1.0, "images_per_second": 9.0},
    "phase": {"name": "train", "state": "finished", "done": 1, "total": 1, "unit": "epochs", "seconds": 1.0},
    "telemetry": {"cpu_percent": 1.0, "memory": 1, "gpus": []},
    "run_finished": {"state": "completed", "epochs": 1, "seconds": 1.0, "train_accuracy": 0.5, "train_loss": 1.0}
    | {"test_accuracy": 0.5, "test_loss": 1.0, "best_epoch": 1, "best_test_accuracy": 0.5},
}


@pytest.mark.parametrize(
    ("type_", "name"),
    [(type_, name) for type_, fields in FIELDS.items() for name, value in fields.items() if isinstance(value, float)],
)
def test_any_number_of_an_event_may_be_null_where_it_was_not_finite(type_, name):
    event = {"type": type_, "seq": 0, "time": 1.0} | FIELDS[type_] | {name: None, "nonfinite": [name]}
    assert getattr(decode_event(json.dumps(event).encode()), name) is None


def test_a_level_of_another_program_is_read():
    assert decode_event(line_of(level="debug")).level == "debug"


def test_what_another_program_has_nothing_to_say_of_may_be_left_out():
    assert decode_event(b'{"type":"control","seq":0,"time":1,"action":"pause"}').value is None
    assert decode_event(b'{"type":"telemetry","seq":0,"time":1,"cpu_percent":9.0,"memory":1}').gpus == []


def test_of_a_type_that_we_do_not_know_only_its_place_is_read():
    line = b'{"type":"from-the-future","seq":7,"time":2.0,"level":"info","\\u001b":["\\u001b[2J"]}'
    assert decode_event(line) == Unknown(seq=7, time=2.0)


@pytest.mark.parametrize("seconds", [1e308, -1e308])
@pytest.mark.parametrize(
    ("type_", "name"), [("phase", "seconds"), ("epoch", "train_seconds"), ("run_finished", "seconds")]
)
def test_a_duration_whose_sum_would_be_no_number_is_no_event(type_, name, seconds):
    event = {"type": type_, "seq": 0, "time": 1.0} | FIELDS[type_] | {name: seconds}
    with pytest.raises(ValueError, match=name):
        decode_event(json.dumps(event).encode())
