"""The operations of a network for one count of images: built layer by layer, run forward and backward."""

import torch
from torch import Tensor

from engines import architecture
from engines.architecture import Layer, input_shapes
from engines.catalog import IMAGE_SIZE
from engines.first_weights import name_layers
from engines.torch_convolutions import Conv, PooledConv, RoundedConv
from engines.torch_operations import (
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    Moment,
    Operation,
    Relu,
    RoundedDense,
    Signal,
    Weights,
)
from engines.torch_windows import Margin

_MANY_CHANNELS = 16


class Pass:
    """A forward pass of so many `images`, and the way back, in memory of its own; `weights` by `name_layers`."""

    def __init__(self, layers: tuple[Layer, ...], weights: dict[str, Weights], images: int, dtype: torch.dtype) -> None:
        device = next(iter(weights.values())).weight.device
        self.images = torch.empty(images, 1, IMAGE_SIZE, IMAGE_SIZE, device=device)
        pixels = self.images.permute(1, 2, 3, 0)
        self.dtype = dtype
        self.operations: list[Operation] = []
        self.output = Signal(pixels, pixels)  # that of the last operation so far
        for index, (name, layer, margin) in enumerate(zip(name_layers(layers), layers, _margins(layers), strict=True)):
            is_pooled = layers[index + 1 : index + 2] == (architecture.MaxPool(),)
            self._add_layer(layer, weights.get(name), margin, is_pooled)
        self.first_learner = next(i for i, op in enumerate(self.operations) if type(op).learn is not Operation.learn)
        self.dropouts = [op for op in self.operations if isinstance(op, Dropout)]
        self.logits, self.gradient = self.output.value.T, self.output.gradient.T

    def draw(self, moment: Moment) -> None:
        """Make ready what is random in the step that is trained next."""
        for dropout in self.dropouts:
            dropout.draw(moment)

    def forward(self, images: Tensor, *, is_training: bool = False) -> Tensor:
        """Give the logits (N x 10, float32) of images (N x 1 x 28 x 28), which the next call overwrites."""
        self.images.copy_(images)
        for operation in self.operations:
            operation.forward(is_training)
        return self.logits

    def find_gradients(self, images: Tensor, targets: Tensor) -> None:
        """Find the weights' gradients of the mean cross-entropy; `targets` are one-hot rows (N x 10, float32)."""
        self.forward(images, is_training=True)
        torch.softmax(self.logits, 1, out=self.gradient).sub_(targets).mul_(1 / len(targets))
        self.backward()

    def backward(self) -> None:
        """Find the gradients of the weights; that of the logits (N x 10) is to be in `gradient`."""
        for operation in reversed(self.operations[self.first_learner + 1 :]):
            operation.learn()
            operation.backward()
        self.operations[self.first_learner].learn()

    def _add_layer(self, layer: Layer, weights: Weights | None, margin: Margin, is_pooled: bool) -> None:
        match layer, weights:
            case architecture.Conv(), Weights():
                self._add(self._convolution(weights, margin, is_pooled))
            case architecture.Dense(), Weights() if self.dtype == torch.float32:
                self._add(Dense(self.output, weights))
            case architecture.Dense(), Weights():
                self._add(RoundedDense(self.output, weights, self.dtype))
            case architecture.MaxPool(), _ if not isinstance(self.operations[-1], PooledConv):
                self._add(MaxPool(self.output))
            case architecture.Flatten(), _:
                self._add(Flatten(self.output))
            case architecture.Dropout(rate), _:
                self._add(Dropout(self.output, rate))
        # After the pooling a ReLU gives the same values, at a quarter of the work.
        match layer:
            case architecture.Conv() if not is_pooled:
                self._add(Relu(self.output))
            case architecture.MaxPool() | architecture.Dense(relu=True):
                self._add(Relu(self.output))

    def _add(self, operation: Operation) -> None:
        self.operations.append(operation)
        self.output = operation.output

    def _convolution(self, weights: Weights, margin: Margin, is_pooled: bool) -> Operation:
        _, channels, kernel, _ = weights.weight.shape
        # In one product with the pooling, rows are longer than windows: it pays for few channels alone.
        is_small = not self.operations or (channels < _MANY_CHANNELS and kernel % 2 == 1)
        if is_pooled and is_small:
            return PooledConv(self.output, weights, margin)
        if self.dtype == torch.float32:
            return Conv(self.output, weights, margin, is_pooled=is_pooled)
        return RoundedConv(self.output, weights, margin, self.dtype, is_pooled=is_pooled)


def _margins(layers: tuple[Layer, ...]) -> list[Margin]:
    """Give for each convolution how many zeros to put before and after a row of its input (fewer than 0: leave out).

    Pooling leaves an odd last row and column out. Found from the last layer to the first, so that no convolution
    computes what none after it uses: 15 % of `lenet1`.
    """
    margins, used = [(0, 0)] * len(layers), 0
    for index, shape in reversed(list(enumerate(input_shapes(layers)))):
        match layers[index]:
            case architecture.Flatten():
                used = shape[1] if len(shape) == 3 else 0
            case architecture.MaxPool():
                used *= 2
            case architecture.Conv(_, kernel, padding):
                seen = used + kernel - 1 - padding
                given = shape[1] if index == 0 else min(seen, shape[1])
                margins[index] = (padding, seen - given)
                used = given
    return margins
