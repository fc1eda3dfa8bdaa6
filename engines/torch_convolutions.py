"""The convolutions of a network in PyTorch, forward and backward by hand, each as products with a copy of its windows.

Numbers of all images lie side by side, so that whatever is copied, compared or added is a long run of memory.
What a pass leaves for the way back is large and lies in memory that the next step uses again: to be given fresh pages
by the system would cost as much as to compute what fills them.
"""

# ruff: noqa: D102 - what the three methods do is said once, in Operation
from itertools import product

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from torch import Tensor
from torch.nn.grad import conv2d_weight

from engines.torch_operations import Operation, Weights, add_product, split_by_maximum


class Conv(Operation):
    """A convolution with stride 1 of images that get `before` rows and columns of zeros first and `after` last."""

    def __init__(self, weights: Weights, before: int, after: int) -> None:
        self.weights = weights
        self.before, self.after = before, after
        self.windows, self.y, self.padded = (weights.weight.new_empty(0) for _ in range(3))
        self.halves = weights.weight.new_empty(2, *_as_matrix(weights.weight).shape)

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        filters, channels, kernel, _ = self.weights.weight.shape
        self.shape = x.shape
        self.side = x.shape[1] + self.before + self.after - kernel + 1
        # Where numbers are left out at the end, there are just fewer windows.
        x = F.pad(x, (0, 0) + (self.before, max(self.after, 0)) * 2) if max(self.before, self.after) > 0 else x
        channel, row, pixel, image = x.stride()
        windows = x.as_strided(
            (kernel, kernel, channels, self.side, self.side, x.shape[3]), (row, pixel, channel, row, pixel, image)
        )
        self.windows.resize_(windows.shape).copy_(windows)
        y = self.y.resize_(filters, self.side, self.side, x.shape[3])
        matrix = _as_matrix(self.weights.weight)
        torch.addmm(self.weights.bias.unsqueeze(1), matrix, self._columns(), out=y.flatten(1))
        return y

    def learn(self, gradient: Tensor) -> None:
        add_product(gradient.flatten(1), self._columns(), self.halves.zero_())
        torch.add(self.halves[0], self.halves[1], out=_as_matrix(self.weights.weight_gradient))
        torch.sum(gradient.flatten(1), 1, out=self.weights.bias_gradient)

    def backward(self, gradient: Tensor) -> Tensor:
        kernels = _as_matrix(self.weights.weight)
        torch.mm(kernels.T, gradient.flatten(1), out=self._columns())
        kernel, channels, side = len(self.windows), self.shape[0], self.side + len(self.windows) - 1
        padded = self.padded.resize_(channels, side, side, self.shape[3]).zero_()
        for i, j in product(range(kernel), repeat=2):
            padded[:, i : i + self.side, j : j + self.side].add_(self.windows[i, j])
        inner = slice(self.before, self.before + self.shape[1])
        return padded[:, inner, inner]

    def _columns(self) -> Tensor:
        return self.windows.flatten(0, 2).flatten(1)


class RoundedConv(Operation):
    """A convolution as `Conv` in `dtype`, of few bits, by the library's own kernels; what leaves it is of that type."""

    def __init__(self, weights: Weights, before: int, after: int, dtype: torch.dtype) -> None:
        self.weights, self.dtype = weights, dtype
        self.margin = (before, after) * 2

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.inner = slice(self.margin[0], self.margin[0] + x.shape[1])
        self.x = F.pad(self._as_images(x), self.margin)
        self.weight = self.weights.weight.to(self.dtype)
        return F.conv2d(self.x, self.weight, self.weights.bias.to(self.dtype)).permute(1, 2, 3, 0)

    def learn(self, gradient: Tensor) -> None:
        torch.sum(gradient.flatten(1), 1, dtype=torch.float32, out=self.weights.bias_gradient)
        found = conv2d_weight(self.x, self.weight.shape, self._as_images(gradient))  # type: ignore[no-untyped-call]
        self.weights.weight_gradient.copy_(found)

    def backward(self, gradient: Tensor) -> Tensor:
        padded = F.conv_transpose2d(self._as_images(gradient), self.weight)
        return padded.permute(1, 2, 3, 0)[:, self.inner, self.inner]

    def _as_images(self, x: Tensor) -> Tensor:
        return x.permute(3, 0, 1, 2).to(self.dtype, memory_format=torch.channels_last)


