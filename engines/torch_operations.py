"""The operations of a network in PyTorch, forward and backward by hand: a few matrix products, and no graph to build.

Values flow as (channels, height, width, batch), or (features, batch) once they are flat: what stands at one place in
all images is one run of numbers. An operation keeps what its way back needs, and the way back may overwrite what the
forward pass left.
"""

# ruff: noqa: D102 - what the three methods do is said once, in Operation
from dataclasses import dataclass

import torch
from torch import Tensor

_MANY_TERMS = 500
"""Of a sum; so many are added in halves, in the same order however many threads take part (see `add_product`)."""


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
    """All values of an image in one column, channel by channel."""

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.shape = x.shape
        return x.flatten(0, 2)

    def backward(self, gradient: Tensor) -> Tensor:
        return gradient.view(self.shape)


class Dense(Operation):
    """A fully connected layer: y = W x + b, its products taken in `dtype`."""

    def __init__(self, weights: Weights, dtype: torch.dtype) -> None:
        self.weights, self.dtype = weights, dtype

    def forward(self, x: Tensor, seed: int | None) -> Tensor:
        self.x, self.weight = x.to(self.dtype), self.weights.weight.to(self.dtype)
        bias, count = self.weights.bias.unsqueeze(1), len(x)
        if self.dtype != bias.dtype:
            return torch.add(self.weight @ self.x, bias)
        if count < _MANY_TERMS or count % 2:
            return torch.addmm(bias, self.weight, self.x)
        halves = torch.bmm(self.weight.T.view(2, count // 2, -1).transpose(1, 2), self.x.view(2, count // 2, -1))
        return torch.add(halves[0], halves[1]).add_(bias)

    def learn(self, gradient: Tensor) -> None:
        multiply(self.x, gradient.to(self.dtype).T, self.weights.weight_gradient.T)
        torch.sum(gradient, 1, out=self.weights.bias_gradient)

    def backward(self, gradient: Tensor) -> Tensor:
        return (self.weight.T @ gradient.to(self.dtype)).to(gradient.dtype)


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
        # Pairs of rows first, as these are the longer runs of memory.
        self.x = x
        self.top, self.bottom = x[:, 0::2], x[:, 1::2]
        self.rows = torch.maximum(self.top, self.bottom)
        self.left, self.right = self.rows[:, :, 0::2], self.rows[:, :, 1::2]
        return torch.maximum(self.left, self.right)

    def backward(self, gradient: Tensor) -> Tensor:
        split_by_maximum(gradient, self.left, self.right)
        split_by_maximum(self.rows, self.top, self.bottom)
        return self.x


def split_by_maximum(gradient: Tensor, first: Tensor, second: Tensor) -> None:
    """Overwrite both by their share of the gradient of their maximum: `first` has it where they are equal."""
    torch.sub(gradient, first.ge_(second).mul_(gradient), out=second)


def add_product(first: Tensor, second: Tensor, halves: Tensor) -> None:
    """Add the product of `first` and `second`', matrices of long rows, to `halves`: those of each half of the rows.

    Two threads would halve the rows of one long product themselves, and the sum's last digits were others than one's.
    """
    half = first.shape[1] // 2
    parts = [matrix[:, : 2 * half].view(len(matrix), 2, half).transpose(0, 1) for matrix in (first, second)]
    torch.baddbmm(halves, parts[0], parts[1].transpose(1, 2), out=halves)
    if first.shape[1] % 2:
        halves[0].addr_(first[:, -1], second[:, -1])


def multiply(first: Tensor, second: Tensor, product: Tensor) -> None:
    """Write the product of two matrices, taken in their type, to `product`, which may be of another type."""
    if product.dtype == first.dtype:
        torch.mm(first, second, out=product)
    else:
        product.copy_(first @ second)
