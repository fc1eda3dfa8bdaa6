import pytest

from tui.digits import IMAGE_STYLES, common_margin, draw_image, scale
from tui.lines import plain, width_of

SIDE = 28
SIZES = [(28, 14), (20, 10), (14, 7), (10, 5), (8, 4)]


def image_with(*lit):
    """Give a black image whose pixels (x, y) in `lit` are white."""
    pixels = bytearray(SIDE * SIDE)
    for x, y in lit:
        pixels[y * SIDE + x] = 255
    return bytes(pixels)


SQUARE = image_with(*((x, y) for x in range(7, 21) for y in range(7, 21)))


def test_scaling_keeps_the_mean():
    for columns, rows in SIZES:
        pixels = [value for row in scale(SQUARE, 0, columns, 2 * rows) for value in row]
        assert sum(pixels) / len(pixels) == pytest.approx(255 / 4, abs=1)


def test_at_full_size_each_pixel_is_itself():
    assert scale(image_with((3, 5)), 0, SIDE, SIDE)[5][3] == 255
    assert sum(map(sum, scale(image_with((3, 5)), 0, SIDE, SIDE))) == 255


def test_the_margin_is_what_is_empty_in_all_images():
    assert common_margin([SQUARE]) == 7
    assert common_margin([SQUARE, image_with((2, 14))]) == 2
    assert common_margin([image_with((27, 0))]) == 0
    assert common_margin([image_with()]) == SIDE // 4


@pytest.mark.parametrize("style", IMAGE_STYLES)
@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_every_style_fills_exactly_its_cells(style, columns, rows):
    drawn = draw_image(SQUARE, columns, rows, style)
    assert len(drawn) == rows
    assert all(width_of(line) == columns for line in drawn)


def test_half_blocks_show_two_pixels_in_a_cell_by_their_inks():
    top, *rest = draw_image(image_with(*((x, 0) for x in range(SIDE))), SIDE, SIDE // 2, "blocks")
    assert top == [("▀" * SIDE, "ink 15/0")]
    assert all(line == [(" " * SIDE, "ink 0/0")] for line in rest)


def test_braille_shows_eight_pixels_in_a_cell():
    lines = draw_image(image_with((0, 0), (1, 3)), SIDE // 2, SIDE // 4, "braille")
    assert plain(lines[0]).rstrip() == chr(0x2800 + 0x01 + 0x80)


def test_ascii_is_ascii_and_darker_ink_is_a_denser_letter():
    drawn = draw_image(SQUARE, 14, 7, "ascii")
    assert all(plain(line).isascii() for line in drawn)
    assert plain(drawn[0]).strip() == ""
    assert "@@@@@" in plain(drawn[3])
