"""Changing a batch of images in TensorFlow, as `augmentation` has drawn it, on the device and all at once."""

from typing import Any

import tensorflow as tf

from engines.augmentation import LEFT, MIDDLE, TOP, TRANSFORM
from engines.catalog import IMAGE_SIZE


def change(images: Any, changes: Any, erase: int, *, is_warped: bool) -> Any:
    """Give images (uint8, N x 28 x 28) as `changes` (float32, N x 8) says, as float32 in 0..255.

    What comes in from outside is background, 0, as is a square of side `erase`. Where they are warped, a pixel is
    interpolated from the four that it comes from between; else it is exactly that of an image, at another place.
    """
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.expand_dims(tf.cast(images, tf.float32), -1),
        transforms=_from_the_corner(changes[:, TRANSFORM]),
        output_shape=[IMAGE_SIZE, IMAGE_SIZE],
        fill_value=0.0,
        interpolation="BILINEAR" if is_warped else "NEAREST",
        fill_mode="CONSTANT",
    )[..., 0]
    if not erase:
        return moved
    places = tf.range(IMAGE_SIZE, dtype=tf.float32)
    down, right = _is_within(places, changes[:, TOP, None], erase), _is_within(places, changes[:, LEFT, None], erase)
    return tf.where(down[:, :, None] & right[:, None, :], tf.zeros([]), moved)


def _from_the_corner(transforms: Any) -> Any:
    """Give transforms (N x 6) about the middle as the operation takes them: about the first pixel, N x 8."""
    a, b, e, c, d, f = tf.unstack(transforms, axis=1)
    none = tf.zeros_like(a)
    return tf.stack([a, b, e + MIDDLE * (1 - a - b), c, d, f + MIDDLE * (1 - c - d), none, none], 1)


def _is_within(places: Any, first: Any, count: int) -> Any:
    return (places >= first) & (places < first + count)
