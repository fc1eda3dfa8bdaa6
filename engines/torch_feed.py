"""What PyTorch trains on: all sets and an epoch's order on the device, given batch by batch."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.catalog import CLASS_COUNT
from engines.datasets import ImageData

_GATHERED_IMAGES = 128


class Feed:
    """Images (N x 1 x 28 x 28, uint8) and labels (N, int64) of all sets; a CPU uses the images in place.

    Pixels are brought from 0..255 to `input_range` (float32) where they are used.
    """

    def __init__(
        self, data: ImageData, device: torch.device, input_range: tuple[float, float], batch_size: int
    ) -> None:
        self.batch_size = batch_size
        self.images = {split: send(images, device).unsqueeze(1) for split, (images, _) in data.splits().items()}
        self.labels = {split: send(labels, device).long() for split, (_, labels) in data.splits().items()}
        self.order = torch.arange(len(self.labels["train"]), device=device)
        self._low, self._scale = torch.tensor(input_range[0], device=device), (input_range[1] - input_range[0]) / 255
        self._one_hot = torch.eye(CLASS_COUNT, device=device)

    def set_order(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""
        self.order.copy_(torch.from_numpy(order))

    def seen(self, first_step: int, step_count: int) -> slice:
        """Give where in the order, and in what is kept in it, the images of these steps are."""
        return slice(first_step * self.batch_size, min((first_step + step_count) * self.batch_size, len(self.order)))

    def gather(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Give training images (N x 1 x 28 x 28, float32) and their labels as one-hot rows (N x 10)."""
        images = self.normalise(self.images["train"].index_select(0, indices))
        return images, self._one_hot.index_select(0, self.labels["train"].index_select(0, indices))

    def batches(self, first_step: int, step_count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give each step's images and targets as `gather` does, of many steps gathered at once."""
        seen = self.seen(first_step, step_count)
        stride = self.batch_size * max(1, _GATHERED_IMAGES // self.batch_size)
        for start in range(seen.start, seen.stop, stride):
            gathered = self.gather(self.order[start : min(start + stride, seen.stop)])
            yield from zip(*(torch.split(tensor, self.batch_size) for tensor in gathered), strict=True)

    def normalise(self, images: Tensor) -> Tensor:
        """Bring pixels 0..255 (uint8) to the input range (float32)."""
        return torch.add(self._low, images, alpha=self._scale)


def send(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """Bring an array to `device`; on a CPU the tensor shares its memory."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(device)
