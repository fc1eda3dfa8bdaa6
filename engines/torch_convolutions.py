"""The convolutions of a network in PyTorch, forward and backward by hand, as products with copies of their windows."""

# ruff: noqa: D102 - what the three methods do is said once, in Operation
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from torch import Tensor
from torch.nn.grad import conv2d_weight

from engines.torch_operations import HalvedProduct, Operation, Signal, Weights, split_by_maximum
from engines.torch_windows import Margin, PoolingWindows, Windows


class Conv(Operation):
    """A convolution with stride 1 of images that get a margin; where it `is_pooled`, its gradient overwrites its value.

    One matrix product, of what the windows see, a 1 below it, with the kernels and the biases below them.
    """

    def __init__(self, given: Signal, weights: Weights, margin: Margin, *, is_pooled: bool) -> None:
        super().__init__(given)
        self.weights = weights
        self.windows = Windows(given, weights.weight.shape[2], margin)
        side, columns = self.windows.side, self.windows.columns_and_one
        value = columns.new_empty(len(weights.bias), side, side, given.value.shape[3])
        self.output = Signal(value, value if is_pooled else torch.empty_like(value))
        self.rows, self.gradient_rows = value.flatten(1), self.output.gradient.flatten(1)
        self.matrix, self.kernels = weights.joined.T, weights.joined[:-1]
        self.product = HalvedProduct(columns, self.gradient_rows)

    def forward(self, is_training: bool) -> None:
        self.windows.gather()
        torch.mm(self.matrix, self.windows.columns_and_one, out=self.rows)

    def learn(self) -> None:
        torch.add(*self.product.compute(), out=self.weights.joined_gradient)

    def backward(self) -> None:
        torch.mm(self.kernels, self.gradient_rows, out=self.windows.columns)
        self.windows.spread()


class RoundedConv(Operation):
    """A convolution as `Conv` in `dtype`, of few bits, by the library's own kernels; what leaves it is of that type."""

    def __init__(self, given: Signal, weights: Weights, margin: Margin, dtype: torch.dtype, *, is_pooled: bool) -> None:
        super().__init__(given)
        self.weights, self.dtype = weights, dtype
        self.margin = margin * 2
        _, size, _, count = given.value.shape
        self.inner = slice(margin[0], margin[0] + size)
        side = size + sum(margin) - weights.weight.shape[2] + 1
        # Channels last, as the library's kernels have it.
        value = given.value.new_empty(count, side, side, len(weights.bias), dtype=dtype).permute(3, 1, 2, 0)
        self.output = Signal(value, value if is_pooled else torch.empty_like(value))

    def forward(self, is_training: bool) -> None:
        self.x = F.pad(self._as_images(self.input.value), self.margin)
        self.weight = self.weights.weight.to(self.dtype)
        y = F.conv2d(self.x, self.weight, self.weights.bias.to(self.dtype))
        self.output.value.copy_(y.permute(1, 2, 3, 0))

    def learn(self) -> None:
        gradient = self.output.gradient
        torch.sum(gradient.flatten(1), 1, dtype=torch.float32, out=self.weights.bias_gradient)
        found = conv2d_weight(self.x, self.weight.shape, self._as_images(gradient))  # type: ignore[no-untyped-call]
        self.weights.weight_gradient.copy_(found)

    def backward(self) -> None:
        padded = F.conv_transpose2d(self._as_images(self.output.gradient), self.weight)
        self.input.gradient.copy_(padded.permute(1, 2, 3, 0)[:, self.inner, self.inner])

    def _as_images(self, x: Tensor) -> Tensor:
        return x.permute(3, 0, 1, 2).to(self.dtype, memory_format=torch.channels_last)


class PooledConv(Operation):
    """A convolution of few channels and the 2x2 pooling after it as one matrix product.

    A column is what one pooling window of one image sees; a row of the matrix is a filter's kernel, laid at one of the
    four places in such a window. The bias comes after the pooling: the same values, at a quarter of the work.
    """

    def __init__(self, given: Signal, weights: Weights, margin: Margin) -> None:
        super().__init__(given)
        self.weights = weights
        filters, _, kernel, _ = weights.weight.shape
        self.windows = PoolingWindows(given, kernel, margin)
        side, columns = self.windows.side, self.windows.columns
        self.kernels, self.kernel_gradients = (
            kernels.permute(0, 2, 3, 1) for kernels in (weights.weight, weights.weight_gradient)
        )
        self.matrix = columns.new_zeros(4 * filters, len(columns))
        self.places = self.windows.places(self.matrix, self.kernels)
        both = columns.new_empty(6 * filters, columns.shape[1])
        self.pair_rows, self.rows = both[: 2 * filters], both[2 * filters :]
        self.halves = self.rows[: 2 * filters], self.rows[2 * filters :]
        self.shares = both[: 4 * filters]
        self.transposed = self.matrix.T
        self.quarters = self.pair_rows[:filters], self.pair_rows[filters:]
        value = columns.new_empty(filters, side, side, given.value.shape[3])
        self.output = Signal(value, torch.empty_like(value))
        self.pooled, self.gradient_rows = value.flatten(1), self.output.gradient.flatten(1)
        self.bias = weights.bias.unsqueeze(1)
        self.product = HalvedProduct(self.shares, columns)
        self.of_pairs, self.of_first = self.product.halves[0][: 2 * filters], self.product.halves[0][2 * filters :]
        second, first = self.product.halves[0].view(2, 2, filters, -1)
        self.found = [
            self.windows.place(rows, self.kernels, i, j)
            for i, pair in enumerate((first, second))
            for j, rows in enumerate(pair)
        ]

    def forward(self, is_training: bool) -> None:
        self.windows.gather()
        self.places.copy_(self.kernels)
        torch.mm(self.matrix, self.windows.columns, out=self.rows)
        torch.maximum(*self.halves, out=self.pair_rows)
        torch.maximum(*self.quarters, out=self.pooled).add_(self.bias)

    def learn(self) -> None:
        torch.sum(self.gradient_rows, 1, out=self.weights.bias_gradient)
        split_by_maximum(self.gradient_rows, self.quarters, self.quarters)
        first, second = self.halves
        torch.ge(first, second, out=first).mul_(self.pair_rows)
        # What the second has of a pair's gradient, the first has not: the product with it need not be taken.
        product, rest = self.product.compute()
        product.add_(rest)
        self.of_pairs.sub_(self.of_first)
        total, *others = self.found
        for found in others:
            total.add_(found)
        self.kernel_gradients.copy_(total)

    def backward(self) -> None:
        first, second = self.halves
        torch.sub(self.pair_rows, first, out=second)
        torch.mm(self.transposed, self.rows, out=self.windows.columns)
        self.windows.spread()
