from hypothesis import given
from hypothesis import strategies as st

from tui.lines import changed_spans, columns, cut_words, draw_bar, fit, justify, plain, shorten, width_of, wrap

texts = st.text(alphabet="ab -é漢字", max_size=12)
lines = st.lists(st.tuples(texts, st.sampled_from(["text", "muted"])), max_size=5)


@given(lines, st.integers(1, 40))
def test_a_line_is_fitted_to_exactly_its_width(line, width):
    assert width_of(fit(line, width)) == width


@given(st.lists(st.text(alphabet="abcdé漢", max_size=9), max_size=8), st.integers(2, 20))
def test_wrapping_loses_no_letter_and_stays_within_the_width(words, width):
    wrapped = wrap(" ".join(words), width)
    assert "".join(wrapped).replace(" ", "") == "".join(words)
    assert all(width_of([(line, "text")]) <= width for line in wrapped)


def test_both_ends_are_shown_or_else_the_left_one():
    left, right = [("left", "text")], [("right", "muted")]
    assert plain(justify(left, right, 12)) == "left   right"
    assert plain(justify(left, right, 9)) == "left     "


def test_a_line_that_is_cut_says_so():
    line = [("left", "text"), (" right", "muted")]
    assert shorten(line, 10) == line
    assert plain(shorten(line, 9)) == "left rig…"
    assert shorten(line, 0) == []


def test_words_are_left_out_whole_from_the_end():
    words = [[("train", "train")], [("test", "test")], [("best", "best")]]
    assert plain(cut_words(words, 13)) == "train  test"
    assert cut_words(words, 3) == []


def test_columns_are_set_to_either_side():
    assert plain(columns([("ab", 4, "text"), ("7", -3, "text"), ("c", 0, "text")])) == "ab    7c"


def test_only_what_changed_is_named():
    old = fit([("epoch 1 of 5", "text"), (" " * 20, "text"), ("10 images/s", "text")], 60)
    new = fit([("epoch 2 of 5", "text"), (" " * 20, "text"), ("19 images/s", "text")], 60)
    assert changed_spans(old, new) == [(6, 7), (33, 34)]
    assert changed_spans(old, old) == []


def test_a_change_of_role_alone_is_a_change():
    assert changed_spans([("abc", "text")], [("a", "text"), ("b", "wrong"), ("c", "text")]) == [(1, 2)]


def test_changes_close_to_each_other_are_one():
    assert changed_spans([("a....a", "text")], [("b....b", "text")]) == [(0, 6)]


@given(lines, lines, st.integers(1, 30))
def test_old_cells_with_the_changed_ones_put_in_are_the_new_line(before, after, width):
    old, new = fit(before, width), fit(after, width)
    changed = {cell for begin, end in changed_spans(old, new) for cell in range(begin, end)}
    assert all(a == b for at, (a, b) in enumerate(zip(cells(old), cells(new), strict=True)) if at not in changed)


def cells(line):
    """Give each cell's glyph, role and which half of a wide glyph it is."""
    return [(glyph, role, half) for text, role in line for glyph in text for half in range(width_of([(glyph, role)]))]


def test_a_bar_is_as_full_as_its_fraction_without_colours_too():
    assert plain(draw_bar(0.25, 8)) == "━━······"
    assert plain(draw_bar(7.0, 4)) == "━━━━"
