"""Changing a batch of images in PyTorch, as `augmentation` has drawn it, on the device and all at once."""

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from torch import Tensor

from engines.augmentation import LEFT, MIDDLE, TOP, TRANSFORM
from engines.catalog import IMAGE_SIZE


def change(images: Tensor, changes: Tensor, erase: int, *, is_warped: bool) -> Tensor:
    """Give images (uint8, N x 1 x 28 x 28) as `changes` (float32, N x 8) says, as float32 in 0..255.

    What comes in from outside is background, 0, as is a square of side `erase`. Where they are warped, a pixel is
    interpolated from the four that it comes from between; else it is exactly that of an image, at another place.
    """
    places = torch.arange(IMAGE_SIZE, dtype=torch.float32, device=images.device)
    pixels = _pixels_from_the_middle(places)
    rows = changes[:, TRANSFORM].reshape(-1, 3)
    # In the units of `grid_sample`, where an image reaches from -1 to 1.
    sources = (rows @ pixels / (IMAGE_SIZE / 2)).view(-1, 2, IMAGE_SIZE, IMAGE_SIZE).permute(0, 2, 3, 1)
    mode = "bilinear" if is_warped else "nearest"
    moved = F.grid_sample(images.float(), sources, mode=mode, padding_mode="zeros", align_corners=False)
    if not erase:
        return moved
    erased = _is_within(places, changes[:, TOP, None], erase), _is_within(places, changes[:, LEFT, None], erase)
    return moved.masked_fill((erased[0][:, :, None] & erased[1][:, None, :]).unsqueeze(1), 0)


def _pixels_from_the_middle(places: Tensor) -> Tensor:
    """Give x, y and 1 of each pixel, row by row: float32, 3 x 784."""
    y, x = torch.meshgrid(places - MIDDLE, places - MIDDLE, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)]).reshape(3, -1)


def _is_within(places: Tensor, first: Tensor, count: int) -> Tensor:
    return (places >= first) & (places < first + count)
