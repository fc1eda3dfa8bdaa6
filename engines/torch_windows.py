"""What the windows of a convolution see, copied into the columns of a matrix, and added back from them.

Numbers of all images lie side by side, so that whatever is copied or added is a long run of memory. All places are
made once, for images that come and gradients that go always in the same memory.
"""

from itertools import product

import torch
from torch import Tensor

from engines.torch_operations import Signal

Margin = tuple[int, int]
"""How many rows and columns of zeros images get first and last; fewer than 0 last: so many are left out."""


class Windows:
    """All windows of `kernel` x `kernel` pixels, `side` x `side` to an image.

    A row of `columns` is one pixel of the windows, by row, pixel and channel; a column is what one window sees, and
    in `columns_and_one` a 1 below it, for the bias.
    """

    def __init__(self, given: Signal, kernel: int, margin: Margin) -> None:
        self.images = _Surrounded(given, margin)
        channels, size, _, count = given.value.shape
        self.side = size + sum(margin) - kernel + 1
        channel, row, pixel, image = self.images.value.stride()
        shape = (kernel, kernel, channels, self.side, self.side, count)
        self.seen = self.images.value.as_strided(shape, (row, pixel, channel, row, pixel, image))
        row_count, column_count = kernel**2 * channels, self.side**2 * count
        self.columns_and_one = torch.ones(row_count + 1, column_count, device=given.value.device)
        self.columns = self.columns_and_one[:row_count]
        self.copied = self.columns.view(shape)
        self.shares = [
            (_part(self.images.gradient, i, j, self.side), self.copied[i, j])
            for i, j in product(range(kernel), repeat=2)
        ]

    def gather(self) -> None:
        """Copy what the windows see into `columns`."""
        self.images.take()
        self.copied.copy_(self.seen)

    def spread(self) -> None:
        """Take `columns` as gradients, and add them up where their pixels are in the images."""
        self.images.gradient.zero_()
        for target, share in self.shares:
            target.add_(share)
        self.images.give()


class PoolingWindows:
    """What all pooling windows of 2x2 places see through a kernel: `reach` x `reach` blocks of 2x2 pixels.

    They begin at every second pixel, so that blocks are what is copied. A row of `columns` is one pixel of the windows,
    by block and pixel of the block in each direction, and channel.
    """

    def __init__(self, given: Signal, kernel: int, margin: Margin) -> None:
        channels, size, _, count = given.value.shape
        # With an odd margin images begin and end with a whole block; of blocks of zeros alone there is no copy to make.
        odd = margin[0] % 2, (size + margin[0]) % 2
        self.images = _Surrounded(given, odd)
        self.reach, self.side = kernel // 2 + 1, (size + sum(margin) - kernel + 1) // 2
        before, blocks = margin[0] // 2, self.side + self.reach - 1
        held = min((size + sum(odd)) // 2, blocks - before)
        shape = (2, 2, channels, blocks, blocks, count)
        self.blocks, self.gradients = (torch.zeros(shape, device=given.value.device) for _ in range(2))
        self.own, self.own_gradients = (_part(x, before, before, held) for x in (self.blocks, self.gradients))
        self.given, self.given_gradients = (_as_blocks(x, held) for x in (self.images.value, self.images.gradient))
        down, right, channel, row, block, image = self.blocks.stride()
        seen = (self.reach, 2, self.reach, 2, channels, self.side, self.side, count)
        self.seen = self.blocks.as_strided(seen, (row, down, block, right, channel, row, block, image))
        self.copied = torch.empty(seen, device=given.value.device)
        self.columns = self.copied.flatten(0, 4).flatten(1)
        self.shares = [
            (_part(self.gradients, i, j, self.side), self.copied[i, :, j])
            for i, j in product(range(self.reach), repeat=2)
        ]

    def gather(self) -> None:
        """Copy what the windows see into `columns`."""
        self.images.take()
        self.own.copy_(self.given)
        self.copied.copy_(self.seen)

    def spread(self) -> None:
        """Take `columns` as gradients, and add them up where their pixels are in the images."""
        self.gradients.zero_()
        for target, share in self.shares:
            target.add_(share)
        self.given_gradients.copy_(self.own_gradients)
        self.images.give()

    def places(self, matrix: Tensor, kernels: Tensor) -> Tensor:
        """View where the rows of `matrix` hold kernels, (filters, height, width, channels), at each of 2x2 places."""
        filters, channels, row = len(kernels), kernels.shape[3], matrix.stride(0)
        down, right = 2 * self.reach * channels, channels
        return matrix.as_strided(
            (2, 2, *kernels.shape), (2 * filters * row + down, filters * row + right, row, down, right, 1)
        )

    def place(self, rows: Tensor, kernels: Tensor, row: int, pixel: int) -> Tensor:
        """View where `rows`, one a filter, hold kernels as `places` has them, at one of the places."""
        _, height, width, channels = kernels.shape
        shape = (len(rows), self.reach * 2, self.reach * 2, channels)
        return rows.view(shape)[:, row : row + height, pixel : pixel + width]


class _Surrounded:
    """Images and their gradients with a margin; where there is none, those that are given."""

    def __init__(self, given: Signal, margin: Margin) -> None:
        self.value, self.gradient = given.value, given.gradient
        self._given, self._inner = given, given
        before, after = margin[0], max(margin[1], 0)
        if before + after:
            channels, size, _, count = given.value.shape
            side = before + size + after
            self.value, self.gradient = (given.value.new_zeros(channels, side, side, count) for _ in range(2))
            self._inner = Signal(*(_part(x, before, before, size) for x in (self.value, self.gradient)))

    def take(self) -> None:
        """Copy the images that are given."""
        if self._inner is not self._given:
            self._inner.value.copy_(self._given.value)

    def give(self) -> None:
        """Copy the gradient to where it is expected."""
        if self._inner is not self._given:
            self._given.gradient.copy_(self._inner.gradient)


def _part(x: Tensor, row: int, column: int, size: int) -> Tensor:
    """View a square of (..., height, width, images)."""
    return x[..., row : row + size, column : column + size, :]


def _as_blocks(x: Tensor, count: int) -> Tensor:
    """View the first `count` x `count` blocks of images: (2, 2, channels, height, width, images)."""
    channel, row, pixel, image = x.stride()
    return x.as_strided((2, 2, x.shape[0], count, count, x.shape[3]), (row, pixel, channel, 2 * row, 2 * pixel, image))
