import keras
import numpy as np
import pytest
import tensorflow as tf

from engines.tensorflow_convolutions import PooledConv2D, PooledProduct2D

CASES = {  # side, channels, filters, kernel, padding
    "lenet's first": (28, 1, 6, 5, "same"),
    "lenet's second": (14, 6, 16, 5, "valid"),
    "an odd last row and column are left out": (11, 3, 4, 3, "valid"),
    "an odd side with a margin": (9, 2, 5, 3, "same"),
    "an even kernel": (12, 2, 3, 4, "valid"),
    "a kernel of one pixel": (6, 4, 3, 1, "same"),
}


@pytest.mark.parametrize("images", [1, 7])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_product_is_kerass_convolution_and_pooling(images, case):
    side, channels, filters, kernel, padding = case
    plain = keras.Sequential(
        [
            keras.Input((side, side, channels)),
            keras.layers.Conv2D(filters, kernel, padding=padding, activation="relu"),
            keras.layers.MaxPooling2D(2),
        ]
    )
    product = PooledProduct2D(filters, kernel, padding=padding, activation="relu")
    x, weights = draw((images, side, side, channels)), [draw((kernel, kernel, channels, filters)), draw((filters,))]
    product.build(x.shape)
    for layer in (plain, product):
        layer.set_weights(weights)
    weight = draw(plain(x).shape)
    wanted, found = (run(layer, x, weight) for layer in (plain, product))
    assert 0 < np.mean(wanted[0] > 0) < 1
    for mine, its in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-4, atol=1e-4)


def test_of_equal_places_the_first_has_the_gradient_as_in_tensorflows_pooling():
    x = np.random.default_rng(2).integers(0, 2, (5, 8, 8, 1)).astype(np.float32)
    layers = [kind(3, 3, padding="same", activation="relu") for kind in (PooledConv2D, PooledProduct2D)]
    for layer in layers:
        layer.build(x.shape)
        # Of small whole numbers, so that sums are exact and places are equal in every way that there is.
        layer.set_weights([np.random.default_rng(3).integers(-1, 2, (3, 3, 1, 3)), np.ones(3)])
    weight = np.random.default_rng(4).integers(-9, 9, (5, 4, 4, 3)).astype(np.float32)
    for mine, its in zip(*(run(layer, x, weight) for layer in layers), strict=True):
        np.testing.assert_array_equal(mine, its)


def draw(shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def run(layer, x, weight):
    """Give what `layer` makes of `x`, and the gradients of its sum, weighted, by `x`, the kernel and the bias."""
    images = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(images)
        y = layer(images)
        total = tf.reduce_sum(y * weight)
    sources = [images, *(variable.value for variable in layer.trainable_variables)]
    return [np.array(tensor) for tensor in (y, *tape.gradient(total, sources))]
