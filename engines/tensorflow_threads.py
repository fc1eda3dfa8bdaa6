"""How many threads a network gets in TensorFlow, whose process chooses them once. No framework."""

from typing import NamedTuple

from engines.architecture import Conv, ConvNorm, Layer, MaxPool, input_shapes
from engines.processor import core_count
from engines.recipes import is_plain
from engines.spec import RunSpec

_OPERATIONS_AT_ONCE = 2
"""As measured on two cores."""

_MANY_CHANNELS = 16
_FEW_IMAGES = 256
"""In a step of so many, what small convolutions have as products is still in a core's cache when it is used again."""


class Threads(NamedTuple):
    """How many operations a processor does at once, and how many threads share one of them."""

    operations: int
    sharing: int


ONE_THREAD = Threads(1, 1)


def threads_for(layers: tuple[Layer, ...], spec: RunSpec) -> Threads:
    """Give the threads for a network of these layers that is trained as `spec` says."""
    if not any(isinstance(layer, Conv | ConvNorm) for layer in layers):
        return ONE_THREAD  # A dense network loses more by the threads' waiting than it gains.
    return share_cores(are_small=is_plain(spec) and are_products(layers, spec))


def share_cores(*, are_small: bool = False) -> Threads:
    """Give the threads where two operations can always be done at once; of `are_small` each takes one thread alone."""
    operations = min(core_count(), _OPERATIONS_AT_ONCE)
    return Threads(operations, 1 if are_small else max(1, core_count() - operations))


def are_products(layers: tuple[Layer, ...], spec: RunSpec) -> bool:
    """Tell whether each convolution sees few channels and is pooled, so that on a CPU it is faster as a product."""
    return (
        spec.batch_size <= _FEW_IMAGES
        and spec.precision == "float32"
        and all(
            shape[0] < _MANY_CHANNELS and isinstance(after, MaxPool)
            for layer, shape, after in zip(layers, input_shapes(layers), (*layers[1:], None), strict=True)
            if isinstance(layer, Conv)
        )
    )
