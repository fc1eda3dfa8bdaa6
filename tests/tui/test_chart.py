import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.axes import Axis, accuracy_axis, fitted_axis, log_loss_axis, loss_axis
from tui.chart import Chart, Rule
from tui.drawing import Curve
from tui.lines import plain, width_of

UNIT = Axis(0.0, 1.0, ("0", "0.5", "1"))
LEVEL = Curve([(0, 0.5), (1, 0.5)], "train", ".")
anything = st.floats(allow_nan=True, allow_infinity=True)


def chart(curves, width=60, height=13, *, x_axis=UNIT, y_axis=UNIT, rules=()):
    return [plain(line) for line in Chart(curves, x_axis, y_axis, rules).draw(width, height)]


def row_of(lines, text):
    return next(at for at, line in enumerate(lines) if text in line)


def test_a_chart_is_as_wide_and_high_as_it_is_asked_to_be_whatever_the_terminal_is():
    for width, height in ((40, 8), (78, 17), (190, 70)):
        lines = Chart([Curve([(0, 0), (1, 1)], "train", end="● 97.42 %")], UNIT, UNIT).draw(width, height)
        assert len(lines) == height
        assert {width_of(line) for line in lines} == {width}


def test_ticks_are_evenly_apart():
    lines = chart([Curve([(0, 0), (1, 1)], "train")], height=14, y_axis=Axis(0, 1, ("0", "a", "b", "c", "1")))
    rows = [row_of(lines, f"{label} ·") for label in ("1", "c", "b", "a")]
    assert [b - a for a, b in pairwise(rows)] == [3, 3, 3]


@pytest.mark.parametrize(("rules", "below"), [((), 1), ((Rule(0.5, "|", "mark", "p"),), 2)], ids=["plain", "signs"])
def test_ticks_take_as_many_lines_as_there_are(rules, below):
    lines = chart([], height=11 + below, rules=rules)
    assert [line.split()[0] for line in lines[:11:5]] == ["1", "0.5", "0"]
    assert sum(line[:4].strip() != "" for line in lines[:11]) == 3
    assert lines[-1].split() == ["0", "0.5", "1"]


def test_where_there_are_fewer_lines_than_ticks_those_that_are_left_stand_where_they_belong():
    lines = chart([Curve([(0, 2 / 5)], "test", end="two")], height=5, y_axis=Axis(0, 1, tuple("012345")))
    assert [line.split()[0] for line in lines[:-1]] == ["5", "4", "2", "0"]
    assert row_of(lines, "two") == 2


def test_only_the_lines_of_ticks_have_a_grid_of_every_second_cell():
    lines = chart([], width=24, height=12, y_axis=Axis(0, 1, ("0", "1")))
    dotted = [line.split(" ", 1)[1] for line in lines if "·" in line]
    assert len(dotted) == 2
    assert {*dotted} == {("· " * 11)[:22]}
    drawn = chart([Curve([(0, 0), (1, 0)], "train", ".")], width=24, height=12, y_axis=Axis(0, 1, ("0", "1")))
    assert "·" not in drawn[10]


def test_a_label_of_x_stands_at_its_place_and_none_touches_another():
    axis = Axis(0, 1, tuple(str(n) for n in range(100, 111)))
    drawn = Chart([], axis, UNIT)
    labels = plain(drawn.draw(120, 12)[-1])
    for at, label in enumerate(axis.labels[1:-1], start=1):
        middle = labels.index(f" {label} ") + 2
        assert abs(drawn.place_of(middle, 120) - at / 10) <= drawn.column(120)
    assert plain(drawn.draw(36, 12)[-1]).split() == [*axis.labels[::2]]


def test_an_end_stands_beside_the_last_value_and_two_never_on_one_line():
    train = Curve([(0, 0), (1, 1), (2, math.nan)], "train", end="train 1")
    test = Curve([(0, 0), (1, 0.99)], "test", end="test 0.99")
    lines = chart([train, test], x_axis=Axis(0, 2, ("0", "2")))
    assert row_of(lines, "train 1") == 0
    assert row_of(lines, "test 0.99") == 1


