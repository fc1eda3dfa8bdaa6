"""Changing a batch of images in TensorFlow, as `augmentation` has drawn it, on the device and all at once."""

from typing import Any

import tensorflow as tf

from engines.augmentation import DOWN, FLIP, LEFT, RIGHT, TOP
from engines.catalog import IMAGE_SIZE


def change(images: Any, changes: Any, erase: int) -> Any:
    """Give images (uint8, N x 28 x 28) mirrored, shifted and with a square of side `erase` blank.

    `changes` (int32, N x 5) says which and how; what comes in from outside is background, 0.
    """
    places, last = tf.range(IMAGE_SIZE)[None, :], IMAGE_SIZE - 1
    rows, columns = places - changes[:, DOWN, None], places - changes[:, RIGHT, None]
    is_inside = _both(_within(rows, 0, IMAGE_SIZE), _within(columns, 0, IMAGE_SIZE))
    columns = tf.where(changes[:, FLIP, None] == 1, last - columns, columns)
    if erase:
        top, left = changes[:, TOP, None], changes[:, LEFT, None]
        is_inside &= ~_both(_within(places, top, top + erase), _within(places, left, left + erase))
    moved = tf.gather(images, tf.clip_by_value(rows, 0, last), axis=1, batch_dims=1)
    moved = tf.gather(moved, tf.clip_by_value(columns, 0, last), axis=2, batch_dims=1)
    return tf.where(is_inside, moved, tf.zeros([], moved.dtype))


def _within(values: Any, low: Any, below: Any) -> Any:
    return (values >= low) & (values < below)


def _both(rows: Any, columns: Any) -> Any:
    return rows[:, :, None] & columns[:, None, :]
