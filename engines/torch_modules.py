"""Networks as PyTorch modules: layer by layer, and the classifiers of torchvision."""

from collections import OrderedDict

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from torch import Tensor, nn

from engines import architecture
from engines.architecture import Layer, input_shapes
from engines.catalog import CLASS_COUNT, IMAGE_SIZE
from engines.first_weights import draw_weights, name_layers
from engines.models import MODELS, TORCHVISION

_SIDES = (IMAGE_SIZE, 32, 64, 96, 224)
"""The sides to which images are brought for a network of torchvision: the first that it takes."""

_WITH_HELPERS = ("googlenet", "inception_v3")
"""Networks that classify halfway too while they train, by layers that want a loss of their own, and larger images."""


class Whiten(nn.Module):
    """A convolution by kernels that are found, not learned, and a ReLU."""

    weight: Tensor

    def __init__(self, layer: architecture.Whiten) -> None:
        super().__init__()
        self.layer = layer
        self.register_buffer("weight", torch.zeros(2 * layer.patterns, 1, layer.kernel, layer.kernel))

    def forward(self, x: Tensor) -> Tensor:
        """Give the maps (N x filters x side x side) of images (N x 1 x 28 x 28)."""
        return F.relu(F.conv2d(x, self.weight, stride=self.layer.stride))


class ConvNorm(nn.Module):
    """A convolution that keeps the size, pooling, batch norm, ReLU."""

    def __init__(self, channels: int, layer: architecture.ConvNorm) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, layer.filters, layer.kernel, padding=layer.kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(layer.filters)
        self.pool = layer.pool

    def forward(self, x: Tensor) -> Tensor:
        """Give the maps that follow from the maps `x`."""
        y = self.conv(x)
        return F.relu(self.norm(F.max_pool2d(y, 2) if self.pool else y))


class GlobalMax(nn.Module):
    """The maximum of each map."""

    def forward(self, x: Tensor) -> Tensor:
        """Give N x channels of maps (N x channels x height x width)."""
        return x.amax((2, 3))


class Enlarged(nn.Module):
    """A network that sees images brought to `side` pixels."""

    def __init__(self, network: nn.Module, side: int) -> None:
        super().__init__()
        self.network, self.side = network, side

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits (N x 10) of images (N x 1 x 28 x 28)."""
        larger = F.interpolate(x, self.side, mode="bilinear") if self.side != IMAGE_SIZE else x
        logits: Tensor = self.network(larger)
        return logits


def build_module(model: str, seed: int) -> nn.Module:
    """Build the network called `model` with weights drawn from `seed`."""
    if model.startswith(TORCHVISION):
        return _adapt(model.removeprefix(TORCHVISION), seed)
    return build_layers(MODELS[model].layers("torch"), seed)


def build_layers(layers: tuple[Layer, ...], seed: int) -> nn.Module:
    """Build a network of these layers with weights drawn from `seed`."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer, shape in zip(name_layers(layers), layers, input_shapes(layers), strict=True):
        modules[name] = _build(layer, shape)
        if isinstance(layer, architecture.Conv) or (isinstance(layer, architecture.Dense) and layer.relu):
            modules[f"{name}-relu"] = nn.ReLU()
    network = nn.Sequential(modules)
    weights = {name: torch.from_numpy(array) for name, array in draw_weights(layers, seed).items()}
    network.load_state_dict(network.state_dict() | weights)
    return network


def _build(layer: Layer, shape: tuple[int, ...]) -> nn.Module:
    match layer:
        case architecture.Conv(filters, kernel, padding):
            module: nn.Module = nn.Conv2d(shape[0], filters, kernel, padding=padding)
        case architecture.MaxPool():
            module = nn.MaxPool2d(2)
        case architecture.Flatten():
            module = nn.Flatten()
        case architecture.Dense(units):
            module = nn.Linear(shape[0], units)
        case architecture.Dropout(rate):
            module = nn.Dropout(rate)
        case architecture.Whiten():
            module = Whiten(layer)
        case architecture.ConvNorm():
            module = ConvNorm(shape[0], layer)
        case architecture.GlobalMax():
            module = GlobalMax()
    return module


def _adapt(name: str, seed: int) -> nn.Module:
    """Give a classifier of torchvision its one channel and ten classes, and images as small as it takes."""
    import torchvision  # A second that no other network waits for.

    torch.manual_seed(seed % 2**63)
    options = {"aux_logits": False, "init_weights": True} if name in _WITH_HELPERS else {}
    network = torchvision.models.get_model(name, weights=None, num_classes=CLASS_COUNT, **options)
    parent, key, first = next(
        (module, key, child)
        for module in network.modules()
        for key, child in module.named_children()
        if isinstance(child, nn.Conv2d)
    )
    adapted = nn.Conv2d(1, first.out_channels, 1, bias=first.bias is not None)
    for attribute in ("kernel_size", "stride", "padding", "padding_mode", "dilation"):
        setattr(adapted, attribute, getattr(first, attribute))
    # What an image that is grey in three channels would see.
    adapted.weight = nn.Parameter(first.weight.detach().sum(1, keepdim=True))
    setattr(parent, key, adapted)
    return next(seen for side in _SIDES if _takes_images(seen := Enlarged(network, side)))


@torch.no_grad()
def _takes_images(network: nn.Module) -> bool:
    """Tell whether `network` can evaluate images at all: many fail where a map has become smaller than a kernel."""
    try:
        network.eval()(torch.zeros(2, 1, IMAGE_SIZE, IMAGE_SIZE))
    except (RuntimeError, AssertionError):
        return False
    return True
