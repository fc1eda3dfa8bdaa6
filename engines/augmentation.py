"""What is done to each training image of an epoch, drawn beforehand: the same in every engine."""

import numpy as np
from numpy.typing import NDArray

from engines.catalog import IMAGE_SIZE
from engines.spec import RunSpec

FLIP, DOWN, RIGHT, TOP, LEFT = range(5)
"""The columns of what is drawn: whether to mirror, how far to shift, where the blank square begins."""


def is_augmented(spec: RunSpec) -> bool:
    """Tell whether images are changed at all."""
    return spec.flip or spec.shift > 0 or spec.erase > 0


def draw_changes(spec: RunSpec, epoch: int, size: int) -> NDArray[np.int32]:
    """Give for each of `size` images what `epoch` (from 1) does to it: a row of five, see `FLIP` and the rest.

    An image is mirrored in every other epoch, half of them in the first, so that both sides are seen equally often.
    """
    changes = np.zeros((size, 5), np.int32)
    if spec.flip:
        changes[:, FLIP] = (np.random.default_rng((spec.seed, 1)).integers(0, 2, size) + epoch) % 2
    random = np.random.default_rng((spec.seed, epoch, 2))
    if spec.shift:
        changes[:, [DOWN, RIGHT]] = random.integers(-spec.shift, spec.shift, (size, 2), endpoint=True)
    if spec.erase:
        changes[:, [TOP, LEFT]] = random.integers(0, IMAGE_SIZE - spec.erase, (size, 2), endpoint=True)
    return changes
