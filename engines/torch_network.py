"""A network in PyTorch: its weights, all in one vector, and a pass for each count of images."""

import torch
from torch import Tensor, nn

from engines import architecture
from engines.architecture import Layer, input_shapes
from engines.first_weights import name_layers
from engines.torch_operations import Weights
from engines.torch_pass import Pass

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
        self.weights = self.named(self.values)
        for name, tensor in initial.items():
            self.weights[name].copy_(tensor)
        self.layer_weights = self._weights_by_layer()
        self._passes: dict[int, Pass] = {}

    def named(self, vector: Tensor) -> dict[str, Tensor]:
        """Give the parts of a vector that is laid out as `values`, by the names of the weights: `conv1.weight`."""
        parts = torch.split(vector, [shape.numel() for shape in self.shapes.values()])
        return {name: _shaped(part, shape) for part, (name, shape) in zip(parts, self.shapes.items(), strict=True)}

    def _weights_by_layer(self) -> dict[str, Weights]:
        names = [name for name in name_layers(self.layers) if f"{name}.weight" in self.shapes]
        sizes = [sum(self.shapes[f"{name}.{kind}"].numel() for kind in _KINDS) for name in names]
        found: dict[str, list[Tensor]] = {name: [] for name in names}
        for vector in (self.values, self.gradients):
            named = self.named(vector)
            for name, both in zip(names, torch.split(vector, sizes), strict=True):
                weight, bias = (named[f"{name}.{kind}"] for kind in _KINDS)
                found[name] += [weight, bias, both.view(-1, len(bias))]
        return {name: Weights(*tensors) for name, tensors in found.items()}

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
    """View a stretch of memory as a tensor of `shape`: weights lie there input by input, kernels channels last."""
    match shape:
        case filters, channels, height, width:
            return part.view(height, width, channels, filters).permute(3, 2, 0, 1)
        case units, features:
            return part.view(features, units).T
        case _:
            return part.view(shape)
