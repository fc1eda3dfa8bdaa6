import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.axes import Axis, accuracy_axis, epoch_axis, log_loss_axis, loss_axis
from tui.drawing import Curve, draw_canvas, draw_chart
from tui.lines import plain, width_of

UNIT = Axis(0.0, 1.0, ("0", "0.5", "1"))
anything = st.floats(allow_nan=True, allow_infinity=True)


def chart(curves, width=60, height=13, x_axis=UNIT, y_axis=UNIT):
    return [plain(line) for line in draw_chart(curves, x_axis, y_axis, width, height)]


def row_of(lines, text):
    return next(at for at, line in enumerate(lines) if text in line)


def test_a_line_rises_from_corner_to_corner():
    lines = draw_canvas([Curve([(0, 0), (1, 1)], "train", ".")], (0, 1), (0, 1), 21, 11)
    assert plain(lines[0]).endswith(".")
    assert plain(lines[-1]).startswith(".")
    assert plain(lines[5])[10] == "."


def test_each_curve_has_its_role_and_the_last_lies_on_top():
    low, high = [(0, 0.2), (1, 0.2)], [(0, 0.8), (1, 0.8)]
    lines = draw_canvas(
        [Curve(low, "train"), Curve(high, "test"), Curve([(0.5, 0.8)], "best", "*")], (0, 1), (0, 1), 21, 11
    )
    assert {role for _, role in lines[2]} == {"test", "best"}
    assert ("*", "best") in lines[2]
    assert [role for _, role in lines[8]] == ["train"]


def test_what_is_missing_is_a_gap_and_not_the_end():
    points = [(0, 0.5), (0.3, 0.5), (0.4, math.nan), (0.5, math.inf), (0.7, 0.5), (1, 0.5)]
    line = plain(draw_canvas([Curve(points, "train", ".")], (0, 1), (0, 1), 41, 5)[2])
    assert line[:12] == "." * 12
    assert line[14:27].strip() == ""
    assert line[29:] == "." * 12


def test_what_lies_outside_is_clipped_to_the_edge():
    lines = draw_canvas([Curve([(0, -9), (1, 9)], "train", ".")], (0, 1), (0, 1), 21, 11)
    assert "." in plain(lines[0])
    assert "." in plain(lines[-1])


def test_a_chart_is_as_wide_and_high_as_it_is_asked_to_be_whatever_the_terminal_is():
    for width, height in ((40, 8), (78, 17), (190, 70)):
        lines = draw_chart([Curve([(0, 0), (1, 1)], "train", end="● 97.42 %")], UNIT, UNIT, width, height)
        assert len(lines) == height
        assert {width_of(line) for line in lines} == {width}


def test_ticks_are_evenly_apart():
    lines = chart([Curve([(0, 0), (1, 1)], "train")], height=14, y_axis=Axis(0, 1, ("0", "a", "b", "c", "1")))
    rows = [row_of(lines, f"{label} ·") for label in ("1", "c", "b", "a")]
    assert [b - a for a, b in pairwise(rows)] == [3, 3, 3]


def test_an_end_stands_beside_the_last_value_and_two_never_on_one_line():
    train = Curve([(0, 0), (1, 1), (2, math.nan)], "train", end="train 1")
    test = Curve([(0, 0), (1, 0.99)], "test", end="test 0.99")
    lines = chart([train, test], x_axis=Axis(0, 2, ("0", "2")))
    assert row_of(lines, "test 0.99") == 0
    assert row_of(lines, "train 1") == 1


def test_where_there_is_no_room_it_says_so():
    assert "too small" in chart([Curve([(0, 0)], "train")], width=12, height=4)[0]


@given(st.lists(st.tuples(st.floats(0, 1), anything), max_size=30), st.integers(20, 90), st.integers(5, 30))
def test_no_number_breaks_a_drawing(points, width, height):
    values = [y for _, y in points]
    for axis in (accuracy_axis(values, height - 1), loss_axis(values, height - 1), log_loss_axis(values)):
        lines = draw_chart([Curve(points, "train")], UNIT, axis, width, height)
        assert [width_of(line) for line in lines] == [width] * height


@pytest.mark.parametrize(
    ("values", "low"), [([0.1] * 9, 0.0), ([0.1, *[0.85] * 20], 0.8), ([0.93] * 9, 0.9), ([0.99] * 9, 0.98), ([], 0.0)]
)
def test_accuracy_begins_where_nearly_all_values_are(values, low):
    axis = accuracy_axis(values, 16)
    assert (axis.low, axis.high, axis.labels[-1]) == (low, 1.0, "100 %")


def test_a_loss_axis_holds_nearly_all_values_and_ends_at_a_round_number():
    assert loss_axis([0.3, 0.2, 0.1], 13).labels == ("0", "0.1", "0.2", "0.3", "0.4")
    spike = loss_axis([50.0, *[0.3] * 99], 13)
    assert spike.high < 1


def test_a_logarithmic_axis_has_powers_of_ten():
    assert log_loss_axis([-3.2, 0.4]).labels == ("0.0001", "0.001", "0.01", "0.1", "1", "10")


def test_an_epoch_axis_shows_a_short_run_whole_and_a_long_one_as_far_as_it_soon_is():
    assert epoch_axis(0.5, 5).labels == ("0", "1", "2", "3", "4", "5")
    assert epoch_axis(0.5, 100).high == 10
    assert epoch_axis(15, 100).labels == ("0", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20")
    assert epoch_axis(99, 100).high == 100
    assert len(epoch_axis(1e12, 5).labels) <= 11
