"""Networks as the article writes them, in PyTorch's own functions, for our passes by hand to be compared with."""

import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from engines.architecture import Conv, Dense, Dropout, Flatten, Layer, MaxPool
from engines.models import ARTICLE_MODELS


def without_dropout(model: str) -> tuple[Layer, ...]:
    """Give the layers of one of the article's models, as they are in PyTorch, but for dropout."""
    return tuple(layer for layer in ARTICLE_MODELS[model].torch_layers if not isinstance(layer, Dropout))


def article_forward(layers: tuple[Layer, ...], weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """Do the forward pass of `layers` as the article writes it."""
    convs = denses = 0
    for layer in layers:
        match layer:
            case Conv(_, _, padding):
                convs += 1
                x = F.relu(F.conv2d(x, weights[f"conv{convs}.weight"], weights[f"conv{convs}.bias"], padding=padding))
            case MaxPool():
                x = F.max_pool2d(x, 2)
            case Flatten():
                x = x.flatten(1)
            case Dense(_, relu):
                denses += 1
                x = F.linear(x, weights[f"fc{denses}.weight"], weights[f"fc{denses}.bias"])
                x = F.relu(x) if relu else x
    return x
