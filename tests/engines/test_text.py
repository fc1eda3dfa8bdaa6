"""Text made safe: whatever a file or a name holds, no terminal takes what is shown for a command."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.text import clean_text, clean_value

CONTROLS = st.sampled_from("\x1b[]()#;?0123456789mHJKPX^_\\\x07\x9b\x9c\x9d\x90\x00\r\n\t\u202e\u200b\u2066\x7f a")
ANY_TEXT = st.text() | st.text(CONTROLS) | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"]))


@given(ANY_TEXT)
def test_no_control_format_or_unassigned_character_comes_out(text):
    categories = {unicodedata.category(character) for character in clean_text(text)}
    assert not [category for category in categories if category[0] == "C" or category in ("Zl", "Zp")]


@given(ANY_TEXT, st.integers(0, 50))
def test_what_comes_out_is_within_the_limit_and_can_be_encoded(text, limit):
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    cleaned.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=100))
def test_letters_numbers_and_signs_stay_as_they_are(text):
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain words", "plain words"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;a title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\after", "after"),
        ("\x1bcreset", "reset"),
        ("\x1b\x1b[2Jtwice", "twice"),
        ("ends in \x1b", "ends in"),
        ("ends in \x1b[12;", "ends in"),
        ("two\r\nlines\tand more", "two lines and more"),
        ("bell\x07", "bell\ufffd"),
        ("deleted\x7f", "deleted\ufffd"),
        ("right-to-left \u202etxt.exe", "right-to-left \ufffdtxt.exe"),
        ("zero\u200bwidth", "zero\ufffdwidth"),
        ("half a pair \ud800", "half a pair \ufffd"),
        ("[/x] [TODO]", "[/x] [TODO]"),
        ("größe 日本", "größe 日本"),
    ],
)
def test_known_attacks(text, safe):
    assert clean_text(text) == safe


def test_strings_are_cleaned_wherever_they_are_in_a_value():
    dirty = {"\x1b[1mkey": ["\x1b[2Ja", {"b": "\x9bJc", "n": 1.5}], "none": None, "true": True}
    assert clean_value(dirty) == {"key": ["a", {"b": "c", "n": 1.5}], "none": None, "true": True}
