"""The sheet and its pen."""

from tui.canvas import Canvas


def ink_at(canvas, x, y):
    return canvas.pixels[y * 28 + x]


def drawn(*places):
    canvas = Canvas()
    canvas.move_to(*places[0])
    canvas.put_down()
    for place in places[1:]:
        canvas.move_to(*place)
    return canvas


def test_a_new_sheet_is_empty_and_moving_the_pen_leaves_it_so():
    canvas = Canvas()
    canvas.move_to(3, 4)
    assert canvas.is_empty
    assert canvas.pixels == bytes(784)


def test_a_stroke_is_three_pixels_wide_with_soft_edges():
    canvas = drawn((5.5, 10.5), (20.5, 10.5))
    column = [ink_at(canvas, 12, y) for y in range(7, 15)]
    assert column[3] == 255
    assert column[:2] == column[-2:] == [0, 0]
    assert 0 < column[2] == column[4] < 255
    assert ink_at(canvas, 5, 10) == ink_at(canvas, 20, 10) == 255
    assert ink_at(canvas, 2, 10) == ink_at(canvas, 23, 10) == 0


def test_a_quick_move_leaves_no_gap():
    canvas = drawn((1.5, 1.5), (26.5, 26.5))
    assert all(ink_at(canvas, at, at) == 255 for at in range(1, 27))


def test_lifted_it_draws_no_more_and_ink_never_fades():
    canvas = drawn((5.5, 5.5), (5.5, 10.5))
    before = canvas.pixels
    canvas.lift()
    canvas.move_to(20, 20)
    assert canvas.pixels == before
    canvas.put_down()
    assert all(new >= old for new, old in zip(canvas.pixels, before, strict=True))


def test_the_pen_stops_at_the_edge():
    canvas = drawn((-50, 14.5), (90, 14.5))
    assert (canvas.x, canvas.y) == (27.5, 14.5)
    assert ink_at(canvas, 0, 14) == ink_at(canvas, 27, 14) == 255


def test_a_new_sheet_is_had_by_clearing():
    canvas = drawn((5, 5), (9, 9))
    canvas.clear()
    assert canvas.is_empty
    assert not canvas.is_down
