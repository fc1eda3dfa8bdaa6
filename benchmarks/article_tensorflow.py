"""The article's own TensorFlow training, `model.fit`, for one epoch, to compare with.

    python benchmarks/article_tensorflow.py [--model nn] [--dataset mnist] [--data-dir DIR]

Kept as it was written, but for `validation_data`, since what is measured is training alone, for `input_shape`, which
Keras now wants as a layer, and for the files: they are ours, already verified, so that nothing is downloaded.
TensorFlow runs with its own defaults for threads and oneDNN, as it did for the article.
"""

import argparse
import time
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.keras import layers, models

from engines import datasets


def neural_network() -> models.Sequential:
    """Give the classic network."""
    model = models.Sequential()
    model.add(layers.Input((28, 28)))
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(10))
    return model


def lenet(in_dim: int = 1, n_class: int = 10) -> models.Sequential:
    """Give LeNet-5 for images of 28x28."""
    model = models.Sequential()
    model.add(layers.Input((28, 28, in_dim)))
    model.add(layers.Conv2D(6, (5, 5), activation="relu", padding="same"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(16, (5, 5), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(120, activation="relu"))
    model.add(layers.Dense(84, activation="relu"))
    model.add(layers.Dense(n_class))
    return model


def lenet1(in_dim: int = 1, n_class: int = 10) -> models.Sequential:
    """Give the article's deeper LeNet."""
    model = models.Sequential()
    model.add(layers.Input((28, 28, in_dim)))
    model.add(layers.Conv2D(32, (3, 3), activation="relu", padding="same"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(n_class))
    return model


NETWORKS = {"nn": neural_network, "lenet": lenet, "lenet1": lenet1}


def prepare_images(images: NDArray[np.uint8], model: str) -> Any:  # noqa: ANN401 - TensorFlow has no types
    """Bring pixels to 0..1, and give them the one channel that a convolution wants."""
    scaled = images / 255.0
    return scaled if model == "nn" else tf.expand_dims(scaled, axis=-1)


def compile_network(model: str) -> models.Sequential:
    """Give the network with its optimizer and loss."""
    network = NETWORKS[model]()
    network.compile(
        optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return network


def run_epoch(model: str, dataset: str = "mnist", data_dir: str | None = None) -> float:
    """Give the seconds that one epoch of training takes; reading, building and tracing are not counted."""
    data = datasets.load(dataset, data_dir, lambda *_: None)
    train_images = prepare_images(data.train_images, model)
    network = compile_network(model)
    network.fit(train_images[:64], data.train_labels[:64], batch_size=32, verbose=0)
    began = time.perf_counter()
    network.fit(train_images, data.train_labels, epochs=1, batch_size=32)
    return time.perf_counter() - began


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=NETWORKS, default="nn")
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    print(f"{options.model}: {run_epoch(options.model, options.dataset, options.data_dir):.2f} s an epoch")


if __name__ == "__main__":
    main()
