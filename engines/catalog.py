"""The models and datasets that can be chosen, as data: layers, shapes, parameter counts, class names. No framework."""

from dataclasses import dataclass
from math import prod

from engines.spec import RecipeName
from engines.torchvision_names import TORCHVISION_NAMES

IMAGE_SIZE = 28
CLASS_COUNT = 10
FRAMEWORKS = ("torch", "tensorflow")
"""The frameworks that a person may choose; `rehearsal` is for tests and pictures and is not offered."""

FRAMEWORK_TITLES = {"torch": "PyTorch", "tensorflow": "TensorFlow", "rehearsal": "Rehearsal"}


@dataclass(frozen=True)
class Conv:
    """A convolution with stride 1, zero padding on each side, and a ReLU."""

    filters: int
    kernel: int
    padding: int = 0


@dataclass(frozen=True)
class MaxPool:
    """Maximum over 2x2 windows, stride 2, an odd last row or column left out."""


@dataclass(frozen=True)
class Flatten:
    """All values of an image in one row."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer, with a ReLU unless it gives the logits."""

    units: int
    relu: bool = True


@dataclass(frozen=True)
class Dropout:
    """While training, zero each value with probability `rate` and scale the rest by 1 / (1 - rate)."""

    rate: float


@dataclass(frozen=True)
class Whiten:
    """A convolution that is not learned, and a ReLU: the training images' principal patterns, and their negatives.

    Of their patches of `kernel` x `kernel` the `patterns` with the largest variance are taken, each brought to 1.
    """

    patterns: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class ConvNorm:
    """A convolution that keeps the size, without bias; maximum over 2x2 where `pool`; batch norm; ReLU."""

    filters: int
    kernel: int = 3
    pool: bool = False


@dataclass(frozen=True)
class GlobalMax:
    """The maximum of each map."""


Layer = Conv | MaxPool | Flatten | Dense | Dropout | Whiten | ConvNorm | GlobalMax


@dataclass(frozen=True)
class LayerSummary:
    """One line of a model's table: what it is, the shape that leaves it (channels first), its parameter count."""

    title: str
    shape: tuple[int, ...]
    parameter_count: int


@dataclass(frozen=True)
class Model:
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

    def has_convolutions(self, framework: str) -> bool:
        """Tell whether more than products of small matrices is to be done, so that threads are worth having."""
        return any(isinstance(layer, Conv | ConvNorm) for layer in self.layers(framework))

    def table(self, framework: str = "torch") -> list[LayerSummary]:
        """Give a line for each layer with its output shape and parameter count."""
        shape: tuple[int, ...] = (1, IMAGE_SIZE, IMAGE_SIZE)
        rows = []
        for layer in self.layers(framework):
            row = _summarise(layer, shape)
            rows.append(row)
            shape = row.shape
        return rows

    def parameter_count(self, framework: str = "torch") -> int:
        """Give how many numbers the network learns."""
        return sum(row.parameter_count for row in self.table(framework))


def _summarise(layer: Layer, shape: tuple[int, ...]) -> LayerSummary:
    out, count = shape, 0
    match layer:
        case Conv(filters, kernel, padding):
            title, side = f"conv {kernel}x{kernel}, relu", shape[1] + 2 * padding - kernel + 1
            out, count = (filters, side, side), filters * (shape[0] * kernel * kernel + 1)
        case MaxPool():
            title, out = "max pool 2x2", (shape[0], shape[1] // 2, shape[2] // 2)
        case Flatten():
            title, out = "flatten", (prod(shape),)
        case Dense(units, relu):
            title = "dense, relu" if relu else "dense"
            out, count = (units,), units * (shape[0] + 1)
        case Dropout(rate):
            title = f"dropout {rate:g}"
        case Whiten(patterns, kernel, stride):
            title, side = f"whiten {kernel}x{kernel} /{stride}", (shape[1] - kernel) // stride + 1
            out = (2 * patterns, side, side)
        case ConvNorm(filters, kernel, pool):
            title = f"conv {kernel}x{kernel} bn{' /2' if pool else ''}"
            side = shape[1] // 2 if pool else shape[1]
            out, count = (filters, side, side), filters * (shape[0] * kernel * kernel + 2)
        case GlobalMax():
            title, out = "global max", (shape[0],)
    return LayerSummary(title, out, count)


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


@dataclass(frozen=True)
class Dataset:
    """A dataset by name: how many images it has and what its ten classes are called."""

    name: str
    title: str
    train_size: int
    test_size: int
    class_names: tuple[str, ...]


_DIGIT_NAMES = tuple(str(digit) for digit in range(CLASS_COUNT))
_FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset("mnist", "MNIST", 60_000, 10_000, _DIGIT_NAMES),
        Dataset("fashion-mnist", "Fashion-MNIST", 60_000, 10_000, _FASHION_NAMES),
        Dataset("digits", "Digits (8x8, needs no download)", 1_437, 360, _DIGIT_NAMES),
    )
}
