"""The models that can be chosen, as data: layer by layer, and those of torchvision by name. No framework."""

import msgspec

from engines.architecture import (
    Conv,
    ConvNorm,
    Dense,
    Dropout,
    Flatten,
    GlobalMax,
    Layer,
    LayerSummary,
    MaxPool,
    Whiten,
    summarise,
)
from engines.catalog import CLASS_COUNT
from engines.spec import RecipeName
from engines.torchvision_names import TORCHVISION_NAMES


class Model(msgspec.Struct, frozen=True):
    """A network; its layers differ by framework only where the article's own code does.

    `recipe` is how it is trained where nothing else is asked. One of torchvision has no layers here.
    """

    name: str
    summary: str
    torch_layers: tuple[Layer, ...]
    tensorflow_layers: tuple[Layer, ...]
    recipe: RecipeName = "article"

    def layers(self, framework: str) -> tuple[Layer, ...]:
        """Give the layers, first to last, of the network in `framework`."""
        return self.tensorflow_layers if framework == "tensorflow" else self.torch_layers

    def table(self, framework: str = "torch") -> list[LayerSummary]:
        """Give a line for each layer with its output shape and parameter count."""
        return summarise(self.layers(framework))

    def parameter_count(self, framework: str = "torch") -> int:
        """Give how many numbers the network learns."""
        return sum(row.parameter_count for row in self.table(framework))


_NN = (Flatten(), Dense(128), Dropout(0.2), Dense(CLASS_COUNT, relu=False))
_LENET = (
    Conv(6, 5, padding=2),
    MaxPool(),
    Conv(16, 5),
    MaxPool(),
    Flatten(),
    Dense(120),
    Dense(84),
    Dense(CLASS_COUNT, relu=False),
)


def _lenet1(first_padding: int) -> tuple[Layer, ...]:
    return (
        Conv(32, 3, padding=first_padding),
        MaxPool(),
        Conv(64, 3),
        MaxPool(),
        Conv(64, 3),
        Flatten(),
        Dense(64),
        Dense(CLASS_COUNT, relu=False),
    )


ARTICLE_MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("nn", "one hidden layer of 128, dropout 0.2", _NN, _NN),
        Model("lenet", "LeNet-5 with ReLU and max pooling", _LENET, _LENET),
        # The article pads by 2 in PyTorch and "same" (1) in TensorFlow; both end in 64 maps of 4x4.
        Model("lenet1", "three deeper convolutions, one dense layer less", _lenet1(2), _lenet1(1)),
    )
}


def _airnet(name: str, what: str, *layers: Layer) -> Model:
    layers = (*layers, GlobalMax(), Dense(CLASS_COUNT, relu=False))
    legend = "bn is a batch norm with a ReLU, /2 halves the sides"
    return Model(name, f"{what}; {legend}", layers, layers, "fast")


MODELS: dict[str, Model] = ARTICLE_MODELS | {
    model.name: model
    for model in (
        _airnet(
            "airnet-s",
            "for seconds: a fixed first layer, three convolutions",
            Whiten(8, kernel=4, stride=2),
            ConvNorm(32, pool=True),
            ConvNorm(64, pool=True),
            ConvNorm(64),
        ),
        _airnet(
            "airnet-m",
            "for minutes: a fixed first layer, five convolutions",
            Whiten(8, kernel=4, stride=2),
            ConvNorm(32),
            ConvNorm(48, pool=True),
            ConvNorm(64),
            ConvNorm(96, pool=True),
            ConvNorm(96),
        ),
    )
}
"""The models that have a name of their own; `find_model` knows those of torchvision too."""

TORCHVISION = "torchvision:"


def find_model(name: str) -> Model | None:
    """Give the model called `name`, one of `MODELS` or `torchvision:NAME`; None where there is none."""
    if name.startswith(TORCHVISION) and name.removeprefix(TORCHVISION) in TORCHVISION_NAMES:
        return Model(name, "of torchvision, for one channel and ten classes; its layers are told by the run", (), ())
    return MODELS.get(name)
