"""What networks are made of, as data: the kinds of layers, the shapes between them, their parameters. No framework."""

from math import prod

import msgspec

from engines.catalog import IMAGE_SIZE

Shape = tuple[int, ...]
"""One image's shape between two layers: channels, height, width, or one number once it is flat."""


class Conv(msgspec.Struct, frozen=True):
    """A convolution with stride 1, zero padding on each side, and a ReLU."""

    filters: int
    kernel: int
    padding: int = 0


class MaxPool(msgspec.Struct, frozen=True):
    """Maximum over 2x2 windows, stride 2, an odd last row or column left out."""


class Flatten(msgspec.Struct, frozen=True):
    """All values of an image in one row."""


class Dense(msgspec.Struct, frozen=True):
    """A fully connected layer, with a ReLU unless it gives the logits."""

    units: int
    relu: bool = True


class Dropout(msgspec.Struct, frozen=True):
    """While training, zero each value with probability `rate` and scale the rest by 1 / (1 - rate)."""

    rate: float


class Whiten(msgspec.Struct, frozen=True):
    """A convolution that is not learned, and a ReLU: the training images' principal patterns, and their negatives.

    Of their patches of `kernel` x `kernel` the `patterns` with the largest variance are taken, each brought to 1.
    """

    patterns: int
    kernel: int
    stride: int


class ConvNorm(msgspec.Struct, frozen=True):
    """A convolution that keeps the size, without bias; maximum over 2x2 where `pool`; batch norm; ReLU."""

    filters: int
    kernel: int = 3
    pool: bool = False


class GlobalMax(msgspec.Struct, frozen=True):
    """The maximum of each map."""


Layer = Conv | MaxPool | Flatten | Dense | Dropout | Whiten | ConvNorm | GlobalMax


class LayerSummary(msgspec.Struct, frozen=True):
    """One line of a model's table: what it is, the shape that leaves it (channels first), its parameter count."""

    title: str
    shape: Shape
    parameter_count: int


def summarise(layers: tuple[Layer, ...]) -> list[LayerSummary]:
    """Give a line for each layer of a network."""
    rows: list[LayerSummary] = []
    shape: Shape = (1, IMAGE_SIZE, IMAGE_SIZE)
    for layer in layers:
        rows.append(_summarise(layer, shape))
        shape = rows[-1].shape
    return rows


def input_shapes(layers: tuple[Layer, ...]) -> list[Shape]:
    """Give the shape of what enters each layer, channels first."""
    return [(1, IMAGE_SIZE, IMAGE_SIZE), *(row.shape for row in summarise(layers)[:-1])]


def _summarise(layer: Layer, shape: Shape) -> LayerSummary:
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
