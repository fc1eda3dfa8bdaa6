"""Changing a batch of images in PyTorch, as `augmentation` has drawn it, on the device and all at once."""

import torch
from torch import Tensor

from engines.augmentation import DOWN, FLIP, LEFT, RIGHT, TOP
from engines.catalog import IMAGE_SIZE


def change(images: Tensor, changes: Tensor, erase: int) -> Tensor:
    """Give images (uint8, N x 1 x 28 x 28) mirrored, shifted and with a square of side `erase` blank.

    `changes` (int32, N x 5) says which and how; what comes in from outside is background, 0.
    """
    count, places = len(images), torch.arange(IMAGE_SIZE, device=images.device)
    rows, columns = places - changes[:, DOWN, None], places - changes[:, RIGHT, None]
    is_inside = _within(rows, 0, IMAGE_SIZE)[:, :, None] & _within(columns, 0, IMAGE_SIZE)[:, None, :]
    columns = torch.where(changes[:, FLIP, None] == 1, IMAGE_SIZE - 1 - columns, columns)
    if erase:
        top, left = changes[:, TOP, None], changes[:, LEFT, None]
        is_inside &= ~(_within(places, top, top + erase)[:, :, None] & _within(places, left, left + erase)[:, None, :])
    image = torch.arange(count, device=images.device)[:, None, None]
    last = IMAGE_SIZE - 1
    moved = images[image, 0, rows.clamp(0, last)[:, :, None], columns.clamp(0, last)[:, None, :]]
    return (moved * is_inside).unsqueeze(1)


def _within(values: Tensor, low: Tensor | int, below: Tensor | int) -> Tensor:
    return (values >= low) & (values < below)
