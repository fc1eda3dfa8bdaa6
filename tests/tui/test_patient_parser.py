"""Keys, mouse reports and pastes that come in pieces, with as much time between them as a bad line takes."""

import pytest
from textual import events

from tui import patient_parser
from tui.patient_parser import PatientParser


@pytest.fixture
def clock(monkeypatch):
    moments = [100.0]
    monkeypatch.setattr("textual._parser.get_time", lambda: moments[-1])
    return moments


def read(clock, *pieces):
    """Give what is read of `pieces`; numbers are seconds that pass between them."""
    parser, read = PatientParser(), []
    for piece in pieces:
        if isinstance(piece, str):
            read += parser.feed(piece)
        else:
            clock.append(clock[-1] + piece)
        read += parser.tick()
    return read


def keys(messages):
    return [message.key for message in messages if isinstance(message, events.Key)]


def cuts_of(text):
    return [(text[:at], text[at:]) for at in range(2, len(text))]


@pytest.mark.parametrize(("first", "rest"), cuts_of("\x1b[<0;30;20m"))
def test_a_mouse_report_in_two_pieces_is_one_report_and_no_keys(clock, first, rest):
    messages = read(clock, first, 1.0, rest, "q")
    assert [type(message) for message in messages] == [events.MouseUp, events.Key]
    assert (messages[0].x, messages[0].y) == (29, 19)


@pytest.mark.parametrize(("first", "rest"), cuts_of("\x1b[200~smx"))
def test_a_paste_that_is_cut_where_it_begins_is_no_keys(clock, first, rest):
    messages = read(clock, first, 1.0, rest, "\x1b[201~", "q")
    assert [message.text for message in messages if isinstance(message, events.Paste)] == ["smx"]
    assert keys(messages) == ["q"]


@pytest.mark.parametrize("seconds", [0.0, 1.0, 3600.0])
@pytest.mark.parametrize("at", range(1, 6))
def test_after_a_paste_that_is_cut_where_it_ends_keys_are_keys_again(clock, at, seconds):
    end = "\x1b[201~"
    messages = read(clock, "\x1b[200~words", end[:at], seconds, end[at:], "q")
    assert [message.text for message in messages if isinstance(message, events.Paste)] == ["words"]
    assert keys(messages) == ["q"]


def test_what_is_pasted_next_is_not_taken_for_the_first_paste(clock):
    messages = read(clock, "\x1b[200~a\x1b[201~q\x1b[200~b", 9.0, "\x1b[201~", "q")
    assert [message.text for message in messages if isinstance(message, events.Paste)] == ["a", "b"]
    assert keys(messages) == ["q", "q"]


def test_a_lone_escape_is_a_key_as_soon_as_ever(clock):
    assert keys(read(clock, "\x1b", 0.1)) == ["escape"]
    assert keys(read(clock, "\x1b[<0;30;20M\x1b", 0.1)) == ["escape"]


def test_a_sequence_that_never_ends_does_not_keep_keys_back_for_good(clock):
    assert keys(read(clock, "\x1b[<0;3", patient_parser.PATIENCE_SECONDS + 0.1, "q"))[-1] == "q"
