from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.lens import SMOOTHINGS, Extent, Lens

RUN = Extent(newest=20.0, epochs=20, step=1 / 100)
YOUNG = Extent(newest=0.3, epochs=5, step=1 / 1875)
extents = st.builds(Extent, newest=st.floats(0, 5_000), epochs=st.integers(1, 5_000), step=st.floats(1e-6, 1))
hostile = st.builds(Extent, newest=st.floats(0, 2**53), epochs=st.integers(1, 2**53), step=st.floats(2**-53, 1))
moves = st.lists(st.sampled_from(["in", "out", "recent", "on", "back", "next", "before", "hide", "mouse"]), max_size=60)


def shown(lens, extent=RUN):
    axis = lens.axis(extent)
    return axis.low, axis.high


def test_plainly_the_whole_run_is_shown():
    assert shown(Lens()) == (0, 20)
    assert Lens().axis(RUN) == RUN.whole


def test_zooming_in_shows_the_newest_half_and_out_again_the_whole():
    lens = Lens().zoomed(0.5, RUN)
    assert shown(lens) == (10, 20)
    assert lens.is_recent
    assert lens.zoomed(2, RUN) == Lens()


def test_with_a_cursor_what_is_under_it_stays_in_sight():
    lens = replace(Lens(), cursor=4.0)
    for _ in range(5):
        lens = lens.zoomed(0.5, RUN)
        low, high = shown(lens)
        assert low <= 4 <= high
    assert high - low < 2
    assert not lens.is_recent


def test_a_part_that_moves_along_stands_still_for_a_third_of_it():
    lens = Lens().zoomed(0.5, RUN)
    at = [shown(lens, replace(RUN, newest=place)) for place in (14.1, 17.9, 18.1, 20)]
    assert at == [(4, 18), (4, 18), (8, 20), (10, 20)]


def test_the_ticks_of_a_part_are_round_numbers_at_both_ends():
    axis = replace(Lens(), span=0.9, end=12.34).axis(RUN)
    assert axis.labels[0] == f"{axis.low:.1f}"
    assert axis.labels[-1] == f"{axis.high:.1f}"
    assert axis.low <= 12.34 - 0.9 + 0.2
    assert axis.high >= 12.34


def test_the_newest_part_is_a_fifth_of_what_is_done_but_an_epoch_at_least():
    assert shown(Lens().toggled_recent(RUN)) == (16, 20)
    assert shown(Lens().toggled_recent(YOUNG), YOUNG) == (0, 1)
    assert Lens().toggled_recent(RUN).toggled_recent(RUN) == Lens()
    only = Extent(newest=0.5, epochs=1, step=0.01)
    assert Lens().toggled_recent(only) == Lens()


def test_the_cursor_begins_at_what_is_newest_and_stays_within_the_run():
    lens = Lens().moved(0, RUN)
    assert lens.cursor == 20
    assert lens.moved(0.1, RUN).cursor == 20
    assert lens.moved(-0.25, RUN).cursor == 15
    assert lens.moved(-9, RUN).cursor == 0


def test_what_is_shown_follows_the_cursor():
    lens = Lens().zoomed(0.25, RUN).moved(0, RUN)
    assert shown(lens) == (15, 20)
    lens = lens.moved(-1.2, RUN)
    low, high = shown(lens)
    assert lens.cursor == 14
    assert low < 14 < high


@pytest.mark.parametrize(("at", "by", "to"), [(3.4, 1, 4), (3.4, -1, 3), (4.0, 1, 5), (4.0, -1, 3), (0.2, -1, 0)])
def test_the_cursor_steps_from_epoch_to_epoch(at, by, to):
    assert replace(Lens(), cursor=at).moved_to_epoch(by, 0.01, RUN).cursor == to


def test_where_epochs_are_narrow_it_steps_by_a_column_at_least():
    long = Extent(newest=1000.0, epochs=1000, step=0.01)
    assert replace(Lens(), cursor=500.0).moved_to_epoch(1, 0.01, long).cursor == 510


def test_smoothing_steps_through_all_weights_and_ends_where_it_began():
    lens, seen = Lens(), []
    for _ in SMOOTHINGS:
        seen.append(lens.smoothing)
        lens = lens.smoother()
    assert tuple(seen) == SMOOTHINGS
    assert lens == Lens()


@given(extents | hostile, moves)
def test_whatever_keys_are_pressed_there_is_something_to_see(extent, pressed):
    lens = Lens()
    for name in pressed:
        lens = {
            "in": lens.zoomed(0.5, extent),
            "out": lens.zoomed(2, extent),
            "recent": lens.toggled_recent(extent),
            "on": lens.moved(0.1, extent),
            "back": lens.moved(-0.1, extent),
            "next": lens.moved_to_epoch(1, 0.01, extent),
            "before": lens.moved_to_epoch(-1, 0.01, extent),
            "hide": lens.pointed_at(None, extent),
            "mouse": lens.zoomed(0.5, extent, extent.newest / 2),
        }[name]
        axis = lens.axis(extent)
        assert 0 <= axis.low < axis.high
        assert 2 <= len(axis.labels) <= 14
        assert axis.low <= extent.newest
        assert lens.cursor is None or 0 <= lens.cursor <= extent.newest
