"""Training in TensorFlow by any recipe, with the mathematics of `torch_recipe_engine`."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.architecture import Layer
from engines.augmentation import COLUMN_COUNT, draw_changes, is_augmented, is_warped
from engines.catalog import CLASS_COUNT
from engines.datasets import ImageData, Split
from engines.engine import Evaluation
from engines.events import Parameter
from engines.first_weights import find_patterns, measure_pixels
from engines.models import MODELS
from engines.spec import RunSpec
from engines.tensorflow_augmentation import change
from engines.tensorflow_device import choose_dtype, name_with_dtype, take_device
from engines.tensorflow_layers import LayeredNetwork, with_outputs_last
from engines.tensorflow_optimizer import Optimizer
from engines.tensorflow_threads import threads_for
from engines.tensorflow_trainer import TensorFlowTrainer


class RecipeEngine(TensorFlowTrainer):
    """The `Engine` of TensorFlow for every network and recipe that is not the article's.

    Pixels are brought to mean 0 and deviation 1 over the training images. `layers`, where given, replace the model's.
    """

    framework_version = str(tf.__version__)

    def __init__(self, spec: RunSpec, layers: tuple[Layer, ...] | None = None) -> None:
        layers = layers or MODELS[spec.model].layers("tensorflow")
        self.device_name = take_device(spec, threads_for(layers, spec))
        self.spec, self.batch_size = spec, spec.batch_size
        dtype = choose_dtype(spec.precision)
        self.device_name = name_with_dtype(self.device_name, dtype)
        self.network = LayeredNetwork(layers, spec.seed, dtype)
        self.weights = self.network.weights
        self.optimizer = Optimizer(self.weights, spec)
        self.averaged = self.weights | self.network.statistics if spec.weight_average else {}
        self.average = {name: tf.Variable(tf.identity(variable)) for name, variable in self.averaged.items()}
        self.steps_done = tf.Variable(0, dtype=tf.int64)
        self.parameters = [
            Parameter(name, weight.shape.as_list(), weight.shape.num_elements())
            for name, weight in self.weights.items()
        ]

    def load_data(self, data: ImageData) -> None:
        """Put the images (uint8, N x 28 x 28) and labels of all sets on the device, and find what is found in them."""
        super().load_data(data)
        mean, deviation = measure_pixels(data.train_images)
        self.low, self.scale = -mean / deviation, 1 / deviation
        size = len(data.train_labels)
        self.steps_per_epoch = -(-size // self.batch_size)
        self.changes = tf.Variable(tf.zeros([size, COLUMN_COUNT]), trainable=False)
        for name, kernels in self.network.patterns.items():
            layer: Any = self.network.layers[name.partition("/")[0]]
            kernels.assign(with_outputs_last(find_patterns(data.train_images, layer)))

    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""
        super().begin_epoch(order)
        if is_augmented(self.spec):
            epoch = int(self.steps_done.numpy()) // self.steps_per_epoch + 1
            self.changes.assign(draw_changes(self.spec, epoch, len(order)))

    def evaluate(self, split: Split) -> Evaluation:
        """Evaluate the whole set in evaluation mode, with the averaged weights where there are any."""
        own = self._use(self.average)
        try:
            return super().evaluate(split)
        finally:
            self._use(own)

    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the probabilities (N x 10, float32) of these images in evaluation mode."""
        own = self._use(self.average)
        try:
            return super().predict(split, indices)
        finally:
            self._use(own)

    def _use(self, values: dict[str, Any]) -> dict[str, Any]:
        """Put `values` into the variables that have an average, and give what was in them."""
        own = {name: tf.identity(variable) for name, variable in self.averaged.items()}
        for name, value in values.items():
            self.averaged[name].assign(value)
        return own

    def _variables(self) -> dict[str, Any]:
        kinds = {
            "model": self.weights | self.network.statistics | self.network.patterns,
            "optimizer": self.optimizer.moments,
            "average": self.average,
        }
        named = {f"{kind}/{name}": variable for kind, group in kinds.items() for name, variable in group.items()}
        return {**named, "optimizer/steps": self.steps_done}

    def _changed_by_looking(self) -> list[Any]:
        return list(self.network.statistics.values())

    def _gather(self, indices: Any) -> tuple[Any, ...]:
        return *super()._gather(indices), tf.gather(self.changes, indices)

    def _prepare(self, images: Any, labels: Any, changes: Any) -> tuple[Any, ...]:
        if is_augmented(self.spec):
            images = change(images, changes, self.spec.erase, is_warped=is_warped(self.spec))
        return images, labels

    def _find_gradients(self, images: Any, labels: Any) -> tuple[Any, Any, list[Any]]:
        smooth = self.spec.label_smoothing
        targets = (1 - smooth) * tf.one_hot(labels, CLASS_COUNT) + smooth / CLASS_COUNT
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        told = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        right = tf.reduce_sum(tf.cast(tf.argmax(logits, 1) == labels, tf.float32))
        return told, right, tape.gradient(loss, list(self.weights.values()))

    def _update(self, gradients: list[Any], lr: Any) -> None:
        steps = self.steps_done.assign_add(1)
        self.optimizer.step(gradients, lr, steps)
        # Young, it is the mean of all weights so far: nothing is left of the first ones.
        young = tf.cast(steps, tf.float32) / tf.cast(steps + 9, tf.float32)
        kept = tf.minimum(self.spec.weight_average, young)
        for name, mean in self.average.items():
            mean.assign_add((1 - kept) * (self.averaged[name] - mean))

    def _logits(self, images: Any, *, training: bool) -> Any:
        pixels = tf.expand_dims(tf.cast(images, tf.float32) * self.scale + self.low, -1)
        logits = self.network(pixels, training=training, step=self.steps_done)
        if training or not self.spec.test_flips:
            return logits
        return (logits + self.network(tf.reverse(pixels, [2]), training=False, step=self.steps_done)) / 2
