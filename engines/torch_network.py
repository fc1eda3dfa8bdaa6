"""A network in PyTorch: its weights, all in one vector, and a pass for each count of images."""

import torch
from torch import Tensor, nn

from engines import architecture
from engines.architecture import Layer, input_shapes
from engines.torch_operations import Weights
from engines.torch_pass import Pass, name_layers

_KINDS = ("weight", "bias")
_KEPT_PASSES = 3
"""One for training, one for evaluation, and one for the rest of either."""


class Network:
    """Layers in order; `values` holds all weights in one vector, `gradients` what a pass back finds for them.

    Both are float32; where that pays, products are taken in `dtype`.
    """

    def __init__(
        self, layers: tuple[Layer, ...], seed: int, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        self.layers, self.dtype = layers, dtype
        initial = _draw(layers, seed)
        self.shapes = {name: tensor.shape for name, tensor in initial.items()}
        self.values = torch.zeros(sum(tensor.numel() for tensor in initial.values()), device=device)
        self.gradients = torch.zeros_like(self.values)
        self.weights, gradients = self.named(self.values), self.named(self.gradients)
        for name, tensor in initial.items():
            self.weights[name].copy_(tensor)
        self.layer_weights = {
            layer: Weights(*(tensors[f"{layer}.{kind}"] for tensors in (self.weights, gradients) for kind in _KINDS))
            for layer in filter(None, name_layers(layers))
        }
        self._passes: dict[int, Pass] = {}

    def named(self, vector: Tensor) -> dict[str, Tensor]:
        """Give the parts of a vector that is laid out as `values`, by the names of the weights: `conv1.weight`."""
        parts = torch.split(vector, [shape.numel() for shape in self.shapes.values()])
        return {name: _shaped(part, shape) for part, (name, shape) in zip(parts, self.shapes.items(), strict=True)}

    def pass_of(self, images: int) -> Pass:
        """Give the pass for so many images; those asked for last are kept."""
        found = self._passes.pop(images, None) or Pass(self.layers, self.layer_weights, images, self.dtype)
        self._passes[images] = found
        if len(self._passes) > _KEPT_PASSES:
            del self._passes[next(iter(self._passes))]
        return found


def _draw(layers: tuple[Layer, ...], seed: int) -> dict[str, Tensor]:
    """Draw the first weights as PyTorch's own layers do, after `torch.manual_seed(seed)`."""
    torch.manual_seed(seed % 2**63)
    drawn: dict[str, Tensor] = {}
    for name, layer, shape in zip(name_layers(layers), layers, input_shapes(layers), strict=True):
        match layer:
            case architecture.Conv(filters, kernel):
                module: nn.Module = nn.Conv2d(shape[0], filters, kernel)
            case architecture.Dense(units):
                module = nn.Linear(shape[0], units)
            case _:
                continue
        drawn |= {f"{name}.{kind}": tensor.detach() for kind, tensor in module.named_parameters()}
    return drawn


def _shaped(part: Tensor, shape: torch.Size) -> Tensor:
    """View a stretch of memory as a tensor of `shape`: a dense layer's weights by input, kernels channels last."""
    if len(shape) == 2:
        return part.view(shape[1], shape[0]).T
    if len(shape) < 4:
        return part.view(shape)
    filters, channels, height, width = shape
    return part.view(filters, height, width, channels).permute(0, 3, 1, 2)
