"""The first layer's weights as pictures: a convolution's kernels, or what the first units of a dense layer look for."""

import base64

import numpy as np
from numpy.typing import NDArray

from engines.catalog import IMAGE_SIZE
from engines.engine import State
from engines.events import PIXEL_SPAN, ZERO_PIXEL, Filters
from engines.weights import WeightsByLayer

MOST_KERNELS, MOST_UNITS = 64, 16


def find_filters(state: State, epoch: int) -> Filters | None:
    """Give the event that shows them after `epoch`; None where the model has no such layer, or is not all finite."""
    weights = WeightsByLayer(state)
    try:
        if weights.has("conv1"):
            layer, found = "conv1", weights.kernels("conv1")
            count, pictures = len(found), found[:MOST_KERNELS, 0] if found.shape[1] == 1 else None
        elif weights.has("fc1"):
            layer, matrix = "fc1", weights.matrix("fc1")
            count, pictures = matrix.shape[1], _pictures_of_units(matrix)
        else:
            return None
    except ValueError:  # It has another form than a layer of that name has with us.
        return None
    if pictures is None or not np.isfinite(pictures).all():
        return None
    scale = float(np.abs(pictures).max())
    pixels = ZERO_PIXEL + np.rint(pictures * (PIXEL_SPAN / scale if scale else 0.0))
    return Filters(
        epoch=epoch,
        layer=layer,
        count=count,
        height=pictures.shape[1],
        width=pictures.shape[2],
        scale=scale,
        pixels=base64.b64encode(pixels.astype(np.uint8).tobytes()).decode(),
    )


def _pictures_of_units(matrix: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Give the first units' weights as images of half the size, the mean of four weights in a pixel."""
    if matrix.shape[0] != IMAGE_SIZE * IMAGE_SIZE:
        return None
    half = IMAGE_SIZE // 2
    pictures: NDArray[np.float32] = matrix.T[:MOST_UNITS].reshape(-1, half, 2, half, 2).mean((2, 4))
    return pictures
