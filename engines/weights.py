"""A checkpoint's weights by layer, laid out alike whichever framework they were learned in."""

import numpy as np
from numpy.typing import NDArray

from engines.engine import State


class WeightsByLayer:
    """The weights in `state`, float32; `channels_last` tells whether an image is flattened with its channels last.

    Layers are called `conv1`, `conv2`, `fc1` ...; the rehearsal engine's only one has no name and stands for `fc1`.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.channels_last = any(name.endswith("/kernel") for name in state)

    def has(self, layer: str) -> bool:
        """Tell whether there is such a layer."""
        return self._weight_name(layer) is not None

    def kernels(self, layer: str) -> NDArray[np.float32]:
        """Give a convolution's kernels: filters x channels x height x width."""
        weight = self._weight(layer, 4)
        return weight.transpose(3, 2, 0, 1) if self.channels_last else weight

    def matrix(self, layer: str) -> NDArray[np.float32]:
        """Give a dense layer's matrix: inputs x outputs."""
        weight = self._weight(layer, 2)
        return weight.T if self._weight_name(layer) == f"model/{layer}.weight" else weight

    def bias(self, layer: str) -> NDArray[np.float32]:
        """Give a layer's bias: one number for each output or filter."""
        name = str(self._weight_name(layer))
        for ending in ("weight", "kernel"):
            name = name.removesuffix(ending)
        return self._state[f"{name}bias"].astype(np.float32)

    def _weight(self, layer: str, dimensions: int) -> NDArray[np.float32]:
        weight = self._state[self._weight_name(layer) or layer]
        if weight.ndim != dimensions:
            raise ValueError(f"{layer} has {weight.ndim} dimensions, not {dimensions}")
        return weight.astype(np.float32)

    def _weight_name(self, layer: str) -> str | None:
        names = [f"model/{layer}.weight", f"model/{layer}/kernel", *(["model/weight"] if layer == "fc1" else [])]
        return next((name for name in names if name in self._state), None)
