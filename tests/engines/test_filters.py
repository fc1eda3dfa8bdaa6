"""The first layer's weights as pictures, of either framework's layout."""

import base64

import numpy as np
import pytest

from engines.filters import find_filters
from engines.gallery import Gallery

KERNELS = np.random.default_rng(0).normal(size=(6, 1, 5, 5)).astype(np.float32)
MATRIX = np.random.default_rng(1).normal(size=(128, 784)).astype(np.float32)


def pixels_of(filters):
    pixels = np.frombuffer(base64.b64decode(filters.pixels), np.uint8)
    return pixels.reshape(-1, filters.height, filters.width)


def test_kernels_are_shown_symmetric_about_zero_with_their_scale():
    filters = find_filters({"model/conv1.weight": KERNELS}, 3)
    assert (filters.epoch, filters.layer, filters.count, filters.height, filters.width) == (3, "conv1", 6, 5, 5)
    weights = (pixels_of(filters).astype(float) - 128) / 127 * filters.scale
    np.testing.assert_allclose(weights, KERNELS[:, 0], atol=filters.scale / 254 * 1.01)
    assert filters.scale == np.abs(KERNELS).max()


def test_both_frameworks_layouts_give_the_same_pictures():
    conv = find_filters({"model/conv1/kernel": KERNELS.transpose(2, 3, 1, 0)}, 0)
    assert conv == find_filters({"model/conv1.weight": KERNELS}, 0)
    dense = find_filters({"model/fc1/kernel": MATRIX.T}, 0)
    assert dense == find_filters({"model/fc1.weight": MATRIX}, 0)
    assert dense == find_filters({"model/weight": MATRIX.T}, 0)


def test_of_a_dense_layer_the_first_units_come_at_half_the_size():
    filters = find_filters({"model/fc1.weight": MATRIX}, 0)
    assert (filters.layer, filters.count, pixels_of(filters).shape) == ("fc1", 128, (16, 14, 14))
    corner = MATRIX[5].reshape(28, 28)[:2, :2].mean() / filters.scale * 127 + 128
    assert pixels_of(filters)[5, 0, 0] == pytest.approx(corner, abs=0.51)


def test_weights_of_zero_are_the_middle():
    filters = find_filters({"model/conv1.weight": KERNELS * 0}, 0)
    assert filters.scale == 0
    assert (pixels_of(filters) == 128).all()


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"model/blocks.0.weight": KERNELS},
        {"model/conv1.weight": np.zeros((24, 3, 2, 2), np.float32)},
        {"model/conv1.weight": np.zeros(6, np.float32)},
        {"model/fc1.weight": np.zeros((128, 100), np.float32)},
        {"model/fc1.weight": MATRIX * np.float32(np.nan)},
    ],
    ids=["nothing", "unknown", "colour", "flat", "other-images", "not-finite"],
)
def test_other_first_layers_are_not_shown(state):
    assert find_filters(state, 0) is None


def test_a_reader_keeps_the_first_and_the_newest():
    gallery = Gallery()
    shown = [find_filters({"model/conv1.weight": KERNELS * factor}, epoch) for epoch, factor in enumerate((1, 2, 3))]
    for filters in shown:
        gallery.apply_filters(filters)
    assert (gallery.first_filters, gallery.filters) == (shown[0], shown[2])
    gallery.begin_attempt(2)
    assert gallery.filters == shown[2]
    gallery.begin_attempt(1)
    assert gallery.filters == shown[0]
