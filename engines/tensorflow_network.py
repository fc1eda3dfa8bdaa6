"""A network in Keras: built layer by layer, with Keras's own layers, initialisation and dropout."""

from itertools import count
from typing import Any

import keras
import tensorflow as tf

from engines.architecture import Conv, Dense, Dropout, Flatten, Layer, MaxPool
from engines.catalog import IMAGE_SIZE
from engines.tensorflow_convolutions import PooledConv2D, PooledProduct2D

KERAS_VERSION: str = keras.__version__


def build_network(
    layers: tuple[Layer, ...], seed: int, dtype: Any = tf.float32, *, as_products: bool = False
) -> keras.Sequential:
    """Build the network with Keras's default initialisation drawn from `seed`; layers are called `conv1`, `fc1` ...

    With `as_products` convolutions before a pooling are matrix products, which pays on a CPU for small ones.
    """
    pooled = PooledProduct2D if as_products else PooledConv2D
    keras.utils.set_random_seed(seed % 2**32)
    policy = keras.DTypePolicy("mixed_bfloat16" if dtype == tf.bfloat16 else "float32")
    convs, denses, dropouts = count(1), count(1), count(1)
    network = keras.Sequential([keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1))])
    for before, layer, after in zip((None, *layers[:-1]), layers, (*layers[1:], None), strict=True):
        match layer:
            case Conv(filters, kernel, padding):
                same = 2 * padding == kernel - 1
                if padding and not same:
                    network.add(keras.layers.ZeroPadding2D(padding, dtype=policy))
                kind = pooled if isinstance(after, MaxPool) else keras.layers.Conv2D
                name, edges = f"conv{next(convs)}", "same" if same else "valid"
                network.add(kind(filters, kernel, padding=edges, activation="relu", name=name, dtype=policy))
            case MaxPool() if not isinstance(before, Conv):
                network.add(keras.layers.MaxPooling2D(2, dtype=policy))
            case Flatten():
                network.add(keras.layers.Flatten(dtype=policy))
            case Dense(units, relu):
                activation = "relu" if relu else None
                network.add(keras.layers.Dense(units, activation, name=f"fc{next(denses)}", dtype=policy))
            case Dropout(rate):
                network.add(keras.layers.Dropout(rate, name=f"dropout{next(dropouts)}", dtype=policy))
    return network


def dropout_seeds(network: keras.Sequential) -> dict[str, Any]:
    """Give by layer the variable (uint32, 2 numbers) that the next mask is drawn from and that changes with it."""
    dropouts = [layer for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    return {layer.name: layer.seed_generator.state.value for layer in dropouts}
