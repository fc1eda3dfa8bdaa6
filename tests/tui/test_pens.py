import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from rich.style import Style

from tui.pens import PLAIN, RESET, change, for_spaces, pen_of, resolve
from tui.theme import DARK, LIGHT

channels = st.integers(0, 255)


def pen(style, colors=ColorSystem.TRUECOLOR):
    return pen_of(Style.parse(style), colors)


def color_of(codes):
    """Give the red, green and blue that a terminal shows for `38;2;R;G;B` or `38;5;N`."""
    kind, *numbers = map(int, codes.split(";")[1:])
    if kind == 2:
        return tuple(numbers)
    assert numbers[0] >= 16, "the first sixteen are the user's own"
    return tuple(Color.from_ansi(numbers[0]).get_truecolor())


@given(channels, channels, channels)
def test_a_color_comes_out_as_it_is_wanted_but_for_what_nobody_sees(red, green, blue):
    shown = color_of(pen(f"rgb({red},{green},{blue})").foreground)
    assert all(abs(a - b) <= 5 for a, b in zip(shown, (red, green, blue), strict=True))


@given(st.integers(16, 255))
def test_each_of_the_256_colors_is_sent_by_its_number(number):
    red, green, blue = Color.from_ansi(number).get_truecolor()
    assert re.fullmatch(r"48;5;\d+", pen(f"on rgb({red},{green},{blue})").background)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_our_own_colors_are_sent_by_their_numbers(theme):
    for color in (theme.primary, theme.secondary, theme.accent, theme.error, theme.foreground, theme.background):
        assert pen(color).foreground.startswith("38;5;")


def test_a_terminal_of_sixteen_colors_gets_one_of_them():
    assert pen("rgb(255,0,0)", ColorSystem.STANDARD).foreground == "31"


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        ("red", "red", ""),
        ("red on blue", "red on green", "\x1b[42m"),
        ("red on blue", "red", "\x1b[49m"),
        ("red", "bold red", "\x1b[0;1;31m"),
        ("bold red", "none", RESET),
    ],
)
def test_only_what_changes_is_written(before, after, written):
    assert change(pen(before), pen(after)) == written


def test_spaces_leave_the_ink_as_it_is():
    letters, spaces = pen("red on blue"), for_spaces(pen("green on blue"))
    assert resolve(letters, spaces) == letters
    assert change(letters, resolve(letters, for_spaces(PLAIN))) == "\x1b[49m"


def test_spaces_that_show_their_ink_have_it():
    underlined = pen("underline green")
    assert resolve(pen("red"), for_spaces(underlined)) == underlined