def test_an_end_stands_by_the_last_value_that_is_seen_where_the_curve_goes_on_beyond_the_axis():
    lines = chart([Curve([(0, 0), (0.9, 1), (1.1, 0)], "train", end="seen")])
    assert row_of(lines, "seen") == 0


def test_ends_stand_in_the_order_of_their_values_however_close():
    values = [0.5, 0.52, 0.03, 0.0, 0.51, 0.01]
    lines = chart([Curve([(0, value)], "train", end=f"end {value:.2f}") for value in values])
    rows = [row_of(lines, f"end {value:.2f}") for value in sorted(values, reverse=True)]
    assert rows == [4, 5, 6, 8, 9, 10]


def test_of_equal_ends_that_of_the_curve_in_front_is_the_upper():
    lines = chart([Curve([(0, 0.5)], "train", end=end) for end in ("behind", "before")])
    assert row_of(lines, "before") == row_of(lines, "behind") - 1


def test_where_there_are_fewer_lines_than_ends_the_first_curves_have_them():
    lines = chart([Curve([(0, at / 8)], "train", end=f"end {at}") for at in range(8)], height=5)
    assert [line.split()[-1] for line in lines[:3]] == ["2", "1", "0"]


@pytest.mark.parametrize(("value", "row"), [(1.0, 0), (0.7, 3), (0.5, 5), (0.0, 10), (7.0, 0), (-7.0, 10)])
def test_an_end_stands_in_the_row_of_its_value_or_at_the_edge_that_is_nearer(value, row):
    lines = chart([Curve([(0, 0.2), (1, value)], "train", end="here")], height=12)
    assert row_of(lines, "here") == row


def test_a_line_without_a_value_or_without_words_has_no_end():
    gaps = Curve([(0, math.nan)], "train", end="nothing")
    assert not any("nothing" in line for line in chart([gaps, Curve([], "test", end="nothing")]))
    words = Curve([(0, 1.0)], "train", end="first")
    assert row_of(chart([words, Curve([(0, 1.0)], "test")]), "first") == 0


def test_where_there_is_no_room_it_says_so():
    assert "too small" in chart([Curve([(0, 0)], "train")], width=12, height=4)[0]


@given(st.lists(st.tuples(st.floats(0, 1), anything), max_size=30), st.integers(20, 90), st.integers(5, 30))
def test_no_number_breaks_a_drawing(points, width, height):
    values = [y for _, y in points]
    for axis in (
        accuracy_axis(values, height - 1),
        loss_axis(values, height - 1),
        log_loss_axis(values),
        fitted_axis(values, height - 1, str),
    ):
        lines = Chart([Curve(points, "train")], UNIT, axis).draw(width, height)
        assert [width_of(line) for line in lines] == [width] * height


def test_a_rule_stands_behind_the_curves_with_its_sign_below():
    lines = chart([LEVEL], rules=[Rule(0.5, "|", "mark", "p")])
    at = lines[0].index("|")
    assert [line[at] for line in lines[:11]].count("|") == 10
    assert lines[row_of(lines, "....")][at] == "."
    assert (lines[-2][at], lines[-1][at - 1 : at + 2]) == ("p", "0.5")


def test_a_rule_that_is_out_of_sight_takes_no_room():
    assert chart([LEVEL], rules=[Rule(1.5, "|", "mark", "p"), Rule(-0.5, "|", "cursor")]) == chart([LEVEL])


def test_a_cell_stands_for_the_place_where_a_rule_is_drawn():
    drawn = Chart([LEVEL], UNIT, UNIT, [Rule(0.25, "|", "cursor")])
    at = plain(drawn.draw(60, 13)[0]).index("|")
    assert math.isclose(drawn.place_of(at, 60), 0.25, abs_tol=0.5 / (drawn.columns(60) - 1))
    assert (drawn.place_of(0, 60), drawn.place_of(59, 60)) == (0.0, 1.0)
