"""The weights that a network of our own begins with, the same in both frameworks; named and laid out as PyTorch's."""

from itertools import count
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

from engines.architecture import Conv, ConvNorm, Dense, Dropout, Layer, Whiten, input_shapes

Arrays = dict[str, NDArray[np.float32]]

WHITENED_IMAGES = 5_000
_NOISE = 5e-4
"""Added to each pattern's variance, so that one that hardly occurs is not made the loudest."""


def name_layers(layers: tuple[Layer, ...]) -> list[str]:
    """Name each layer after its kind and place: `whiten1`, `block1`, `conv1`, `fc1`."""
    numbers = {kind: count(1) for kind in ("whiten", "block", "conv", "fc", "dropout", "step")}
    kinds = {Whiten: "whiten", ConvNorm: "block", Conv: "conv", Dense: "fc", Dropout: "dropout"}
    return [f"{kind}{next(numbers[kind])}" for kind in (kinds.get(type(layer), "step") for layer in layers)]


def draw_weights(layers: tuple[Layer, ...], seed: int) -> Arrays:
    """Draw from `seed` every weight that is learned, uniformly within 1 / sqrt(inputs); a norm begins as none."""
    random = np.random.default_rng((seed, 3))

    def uniform(*shape: int, inputs: int) -> NDArray[np.float32]:
        return random.uniform(-1 / sqrt(inputs), 1 / sqrt(inputs), shape).astype(np.float32)

    weights: Arrays = {}
    for name, layer, shape in zip(name_layers(layers), layers, input_shapes(layers), strict=True):
        match layer:
            case Conv(filters, kernel) | ConvNorm(filters, kernel):
                kernels = uniform(filters, shape[0], kernel, kernel, inputs=shape[0] * kernel * kernel)
                if isinstance(layer, Conv):
                    weights[f"{name}.weight"] = kernels
                    weights[f"{name}.bias"] = uniform(filters, inputs=shape[0] * kernel * kernel)
                    continue
                weights[f"{name}.conv.weight"] = kernels
                weights[f"{name}.norm.weight"] = np.ones(filters, np.float32)
                weights[f"{name}.norm.bias"] = np.zeros(filters, np.float32)
            case Dense(units):
                weights[f"{name}.weight"] = uniform(units, prod(shape), inputs=prod(shape))
                weights[f"{name}.bias"] = uniform(units, inputs=prod(shape))
    return weights


def measure_pixels(images: NDArray[np.uint8]) -> tuple[float, float]:
    """Give mean and standard deviation of the pixels (0..255) of the first ten thousand of `images`."""
    counts = np.bincount(images[:10_000].ravel(), minlength=256)
    values = np.arange(256)
    mean = float((counts * values).sum() / counts.sum())
    return mean, max(1.0, sqrt(float((counts * (values - mean) ** 2).sum() / counts.sum())))


def find_patterns(images: NDArray[np.uint8], layer: Whiten) -> NDArray[np.float32]:
    """Find the kernels (2 x patterns, 1, kernel, kernel) of a `Whiten` layer for pixels brought to mean 0, deviation 1.

    They are the principal components of the patches that the layer sees, each divided by its deviation.
    """
    mean, deviation = measure_pixels(images)
    seen = (images[:WHITENED_IMAGES].astype(np.float64) - mean) / deviation
    windows = np.lib.stride_tricks.sliding_window_view(seen, (layer.kernel, layer.kernel), axis=(1, 2))
    patches = windows[:, :: layer.stride, :: layer.stride].reshape(-1, layer.kernel**2)
    variances, vectors = np.linalg.eigh(patches.T @ patches / len(patches))
    largest = np.argsort(variances)[::-1][: layer.patterns]
    kernels = (vectors[:, largest] / np.sqrt(variances[largest] + _NOISE)).T
    kernels = kernels.reshape(-1, 1, layer.kernel, layer.kernel).astype(np.float32)
    return np.concatenate([kernels, -kernels])
