"""A drawing brought to where its dataset has its digits, as the makers of MNIST did."""

import numpy as np
from numpy.typing import NDArray

from engines.catalog import IMAGE_SIZE

BOXES = {"mnist": 20, "digits": 24}
"""The side of the square that a digit fills; a dataset that is not here is left as it is drawn."""


def frame(drawing: NDArray[np.uint8], dataset: str) -> NDArray[np.uint8]:
    """Scale the ink of `drawing` (uint8, 28 x 28) to fill the dataset's box, its centre of mass in the middle."""
    box = BOXES.get(dataset)
    if box is None or not drawing.any():
        return drawing
    rows, columns = np.flatnonzero(drawing.any(1)), np.flatnonzero(drawing.any(0))
    ink = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float64)
    height, width = (max(1, round(side * box / max(ink.shape))) for side in ink.shape)
    scaled = _shares(ink.shape[0], height) @ ink @ _shares(ink.shape[1], width).T
    top, left = _place(scaled.sum(1), height), _place(scaled.sum(0), width)
    framed = np.zeros_like(drawing)
    framed[top : top + height, left : left + width] = np.rint(scaled)
    return framed


def _shares(size: int, new_size: int) -> NDArray[np.float64]:
    """Give the matrix that averages `size` pixels into `new_size`: how much of each lies in each of the new ones."""
    edges = np.linspace(0, size, new_size + 1)
    begin, end = np.arange(size), np.arange(1, size + 1)
    overlap = np.minimum(edges[1:, None], end) - np.maximum(edges[:-1, None], begin)
    shares: NDArray[np.float64] = np.clip(overlap, 0, None) * new_size / size
    return shares


def _place(masses: NDArray[np.float64], size: int) -> int:
    """Give where pixels with these masses begin, so that their centre is in the middle and none is cut off."""
    centre = float((np.arange(size) + 0.5) @ masses / masses.sum())
    return min(max(0, round(IMAGE_SIZE / 2 - centre)), IMAGE_SIZE - size)
