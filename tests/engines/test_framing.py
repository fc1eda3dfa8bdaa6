"""A drawing is brought to where MNIST has its digits: a box of 20, its centre of mass in the middle."""

import numpy as np
import pytest

from engines.framing import frame


def drawing_of(top, left, height, width):
    drawing = np.zeros((28, 28), np.uint8)
    drawing[top : top + height, left : left + width] = 255
    return drawing


def box_of(image):
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


def centre_of(image):
    grid = np.arange(28) + 0.5
    return (grid @ image.sum(1) / image.sum(), grid @ image.sum(0) / image.sum())


@pytest.mark.parametrize("drawn", [(0, 0, 28, 3), (20, 2, 5, 5), (0, 0, 28, 28), (3, 20, 10, 8)], ids=str)
@pytest.mark.parametrize(("dataset", "side"), [("mnist", 20), ("digits", 24)])
def test_the_longer_side_fills_the_box_and_the_mass_is_in_the_middle(drawn, dataset, side):
    framed = frame(drawing_of(*drawn), dataset)
    assert framed.dtype == np.uint8
    assert max(box_of(framed)) == side
    assert centre_of(framed) == pytest.approx((14, 14), abs=0.51)


def test_its_proportions_stay():
    assert box_of(frame(drawing_of(5, 5, 16, 8), "mnist")) == (20, 10)


def test_ink_heavier_on_one_side_is_moved_as_far_as_the_edge():
    drawing = drawing_of(0, 0, 28, 2)
    drawing[0, :28] = 255
    framed = frame(drawing, "mnist")
    assert box_of(framed) == (20, 20)
    assert centre_of(framed)[1] < 14


@pytest.mark.parametrize("dataset", ["fashion-mnist", "another"])
def test_other_datasets_have_it_as_it_is_drawn(dataset):
    drawing = drawing_of(1, 2, 3, 4)
    np.testing.assert_array_equal(frame(drawing, dataset), drawing)


def test_an_empty_sheet_stays_empty():
    assert not frame(np.zeros((28, 28), np.uint8), "mnist").any()
