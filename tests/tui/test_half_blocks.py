from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from inks import inks_of

from tui.half_blocks import draw_half_blocks
from tui.lines import plain, width_of

inks = st.integers(0, 3)
columns = st.lists(st.tuples(inks, inks), min_size=1, max_size=40)


def draw(pairs):
    return draw_half_blocks([above for above, _ in pairs], [below for _, below in pairs])


def count_changes(roles):
    """Count the inks that change along a line that begins with none."""
    inks = [(0, 0), *(tuple(map(int, role.removeprefix("ink ").split("/"))) for role in roles)]
    return sum(
        (front != front_before) + (back != back_before) for (front_before, back_before), (front, back) in pairwise(inks)
    )


@given(columns)
def test_each_cell_shows_the_ink_above_and_the_one_below(pairs):
    line = draw(pairs)
    assert inks_of(line) == pairs
    assert width_of(line) == len(pairs)


@given(columns)
def test_inks_change_no_more_often_than_if_the_one_above_were_always_in_front(pairs):
    one_way = [f"ink {above}/{below}" for above, below in pairs]
    assert count_changes([role for _, role in draw(pairs)]) <= count_changes(one_way)


def test_an_edge_that_swaps_sides_changes_no_ink():
    assert draw([(3, 0), (0, 3), (0, 0), (3, 0)]) == [("▀▄ ▀", "ink 3/0")]


def test_where_nothing_is_there_are_spaces():
    assert plain(draw([(0, 0)] * 5)) == " " * 5
