"""The convolutions of a network in PyTorch, forward and backward by hand, each as products with a copy of its windows.

What a pass leaves for the way back is large and lies in memory that the next step uses again: to be given fresh pages
by the system would cost as much as to compute what fills them.
"""

# ruff: noqa: D102 - what the three methods do is said once, in Operation
from collections.abc import Iterator
from math import ceil

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from torch import Tensor
from torch.nn.grad import conv2d_weight

from engines.torch_operations import Operation, Weights, add_products, split_by_maximum

_CACHED_NUMBERS = 2**18
"""So many numbers, one MiB, are still in a core's cache when the next operation passes over them."""


class Conv(Operation):
    """A convolution with stride 1 of images that get `before` rows and columns of zeros first and `after` last."""

    def __init__(self, weights: Weights, before: int, after: int) -> None:
        self.weights = weights
        self.margin = (before, after) * 2
        self.windows, self.y, self.padded = (weights.weight.new_empty(0) for _ in range(3))
        self.halves = weights.weight.new_empty(2, *_as_matrix(weights.weight).shape)

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        filters, channels, kernel, _ = self.weights.weight.shape
        self.shape = x.shape
        x = F.pad(x, self.margin) if any(self.margin) else x
        batch, _, height, width = x.shape
        self.side, row = height - kernel + 1, width * channels
        windows = x.as_strided(
            (batch, self.side, self.side, kernel, kernel * channels), (height * row, row, channels, row, 1)
        )
        self.windows.resize_(windows.shape).copy_(windows)
        y = self.y.resize_(batch, self.side, self.side, filters)
        # Turned in memory first: the product is a tenth faster, by more than this small copy costs.
        kernels = _as_matrix(self.weights.weight).T.contiguous()
        torch.addmm(self.weights.bias, self._columns(), kernels, out=y.view(-1, filters))
        return y.permute(0, 3, 1, 2)

    def learn(self, gradient: Tensor) -> None:
        gradient = _as_rows(gradient)
        add_products(gradient, self._columns(), self.halves.zero_())
        torch.add(self.halves[0], self.halves[1], out=_as_matrix(self.weights.weight_gradient))
        torch.sum(gradient, 0, out=self.weights.bias_gradient)

    def backward(self, gradient: Tensor) -> Tensor:
        torch.mm(_as_rows(gradient), _as_matrix(self.weights.weight), out=self._columns())
        _, channels, kernel, _ = self.weights.weight.shape
        side = self.side + kernel - 1
        padded = self.padded.resize_(len(self.windows), side, side, channels).zero_()
        for i in range(kernel):
            for j in range(kernel):
                part = self.windows[:, :, :, i, j * channels : (j + 1) * channels]
                padded[:, i : i + self.side, j : j + self.side].add_(part)
        return _without_margin(padded, self.margin, self.shape)

    def _columns(self) -> Tensor:
        return self.windows.view(-1, self.windows.shape[-1] * self.windows.shape[-2])


class RoundedConv(Operation):
    """A convolution as `Conv` in `dtype`, of few bits, by the library's own kernels; what leaves it is of that type."""

    def __init__(self, weights: Weights, before: int, after: int, dtype: torch.dtype) -> None:
        self.weights, self.dtype = weights, dtype
        self.margin = (before, after) * 2

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.shape = x.shape
        x = F.pad(x, self.margin) if any(self.margin) else x
        self.x = x.to(self.dtype, memory_format=torch.channels_last)
        self.weight = self.weights.weight.to(self.dtype)
        return F.conv2d(self.x, self.weight, self.weights.bias.to(self.dtype))

    def learn(self, gradient: Tensor) -> None:
        torch.sum(_as_rows(gradient), 0, dtype=torch.float32, out=self.weights.bias_gradient)
        rounded = gradient.to(self.dtype, memory_format=torch.channels_last)
        found = conv2d_weight(self.x, self.weight.shape, rounded)  # type: ignore[no-untyped-call]
        self.weights.weight_gradient.copy_(found)

    def backward(self, gradient: Tensor) -> Tensor:
        rounded = gradient.to(self.dtype, memory_format=torch.channels_last)
        padded = F.conv_transpose2d(rounded, self.weight)
        return _without_margin(padded.permute(0, 2, 3, 1), self.margin, self.shape)


