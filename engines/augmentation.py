"""What is done to each training image of an epoch, drawn beforehand: the same in every engine."""

import numpy as np
from numpy.typing import NDArray

from engines.catalog import IMAGE_SIZE
from engines.spec import RunSpec

TRANSFORM, TOP, LEFT = slice(0, 6), 6, 7
"""The columns of what is drawn: where each pixel comes from, and where the blank square begins."""

COLUMN_COUNT = 8
MIDDLE = (IMAGE_SIZE - 1) / 2


def is_augmented(spec: RunSpec) -> bool:
    """Tell whether images are changed at all."""
    return spec.flip or spec.shift > 0 or spec.erase > 0 or is_warped(spec)


def is_warped(spec: RunSpec) -> bool:
    """Tell whether a pixel may come from between pixels, so that values have to be interpolated."""
    return spec.rotate > 0 or spec.scale > 0 or spec.shear > 0


def draw_changes(spec: RunSpec, epoch: int, size: int) -> NDArray[np.float32]:
    """Give for each of `size` images what `epoch` (from 1) does to it: a row of eight, see `TRANSFORM` and the rest.

    The first six, a, b, e, c, d, f, say that the pixel at (x, y) comes from (ax + by + e, cx + dy + f); x goes to the
    right and y down, both from the middle of the image. An image is mirrored, scaled, sheared and turned about its
    middle, then shifted. It is mirrored in every other epoch, half of the images in the first, so that both sides are
    seen equally often.
    """
    changes = np.zeros((size, COLUMN_COUNT), np.float32)
    shift = np.zeros((size, 2), np.int64)
    random = np.random.default_rng((spec.seed, epoch, 2))
    if spec.shift:
        shift = random.integers(-spec.shift, spec.shift, (size, 2), endpoint=True)[:, ::-1]
    if spec.erase:
        changes[:, [TOP, LEFT]] = random.integers(0, IMAGE_SIZE - spec.erase, (size, 2), endpoint=True)
    matrix = _draw_inverses(spec, epoch, size) if is_warped(spec) else np.tile(np.eye(2), (size, 1, 1))
    if spec.flip:
        matrix[:, 0] *= _draw_signs(spec.seed, epoch, size)[:, None]
    origin = -np.einsum("nij,nj->ni", matrix, shift)
    changes[:, TRANSFORM] = np.concatenate([matrix, origin[:, :, None]], 2).reshape(size, 6)
    return changes


def _draw_signs(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    return 1 - 2 * ((np.random.default_rng((seed, 1)).integers(0, 2, size) + epoch) % 2)


def _draw_inverses(spec: RunSpec, epoch: int, size: int) -> NDArray[np.float64]:
    """Draw angles, shears and a scale for each direction, and give what undoes them (N x 2 x 2)."""
    # A stream of its own: shifts and squares are the same with it as without.
    angle, shear, wide, high = np.random.default_rng((spec.seed, epoch, 3)).uniform(-1, 1, (4, size))
    angle, shear = np.radians(spec.rotate) * angle, spec.shear * shear
    cosine, sine = np.cos(angle), np.sin(angle)
    rows = [
        [cosine + shear * sine, sine - shear * cosine] / (1 + spec.scale * wide),
        [-sine, cosine] / (1 + spec.scale * high),
    ]
    return np.array(rows).transpose(2, 0, 1)
