"""The operations of a network in PyTorch, forward and backward by hand: a few matrix products, and no graph to build.

Values flow as (batch, channels, height, width) in channels-last memory, in which a row of a convolution's input is one
run of numbers. An operation keeps what its way back needs, and the way back may overwrite what the forward pass left.
"""

# ruff: noqa: D102 - what the three methods do is said once, in Operation
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from torch import Tensor


@dataclass
class Weights:
    """The weight and bias of one operation and the gradients of both: views into the network's two vectors."""

    weight: Tensor
    bias: Tensor
    weight_gradient: Tensor
    bias_gradient: Tensor


class Operation:
    """One operation of the forward pass, and its part of the backward pass."""

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        """Give the output; `seed` is that of this step's random numbers, None in evaluation mode."""
        raise NotImplementedError

    def learn(self, gradient: Tensor) -> None:
        """Write the gradients of the weights, if there are any, given that of the output."""

    def backward(self, gradient: Tensor) -> Tensor:
        """Give the gradient of the input, given that of the output."""
        raise NotImplementedError


class Flatten(Operation):
    """All values of an image in one row, channel by channel."""

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.shape = x.shape
        return x.reshape(x.shape[0], -1)

    def backward(self, gradient: Tensor) -> Tensor:
        return gradient.view(self.shape)


class Dense(Operation):
    """A fully connected layer: y = x W' + b."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.x = x
        return torch.addmm(self.weights.bias, x, self.weights.weight.T)

    def learn(self, gradient: Tensor) -> None:
        torch.mm(gradient.T, self.x, out=self.weights.weight_gradient)
        torch.sum(gradient, 0, out=self.weights.bias_gradient)

    def backward(self, gradient: Tensor) -> Tensor:
        return gradient @ self.weights.weight


class Relu(Operation):
    """max(x, 0), in place."""

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.y = x.relu_()
        return self.y

    def backward(self, gradient: Tensor) -> Tensor:
        return self.y.sign_().mul_(gradient)


class Dropout(Operation):
    """While training, zero each value with probability `rate` and scale the rest by 1 / (1 - rate)."""

    def __init__(self, rate: float, device: torch.device) -> None:
        self.kept = 1 - rate
        self.generator = torch.Generator(device)

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        if seed is None:
            return x
        self.generator.manual_seed(seed)
        self.mask = torch.empty_like(x).uniform_(generator=self.generator).lt_(self.kept).div_(self.kept)
        return x * self.mask

    def backward(self, gradient: Tensor) -> Tensor:
        return gradient * self.mask


class MaxPool(Operation):
    """The maximum of each 2x2 window, found pair by pair."""

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.x = x
        self.left, self.right = x[..., 0::2], x[..., 1::2]
        self.rows = torch.maximum(self.left, self.right)
        self.top, self.bottom = self.rows[..., 0::2, :], self.rows[..., 1::2, :]
        return torch.maximum(self.top, self.bottom)

    def backward(self, gradient: Tensor) -> Tensor:
        _split_by_maximum(gradient, self.top, self.bottom)
        _split_by_maximum(self.rows, self.left, self.right)
        return self.x


class Conv(Operation):
    """A convolution with stride 1 of images that get `before` rows and columns of zeros first and `after` last."""

    def __init__(self, weights: Weights, before: int, after: int) -> None:
        self.weights = weights
        self.before, self.after = before, after

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.side = x.shape[-1]
        self.x = F.pad(x, (self.before, self.after) * 2) if self.before or self.after else x
        return F.conv2d(self.x, self.weights.weight, self.weights.bias)

    def learn(self, gradient: Tensor) -> None:
        # One product with a copy of all windows is a fifth faster than the library's own gradient of the weights.
        filters, channels, kernel, _ = self.weights.weight.shape
        batch, _, height, width = self.x.shape
        side, row = gradient.shape[-1], width * channels
        windows = self.x.as_strided(
            (batch, side, side, kernel, kernel * channels), (height * row, row, channels, row, 1)
        ).reshape(-1, kernel * kernel * channels)
        gradient = gradient.permute(0, 2, 3, 1).reshape(-1, filters)
        product = (windows.T @ gradient).view(kernel, kernel, channels, filters)
        self.weights.weight_gradient.copy_(product.permute(3, 2, 0, 1))
        torch.sum(gradient, 0, out=self.weights.bias_gradient)

    def backward(self, gradient: Tensor) -> Tensor:
        # Copied to channels first and back: the library is faster with these, by more than the copies cost.
        padded = F.conv_transpose2d(gradient.contiguous(), self.weights.weight.contiguous())
        inner = slice(self.before, self.before + self.side)
        return padded[..., inner, inner].contiguous(memory_format=torch.channels_last)


class PooledConv(Operation):
    """A convolution of one-channel images and the 2x2 pooling after it as one matrix product; the first operation.

    A column is what one pooling window sees, (kernel + 1)^2 pixels; a row of the matrix is the kernel of a filter, laid
    at one of the window's four positions. The bias comes after the pooling: the same values, at a quarter of the work.
    """

    def __init__(self, weights: Weights, before: int, after: int) -> None:
        self.weights = weights
        self.before, self.after = before, after
        filters, _, self.kernel, _ = weights.weight.shape
        self.seen = self.kernel + 1
        self.matrix = weights.weight.new_zeros(2, 2, filters, self.seen, self.seen)

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        x = F.pad(x, (self.before, self.after) * 2)
        batch, _, height, width = x.shape
        side = (height - self.kernel + 1) // 2
        self.windows = x.as_strided(
            (self.seen, self.seen, batch, side, side), (width, 1, height * width, 2 * width, 2)
        ).reshape(self.seen**2, -1)
        for position in self._positions(self.matrix):
            position.copy_(self.weights.weight[:, 0])
        self.y = (self.matrix.view(-1, self.seen**2) @ self.windows).view(2, 2, -1, batch * side * side)
        self.rows = torch.maximum(self.y[:, 0], self.y[:, 1])
        pooled = torch.maximum(self.rows[0], self.rows[1]).T.contiguous().add_(self.weights.bias)
        return pooled.view(batch, side, side, -1).permute(0, 3, 1, 2)

    def learn(self, gradient: Tensor) -> None:
        gradient = gradient.permute(0, 2, 3, 1).flatten(0, 2)
        torch.sum(gradient, 0, out=self.weights.bias_gradient)
        _split_by_maximum(gradient.T.contiguous(), self.rows[0], self.rows[1])
        _split_by_maximum(self.rows, self.y[:, 0], self.y[:, 1])
        product = (self.y.flatten(0, 2) @ self.windows.T).view(self.matrix.shape)
        torch.sum(torch.stack(list(self._positions(product))), 0, out=self.weights.weight_gradient[:, 0])

    def _positions(self, matrix: Tensor) -> Iterator[Tensor]:
        """Give where the filters' kernels lie in `matrix`, for each of a window's four positions."""
        for i in (0, 1):
            for j in (0, 1):
                yield matrix[i, j, :, i : i + self.kernel, j : j + self.kernel]


def _split_by_maximum(gradient: Tensor, first: Tensor, second: Tensor) -> None:
    """Overwrite both by their share of the gradient of their maximum: `first` has it where they are equal."""
    torch.sub(gradient, first.ge_(second).mul_(gradient), out=second)