class PooledConv(Operation):
    """A convolution of few channels and the 2x2 pooling after it as one matrix product.

    A row is what `across` pooling windows beside one another see; a column of the matrix is a filter's kernel, laid at
    one of the four places in one of them. The bias comes after the pooling: the same values, at a quarter of the work.
    """

    def __init__(self, weights: Weights, before: int, after: int) -> None:
        self.weights = weights
        self.margin = (before, after) * 2
        self.windows, self.y, self.pairs, self.pooled = (weights.weight.new_empty(0) for _ in range(4))
        self.strips, self.padded, self.biases = (weights.weight.new_empty(0) for _ in range(3))
        self.matrix = self.matrix_gradients = weights.weight.new_empty(0)

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        filters, channels, kernel, _ = self.weights.weight.shape
        self.shape = x.shape
        x = F.pad(x, self.margin) if any(self.margin) else x
        batch, _, height, width = x.shape
        self.side, row = (height - kernel + 1) // 2, width * channels
        self.across = 2 - self.side % 2
        windows = x.as_strided(
            (batch, self.side, self.side // self.across, kernel + 1, (2 * self.across + kernel - 1) * channels),
            (height * row, 2 * row, 2 * self.across * channels, row, 1),
        )
        self.windows.resize_(windows.shape).copy_(windows)
        if not len(self.matrix):
            self.matrix = self.matrix.new_zeros(windows[0, 0, 0].numel(), 4 * self.across * filters)
            self.matrix_gradients = self.matrix.new_zeros(2, *self.matrix.shape)
        self._places(self.matrix).copy_(self.weights.weight.permute(2, 3, 1, 0)[:, :, :, None, None, None])
        self.y.resize_(windows[..., 0, 0].numel(), 2, 2, self.across * filters)
        self.pairs.resize_(self.y[:, 0].shape)
        pooled = self.pooled.resize_(batch, self.side, self.side, filters)
        for columns, y, pairs, maxima in self._parts(pooled):
            torch.mm(columns, self.matrix, out=y.flatten(1))
            torch.maximum(y[:, 0], y[:, 1], out=pairs)
            torch.maximum(pairs[:, 0], pairs[:, 1], out=maxima)
        # A row of the image at once, as rows as short as the filters are few take seven times as long.
        biases = self.biases.resize_(self.side, filters).copy_(self.weights.bias)
        pooled.flatten(2).add_(biases.flatten())
        return pooled.permute(0, 3, 1, 2)

    def learn(self, gradient: Tensor) -> None:
        gradient = _as_rows(gradient)
        torch.sum(gradient, 0, out=self.weights.bias_gradient)
        self.matrix_gradients.zero_()
        for columns, y, pairs, part in self._parts(gradient):
            split_by_maximum(part, pairs[:, 0], pairs[:, 1])
            split_by_maximum(pairs, y[:, 0], y[:, 1])
            add_products(columns, y.flatten(1), self.matrix_gradients)
        whole = self.matrix_gradients[0].add_(self.matrix_gradients[1])
        places = self._places(whole).permute(3, 4, 5, 0, 1, 2, 6).flatten(0, 2)
        torch.sum(places, 0, out=self.weights.weight_gradient.permute(2, 3, 1, 0))

    def backward(self, gradient: Tensor) -> Tensor:
        # Windows begin at every second pixel, so that blocks of 2x2 pixels are added: along a row, then row by row.
        _, channels, kernel, _ = self.weights.weight.shape
        batch, tall, wide = len(self.windows), (kernel + 1) // 2, self.across + kernel // 2
        blocks = self.matrix.view(tall, 2, wide, 2, channels, -1).permute(2, 0, 1, 3, 4, 5).flatten(0, 4)
        torch.mm(self.y.flatten(1), blocks.T, out=self.windows.view(len(self.y), -1))
        windows = self.windows.view(batch, self.side, -1, wide, tall * 4 * channels)
        height = self.side + kernel // 2
        strips = self.strips.resize_(batch, self.side, height, tall * 4 * channels).zero_()
        for at in range(wide):
            strips[:, :, at : at + self.side : self.across].add_(windows[:, :, :, at])
        padded = self.padded.resize_(batch, height, 2, height, 2 * channels).zero_()
        for at, strip in enumerate(strips.view(batch, self.side, height, tall, 2, -1).unbind(3)):
            padded[:, at : at + self.side].add_(strip.permute(0, 1, 3, 2, 4))
        return _without_margin(padded.view(batch, 2 * height, 2 * height, channels), self.margin, self.shape)

    def _places(self, matrix: Tensor) -> Tensor:
        """View where `matrix` holds the kernels: (height, width, channels, 2 x 2 x across places, filters)."""
        filters, channels, kernel, _ = self.weights.weight.shape
        place, row = self.across * filters, matrix.stride(0)
        right = channels * row
        down = (2 * self.across + kernel - 1) * right
        return matrix.as_strided(
            (kernel, kernel, channels, 2, 2, self.across, filters),
            (down, right, row, down + 2 * place, right + place, 2 * right + filters, 1),
        )

    def _parts(self, pooled: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """Give windows, their products, the pairs' maxima and `pooled`; a CPU's in parts that its cache can hold."""
        count = ceil(self.y.numel() / _CACHED_NUMBERS) if self.y.is_cpu else 1
        whole = (self.windows.view(len(self.y), -1), self.y, self.pairs, pooled.view(self.pairs[:, 0].shape))
        return zip(*(tensor.chunk(count) for tensor in whole), strict=True)


def _as_matrix(kernels: Tensor) -> Tensor:
    """View kernels in channels-last memory as one row of numbers a filter."""
    return kernels.permute(0, 2, 3, 1).flatten(1)


def _as_rows(gradient: Tensor) -> Tensor:
    """Give the gradient of all filters' outputs, one row a place."""
    return gradient.permute(0, 2, 3, 1).reshape(-1, gradient.shape[1])


def _without_margin(padded: Tensor, margin: tuple[int, ...], shape: torch.Size) -> Tensor:
    """View those values (batch, height, width, channels) as `shape` that are not of the margin."""
    before, side = margin[0], shape[-1]
    return padded[:, before : before + side, before : before + side].permute(0, 3, 1, 2)