class PooledConv(Operation):
    """A convolution of few channels and the 2x2 pooling after it as one matrix product.

    A column is what one pooling window of one image sees; a row of the matrix is a filter's kernel, laid at one of the
    four places in such a window. Windows begin at every second pixel, so that blocks of 2x2 pixels are what is copied.
    The bias comes after the pooling: the same values, at a quarter of the work.
    """

    def __init__(self, weights: Weights, before: int, after: int) -> None:
        self.weights = weights
        self.before, self.after = before, after
        filters, channels, kernel, _ = weights.weight.shape
        self.reach = kernel // 2 + 1
        """Blocks that a window sees, along each side."""

        self.matrix = weights.weight.new_zeros(4 * filters, 4 * self.reach**2 * channels)
        self.halves = weights.weight.new_zeros(2, *self.matrix.shape)
        self.blocks, self.block_gradients = (weights.weight.new_zeros(0) for _ in range(2))
        self.windows, self.y, self.pairs, self.pooled = (weights.weight.new_empty(0) for _ in range(4))

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        filters, channels, kernel, _ = self.weights.weight.shape
        self.shape = x.shape
        self.side = (x.shape[1] + self.before + self.after - kernel + 1) // 2
        x = F.pad(x, (0, 0) + self._odd_margin() * 2) if any(self._odd_margin()) else x
        images, side = x.shape[3], self.side + self.reach - 1
        blocks = (2, 2, channels, side, side, images)
        if self.blocks.shape != blocks:
            self.blocks = self.blocks.new_zeros(blocks)
        self._within(self.blocks).copy_(self._as_blocks(x))
        down, right, channel, row, block, image = self.blocks.stride()
        windows = (self.reach, 2, self.reach, 2, channels, self.side, self.side, images)
        self.windows.resize_(windows).copy_(
            self.blocks.as_strided(windows, (row, down, block, right, channel, row, block, image))
        )
        self._places(self.matrix).copy_(self.weights.weight.permute(0, 2, 3, 1))
        places = self.side**2 * images
        y, pairs = self.y.resize_(2, 2 * filters, places), self.pairs.resize_(2, filters, places)
        torch.mm(self.matrix, self._columns(), out=y.view(4 * filters, places))
        torch.maximum(y[0], y[1], out=pairs.view(2 * filters, places))
        pooled = torch.maximum(pairs[0], pairs[1], out=self.pooled.resize_(filters, places))
        return pooled.add_(self.weights.bias.unsqueeze(1)).view(filters, self.side, self.side, images)

    def learn(self, gradient: Tensor) -> None:
        gradient = gradient.flatten(1)
        torch.sum(gradient, 1, out=self.weights.bias_gradient)
        split_by_maximum(gradient, self.pairs[0], self.pairs[1])
        split_by_maximum(self.pairs.flatten(0, 1), self.y[0], self.y[1])
        add_product(self.y.flatten(0, 1), self._columns(), self.halves.zero_())
        places = self._places(self.halves[0].add_(self.halves[1]))
        found = places[0, 0].add_(places[0, 1]).add_(places[1, 0]).add_(places[1, 1])
        self.weights.weight_gradient.permute(0, 2, 3, 1).copy_(found)

    def backward(self, gradient: Tensor) -> Tensor:
        torch.mm(self.matrix.T, self.y.flatten(0, 1), out=self._columns())
        blocks = self.block_gradients.resize_(self.blocks.shape).zero_()
        for i, below in enumerate(self.windows.unbind(0)):
            rows = blocks.narrow(3, i, self.side)
            for j, part in enumerate(below.unbind(1)):
                rows.narrow(4, j, self.side).add_(part)
        channels, side, _, images = self.shape
        before, after = self._odd_margin()
        padded = gradient.new_empty(channels, side + before + after, side + before + after, images)
        self._as_blocks(padded).copy_(self._within(blocks))
        return padded[:, before : before + side, before : before + side]

    def _odd_margin(self) -> tuple[int, int]:
        """Give how much of the margin makes the images begin and end with a whole block of 2x2 pixels."""
        before = self.before % 2
        return before, (self.shape[1] + before) % 2

    def _as_blocks(self, x: Tensor) -> Tensor:
        """View images block by block: (2, 2, channels, height, width, images), as many as windows see."""
        count = min(x.shape[1] // 2, self.side + self.reach - 1 - self.before // 2)
        channel, row, pixel, image = x.stride()
        return x.as_strided(
            (2, 2, x.shape[0], count, count, x.shape[3]), (row, pixel, channel, 2 * row, 2 * pixel, image)
        )

    def _within(self, blocks: Tensor) -> Tensor:
        """View what the margin's whole blocks surround."""
        inner = slice(self.before // 2, self.before // 2 + (self.shape[1] + sum(self._odd_margin())) // 2)
        return blocks[..., inner, inner, :]

    def _columns(self) -> Tensor:
        return self.windows.view(self.matrix.shape[1], -1)

    def _places(self, matrix: Tensor) -> Tensor:
        """View where `matrix` holds the kernels: (2 x 2 places, filters, height, width, channels)."""
        filters, channels, kernel, _ = self.weights.weight.shape
        right = channels
        down = 2 * self.reach * channels
        row = matrix.stride(0)
        return matrix.as_strided(
            (2, 2, filters, kernel, kernel, channels),
            (2 * filters * row + down, filters * row + right, row, down, right, 1),
        )


def _as_matrix(kernels: Tensor) -> Tensor:
    """View kernels in channels-last memory as one row of numbers a filter."""
    return kernels.permute(0, 2, 3, 1).flatten(1)
