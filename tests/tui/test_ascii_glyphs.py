from unicodedata import east_asian_width

import pytest

from tui import ascii_glyphs


@pytest.fixture(autouse=True)
def registered():
    ascii_glyphs.register()


def encode(text):
    return text.encode("ascii", ascii_glyphs.ERRORS).decode()


def test_what_is_drawn_keeps_its_look():
    assert encode("╭─ loss ─╮ │▓░ │ ━━╸ → …") == "+- loss -+ |#. | --- > ."


def test_ascii_stays_as_it_is():
    assert encode("plain\tlines\n") == "plain\tlines\n"


def test_every_character_keeps_its_width():
    for code in (*range(0xA1, 0xAD), *range(0x2010, 0x2028), *range(0x2190, 0x2900), *range(0x3041, 0x3097)):
        width = 2 if east_asian_width(chr(code)) in "WF" else 1
        assert len(encode(chr(code))) == width, hex(code)


def test_braille_is_as_dark_as_it_has_dots():
    assert encode("\u2800\u2801\u2807\u28ff") == " .:#"
