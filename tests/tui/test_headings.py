import pytest

from tui.headings import draw_title, titled
from tui.lines import plain


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("four", "four ───"),
        ("seven77", "seven77 "),
        ("eight888", "eight888"),
        ("more than", "more th…"),
        ("日本", "日本 ───"),
    ],
)
def test_a_heading_is_as_wide_as_it_may_be_and_is_cut_with_a_mark(words, line):
    assert plain(titled([(words, "title")], 8)) == line


def test_a_title_keeps_its_width_and_its_legend_where_that_fits():
    legend = [("19 of 20 right", "muted")]
    wide, narrow = (draw_title(3, "samples", legend, width, is_chosen=False) for width in (40, 20))
    assert plain(wide) == "3 samples ─────────────── 19 of 20 right"
    assert plain(narrow) == "3 samples ──────────"
    assert plain(draw_title(3, "samples", [], 20, is_chosen=True)) == "3 samples ━━━━━━━━━━"
