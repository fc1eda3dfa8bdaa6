"""The operations of a network in PyTorch, forward and backward by hand: a few matrix products, and no graph to build.

Values flow as (channels, height, width, images), or (features, images) once they are flat: what stands at one place in
all images is one run of numbers. An operation is made for one count of images, and all that it reads and writes stays
where it is: a step is then calls of the library alone, without the views and the memory that it would have to make
anew. What a pass leaves for the way back, the way back may overwrite.
"""

# ruff: noqa: D102 - what the three methods do is said once, in Operation
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

_DRAWN_NUMBERS = 2**16
"""Drawn at once, for the masks of many steps."""

_MANY_TERMS = 500
"""Of a sum; so many are added in halves, in the same order however many threads take part (see `HalvedProduct`)."""


@dataclass
class Weights:
    """The weight and bias of one operation and the gradients of both: views into the network's two vectors.

    There a weight lies input by input, with the bias after it: `joined`, of a row for each input and one for the bias.
    """

    weight: Tensor
    bias: Tensor
    joined: Tensor
    weight_gradient: Tensor
    bias_gradient: Tensor
    joined_gradient: Tensor


@dataclass
class Signal:
    """What flows between two operations, and the gradient of the loss by it.

    Both may lie in the same memory, where the gradient comes when its value has done its work.
    """

    value: Tensor
    gradient: Tensor


class Moment(NamedTuple):
    """What a step's random numbers follow from: the run's seed, and how many steps were done before."""

    seed: int
    step: int


class Operation:
    """One operation of the forward pass, and its part of the backward pass; by default it works in place."""

    def __init__(self, given: Signal) -> None:
        self.input = self.output = given

    def forward(self, is_training: bool) -> None:
        """Find the output's value from the input's."""
        raise NotImplementedError

    def learn(self) -> None:
        """Write the gradients of the weights, if there are any, given that of the output."""

    def backward(self) -> None:
        """Find the gradient of the input from that of the output."""
        raise NotImplementedError


class Flatten(Operation):
    """All values of an image in one column, channel by channel."""

    def __init__(self, given: Signal) -> None:
        super().__init__(given)
        self.output = Signal(given.value.flatten(0, 2), given.gradient.flatten(0, 2))
        self.is_view = self.output.value.data_ptr() == given.value.data_ptr()

    def forward(self, is_training: bool) -> None:
        if not self.is_view:
            self.output.value.view(self.input.value.shape).copy_(self.input.value)

    def backward(self) -> None:
        if not self.is_view:
            self.input.gradient.copy_(self.output.gradient.view(self.input.value.shape))


class Dense(Operation):
    """A fully connected layer: y = W x + b."""

    def __init__(self, given: Signal, weights: Weights) -> None:
        super().__init__(given)
        self.output = flat_signal(given.value, len(weights.bias))
        self.weights = weights
        self.bias = weights.bias.unsqueeze(1)
        self.transposed = weights.weight.T, weights.weight_gradient.T, self.output.gradient.T
        self.product = HalvedProduct(weights.weight, given.value.T) if len(given.value) >= _MANY_TERMS else None

    def forward(self, is_training: bool) -> None:
        if self.product:
            torch.add(*self.product.compute(), out=self.output.value).add_(self.bias)
        else:
            torch.addmm(self.bias, self.weights.weight, self.input.value, out=self.output.value)

    def learn(self) -> None:
        _, weight_gradient, gradient = self.transposed
        torch.mm(self.input.value, gradient, out=weight_gradient)
        torch.sum(self.output.gradient, 1, out=self.weights.bias_gradient)

    def backward(self) -> None:
        torch.mm(self.transposed[0], self.output.gradient, out=self.input.gradient)


class RoundedDense(Operation):
    """A fully connected layer as `Dense`, its products taken in `dtype`, of few bits."""

    def __init__(self, given: Signal, weights: Weights, dtype: torch.dtype) -> None:
        super().__init__(given)
        self.output = flat_signal(given.value, len(weights.bias))
        self.weights, self.dtype = weights, dtype
        self.bias = weights.bias.unsqueeze(1)

    def forward(self, is_training: bool) -> None:
        self.x, self.weight = self.input.value.to(self.dtype), self.weights.weight.to(self.dtype)
        torch.add(self.weight @ self.x, self.bias, out=self.output.value)

    def learn(self) -> None:
        self.gradient = self.output.gradient.to(self.dtype)
        self.weights.weight_gradient.T.copy_(self.x @ self.gradient.T)
        torch.sum(self.output.gradient, 1, out=self.weights.bias_gradient)

    def backward(self) -> None:
        self.input.gradient.copy_(self.weight.T @ self.gradient)


