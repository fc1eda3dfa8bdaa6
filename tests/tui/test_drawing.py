import math

from tui.drawing import Curve, draw_canvas
from tui.lines import plain


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
