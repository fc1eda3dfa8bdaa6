"""The forward pass of the article's networks in numpy, for one image: no framework, a millisecond or two."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engines.architecture import Conv, Dense, Dropout, Flatten, Layer, MaxPool
from engines.catalog import CLASS_COUNT
from engines.engine import State
from engines.models import MODELS
from engines.problems import Unavailable
from engines.recipes import is_plain
from engines.spec import RunSpec
from engines.weights import WeightsByLayer

KNOWN_MODELS = ("nn", "lenet", "lenet1")
Array = NDArray[np.float32]


class ForwardPass:
    """The network of `spec` with the weights in `state`; raises `Unavailable` where it is none that is known here."""

    def __init__(self, spec: RunSpec, state: State) -> None:
        weights, is_rehearsal = WeightsByLayer(state), spec.framework == "rehearsal"
        if not is_rehearsal and spec.model not in KNOWN_MODELS:
            raise Unavailable(f"a drawing cannot be shown to the model {spec.model!r}.", "Try nn, lenet or lenet1.")
        if not is_rehearsal and not is_plain(spec):  # Its engine sees images otherwise.
            raise Unavailable(
                "a drawing is only shown to models that the article's recipe has trained.", "Try another."
            )
        layers: tuple[Layer, ...] = (Flatten(), Dense(CLASS_COUNT, relu=False))
        self._layers = layers if is_rehearsal else MODELS[spec.model].layers(spec.framework)
        self._low, self._scale = (-1.0, 2 / 255) if spec.framework == "torch" else (0.0, 1 / 255)
        self._channels_last = weights.channels_last
        try:
            self._weights = list(_in_order(self._layers, weights))
            shape = self.probabilities(np.zeros((28, 28), np.uint8)).shape
        except (KeyError, ValueError, TypeError) as error:
            raise Unavailable(f"the checkpoint is not laid out as {spec.model} is: {error}.") from error
        if shape != (CLASS_COUNT,):
            raise Unavailable(f"the checkpoint has {shape} classes, not {CLASS_COUNT}.")

    def probabilities(self, image: NDArray[np.uint8]) -> Array:
        """Give the probabilities (float32, 10) of an image (uint8, 28 x 28) in evaluation mode."""
        x: Array = (self._low + image.astype(np.float32) * np.float32(self._scale)).astype(np.float32)[None]
        for layer, (weight, bias) in zip(self._layers, self._weights, strict=True):
            match layer:
                case Conv(_, _, padding):
                    x = np.maximum(_convolve(x, weight, padding) + bias[:, None, None], 0)
                case MaxPool():
                    x = _pool(x)
                case Flatten():
                    x = (x.transpose(1, 2, 0) if self._channels_last else x).reshape(-1)
                case Dense(_, relu):
                    x = x @ weight + bias
                    x = np.maximum(x, 0) if relu else x
                case Dropout():
                    pass
        exponents = np.exp(x - x.max())
        return np.asarray(exponents / exponents.sum(), np.float32)


def _in_order(layers: tuple[Layer, ...], weights: WeightsByLayer) -> list[tuple[Array, Array]]:
    """Give weight and bias of each layer, empty ones where it has none."""
    nothing = np.zeros(0, np.float32)
    found, convs, denses = [], 0, 0
    for layer in layers:
        pair = nothing, nothing
        if isinstance(layer, Conv):
            convs += 1
            pair = weights.kernels(f"conv{convs}"), weights.bias(f"conv{convs}")
        elif isinstance(layer, Dense):
            denses += 1
            pair = weights.matrix(f"fc{denses}"), weights.bias(f"fc{denses}")
        found.append(pair)
    return found


def _convolve(x: Array, kernels: Array, padding: int) -> Array:
    """Give the maps (filters x height x width) of channels x height x width."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(x, kernels.shape[2:], axis=(1, 2))
    maps: Array = np.tensordot(kernels, windows, ((1, 2, 3), (0, 3, 4)))
    return maps


def _pool(x: Array) -> Array:
    channels, height, width = x.shape[0], x.shape[1] // 2, x.shape[2] // 2
    pooled: Array = x[:, : 2 * height, : 2 * width].reshape(channels, height, 2, width, 2).max((2, 4))
    return pooled