class Relu(Operation):
    """max(x, 0), in place."""

    def forward(self, is_training: bool) -> None:
        self.output.value.relu_()

    def backward(self) -> None:
        self.output.gradient.mul_(self.output.value.sign_())


class Dropout(Operation):
    """While training, zero each value with probability `rate` and scale the rest by 1 / (1 - rate); in place."""

    def __init__(self, given: Signal, rate: float) -> None:
        super().__init__(given)
        self.kept = 1 - rate
        self.generator = torch.Generator(given.value.device)
        count = max(1, _DRAWN_NUMBERS // given.value.numel())
        self.drawn = given.value.new_empty(count, *given.value.shape)
        self.drawn_for: Moment | None = None
        self.masks = self.drawn.unbind(0)
        self.mask = torch.empty_like(given.value)

    def draw(self, moment: Moment) -> None:
        """Make the mask of this step ready."""
        place = moment.step % len(self.masks)
        first = moment._replace(step=moment.step - place)
        if first != self.drawn_for:
            self.generator.manual_seed((first.seed * 1_000_003 + first.step) % 2**63)
            self.drawn.uniform_(generator=self.generator).lt_(self.kept).div_(self.kept)
            self.drawn_for = first
        self.mask.copy_(self.masks[place])  # A recorded step looks for it always in the same memory.

    def forward(self, is_training: bool) -> None:
        if is_training:
            self.output.value.mul_(self.mask)

    def backward(self) -> None:
        self.output.gradient.mul_(self.mask)


class MaxPool(Operation):
    """The maximum of each 2x2 window, found pair by pair."""

    def __init__(self, given: Signal) -> None:
        super().__init__(given)
        # Pairs of rows first, as these are the longer runs of memory.
        self.top, self.bottom = (given.value[:, start::2] for start in (0, 1))
        self.top_gradient, self.bottom_gradient = (given.gradient[:, start::2] for start in (0, 1))
        self.rows = torch.empty_like(self.top)
        self.left, self.right = (self.rows[:, :, start::2] for start in (0, 1))
        self.output = Signal(*(torch.empty_like(self.left) for _ in range(2)))

    def forward(self, is_training: bool) -> None:
        torch.maximum(self.top, self.bottom, out=self.rows)
        torch.maximum(self.left, self.right, out=self.output.value)

    def backward(self) -> None:
        split_by_maximum(self.output.gradient, (self.left, self.right), (self.left, self.right))
        split_by_maximum(self.rows, (self.top, self.bottom), (self.top_gradient, self.bottom_gradient))


class HalvedProduct:
    """The product of `first` and `second`', matrices of long rows, as the sum of those of each half of the rows.

    Two threads would halve the rows of one long product themselves, and the sum's last digits were others than one's.
    """

    def __init__(self, first: Tensor, second: Tensor) -> None:
        half = first.shape[1] // 2
        self.both = first.new_empty(2, len(first), len(second))
        self.halves = self.both[0], self.both[1]
        ours, its = (matrix[:, : 2 * half].view(len(matrix), 2, half).transpose(0, 1) for matrix in (first, second))
        self.parts = ours, its.transpose(1, 2)
        self.rest = (first[:, -1], second[:, -1]) if first.shape[1] % 2 else None

    def compute(self) -> tuple[Tensor, Tensor]:
        """Give the products of both halves, which are overwritten by the next call."""
        torch.bmm(*self.parts, out=self.both)
        if self.rest:
            self.halves[0].addr_(*self.rest)
        return self.halves


def flat_signal(like: Tensor, features: int) -> Signal:
    """Make room for so many float32 features of as many images as are in `like`."""
    images = like.shape[-1]
    return Signal(*(like.new_empty(images, features, dtype=torch.float32).T for _ in range(2)))


def split_by_maximum(gradient: Tensor, values: tuple[Tensor, Tensor], gradients: tuple[Tensor, Tensor]) -> None:
    """Write each of two values' share of the gradient of their maximum: the first has it where they are equal.

    The gradients may lie where the values do.
    """
    first, second = gradients
    torch.ge(*values, out=first).mul_(gradient)
    torch.sub(gradient, first, out=second)
