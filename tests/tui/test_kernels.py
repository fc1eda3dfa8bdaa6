"""The first layer's weights as shades: zero in the middle, all at one scale, as large as there is room for."""

import pytest
from inks import inks_of
from views import filters, started, text_of, view_of

from tui.digits import INK_LEVELS
from tui.kernels import count_drawn, draw_kernels, draw_scale
from tui.lines import plain
from tui.widgets.network_pane import NetworkPane, draw_filters

MIDDLE = INK_LEVELS // 2
CROSS = [[1, 128, 255], [128, 128, 128], [255, 128, 1]]


def test_minus_the_scale_zero_and_the_scale_are_shades_evenly_apart():
    lines = draw_kernels(filters([CROSS]), 3, 2)
    assert inks_of(lines[0]) == [(a, MIDDLE) for a in (1, MIDDLE, INK_LEVELS - 1)]
    assert MIDDLE - 1 == INK_LEVELS - 1 - MIDDLE


def test_in_ascii_the_signs_differ_and_zero_is_empty():
    top, middle, _ = draw_kernels(filters([CROSS]), 6, 3, ascii_only=True)
    assert (plain(top), plain(middle)) == ("##  @@", "      ")


@pytest.mark.parametrize(
    ("width", "height", "first_line"), [(78, 8, 12 * 4 + 3), (40, 6, 9 * 4 + 3), (20, 3, 3 * 4 + 3), (8, 2, 7)]
)
def test_the_pictures_are_as_large_as_lets_all_be_seen(width, height, first_line):
    four = filters([CROSS] * 4)
    lines = draw_kernels(four, width, height)
    assert len(lines) <= height
    inked = [at for at, inks in enumerate(inks_of(lines[0]), start=1) if any(inks)]
    assert inked[-1] == first_line
    assert count_drawn(four, width, height) == (4 if width > 8 else 2)


@pytest.mark.parametrize("change", [{"pixels": "no base64"}, {"height": 0}, {"width": 0}, {"pixels": ""}], ids=str)
def test_what_a_damaged_record_holds_draws_nothing(change):
    known = filters([CROSS])
    damaged = type(known)(**{**{name: getattr(known, name) for name in known.__struct_fields__}, **change})
    assert draw_kernels(damaged, 40, 10) == []


def test_the_legend_gives_the_scale():
    assert plain(draw_scale(filters([CROSS], scale=0.47))).split()[0] == "-0.47"


def test_the_pane_shows_them_now_and_at_the_start_where_there_is_room():
    pane, first, now = NetworkPane(7), filters([CROSS] * 6, epoch=0), filters([CROSS] * 6, epoch=3)
    view = view_of(started(), first, now)
    large = text_of(pane.draw_body(view, 78, 30), 78)
    assert "conv1  6 kernels after epoch 3" in large
    assert "conv1  6 kernels at the start" in large
    small = text_of(pane.draw_body(view, 58, 11), 58)
    assert "after epoch 3" in small
    assert "at the start" not in small
    assert "6x1x5x5 + 6" in small


def test_in_ascii_where_half_of_the_room_shows_fewer_they_are_shown_as_they_are_now_alone():
    first, now = (filters([CROSS] * 16, epoch=epoch) for epoch in (0, 3))
    for ascii_only, sets in ((False, 2), (True, 1)):
        view = view_of(started(), first, now, ascii_only=ascii_only)
        assert text_of(draw_filters(view, now, 58, 13), 58).count("kernels") == sets


def test_without_filters_the_table_has_all_the_room():
    assert "conv1.bias" in text_of(NetworkPane(7).draw_body(view_of(started()), 58, 8), 58)
