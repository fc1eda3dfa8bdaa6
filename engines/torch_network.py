"""A network in PyTorch: built layer by layer, all its weights in one vector, gradients by hand."""

from collections.abc import Iterator
from itertools import count

import torch
from torch import Tensor, nn

from engines import architecture
from engines.architecture import Layer, input_shapes
from engines.torch_convolutions import Conv, PooledConv, RoundedConv
from engines.torch_operations import Dense, Dropout, Flatten, MaxPool, Operation, Relu, Weights

_KINDS = ("weight", "bias")
_MANY_CHANNELS = 16


class Network:
    """Operations in order; `values` holds all weights in one vector, `gradients` what `backward` finds for them.

    Both are float32; where that pays, products are taken in `dtype`.
    """

    def __init__(
        self, layers: tuple[Layer, ...], seed: int, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        initial = _draw(layers, seed)
        self.shapes = {name: tensor.shape for name, tensor in initial.items()}
        self.values = torch.zeros(sum(tensor.numel() for tensor in initial.values()), device=device)
        self.gradients = torch.zeros_like(self.values)
        self.weights = self.named(self.values)
        for name, tensor in initial.items():
            self.weights[name].copy_(tensor)
        self.operations = self._build(layers, dtype)
        self.first_learner = next(i for i, op in enumerate(self.operations) if type(op).learn is not Operation.learn)

    def named(self, vector: Tensor) -> dict[str, Tensor]:
        """Give the parts of a vector that is laid out as `values`, by the names of the weights: `conv1.weight`."""
        parts = torch.split(vector, [shape.numel() for shape in self.shapes.values()])
        return {name: _shaped(part, shape) for part, (name, shape) in zip(parts, self.shapes.items(), strict=True)}

    def forward(self, x: Tensor, seed: int | None = None) -> Tensor:
        """Give the logits (N x 10, float32) of images (N x 1 x 28 x 28); dropout draws from `seed`, None: evaluate."""
        x = x.permute(1, 2, 3, 0)
        for operation in self.operations:
            x = operation.forward(x, seed)
        return x.T

    def backward(self, gradient: Tensor) -> None:
        """Fill `gradients`, given the gradient of the logits that `forward` gave last."""
        gradient = gradient.T
        for operation in reversed(self.operations[self.first_learner + 1 :]):
            operation.learn(gradient)
            gradient = operation.backward(gradient)
        self.operations[self.first_learner].learn(gradient)

    def _build(self, layers: tuple[Layer, ...], dtype: torch.dtype) -> list[Operation]:
        gradients = self.named(self.gradients)

        def weights(name: str) -> Weights:
            return Weights(*(tensors[f"{name}.{kind}"] for tensors in (self.weights, gradients) for kind in _KINDS))

        operations: list[Operation] = []
        for index, (name, layer, margin) in enumerate(zip(_names(layers), layers, _margins(layers), strict=True)):
            pooled = layers[index + 1 : index + 2] == (architecture.MaxPool(),)
            match layer:
                case architecture.Conv(_, kernel):
                    # In one product with the pooling, rows are longer than windows: it pays for few channels alone.
                    few = self.shapes[f"{name}.weight"][1] < _MANY_CHANNELS and kernel % 2 == 1
                    if pooled and (few or index == 0):
                        operations.append(PooledConv(weights(name), *margin))
                    elif dtype == torch.float32:
                        operations.append(Conv(weights(name), *margin))
                    else:
                        operations.append(RoundedConv(weights(name), *margin, dtype))
                case architecture.MaxPool() if not isinstance(operations[-1], PooledConv):
                    operations.append(MaxPool())
                case architecture.Flatten():
                    operations.append(Flatten())
                case architecture.Dense():
                    operations.append(Dense(weights(name), dtype))
                case architecture.Dropout(rate):
                    operations.append(Dropout(rate, self.values.device))
            # After the pooling a ReLU gives the same values, at a quarter of the work.
            if isinstance(layer, architecture.MaxPool) or (isinstance(layer, architecture.Conv) and not pooled):
                operations.append(Relu())
            if isinstance(layer, architecture.Dense) and layer.relu:
                operations.append(Relu())
        return operations


def _names(layers: tuple[Layer, ...]) -> Iterator[str]:
    """Name each layer: `conv1`, `conv2`, `fc1`; layers without weights have an empty name."""
    convs, denses = count(1), count(1)
    for layer in layers:
        match layer:
            case architecture.Conv():
                yield f"conv{next(convs)}"
            case architecture.Dense():
                yield f"fc{next(denses)}"
            case _:
                yield ""


def _draw(layers: tuple[Layer, ...], seed: int) -> dict[str, Tensor]:
    """Draw the first weights as PyTorch's own layers do, after `torch.manual_seed(seed)`."""
    torch.manual_seed(seed % 2**63)
    drawn: dict[str, Tensor] = {}
    for name, layer, shape in zip(_names(layers), layers, input_shapes(layers), strict=True):
        match layer:
            case architecture.Conv(filters, kernel):
                module: nn.Module = nn.Conv2d(shape[0], filters, kernel)
            case architecture.Dense(units):
                module = nn.Linear(shape[0], units)
            case _:
                continue
        drawn |= {f"{name}.{kind}": tensor.detach() for kind, tensor in module.named_parameters()}
    return drawn


def _margins(layers: tuple[Layer, ...]) -> list[tuple[int, int]]:
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


def _shaped(part: Tensor, shape: torch.Size) -> Tensor:
    """View a stretch of memory as a tensor of `shape`: a dense layer's weights by input, kernels channels last."""
    if len(shape) == 2:
        return part.view(shape[1], shape[0]).T
    if len(shape) < 4:
        return part.view(shape)
    filters, channels, height, width = shape
    return part.view(filters, height, width, channels).permute(0, 3, 1, 2)
