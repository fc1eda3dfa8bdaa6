"""Training in TensorFlow with Keras: the network, Adam and the whole dataset on one device, many steps in one call."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
# By itself TensorFlow uses oneDNN only on CPUs with AVX-512; on others too it doubles the speed of convolutions.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.catalog import CLASS_COUNT, IMAGE_SIZE, MODELS, Conv, Layer
from engines.datasets import ImageData
from engines.engine import Evaluation, Split, State, check_same_form
from engines.events import Parameter
from engines.spec import RunSpec
from engines.tensorflow_device import explained_memory, take_device, uses_gpu
from engines.tensorflow_network import KERAS_VERSION, build_network, dropout_seeds

_BETAS = (0.9, 0.999)
_EVALUATED_IMAGES = {"CPU": 200, "GPU": 2_000}

_COUNT = tf.TensorSpec([], tf.int32)  # on a GPU's machine int32 stays on the host, which counts the steps
_INDICES = tf.TensorSpec([None], tf.int64)
_IMAGES = tf.TensorSpec([None, IMAGE_SIZE, IMAGE_SIZE], tf.uint8)


def create(spec: RunSpec) -> "TensorFlowEngine":
    """Make an engine with fresh weights drawn from `spec.seed`; raises `Unavailable` where the device is not there."""
    return TensorFlowEngine(spec, MODELS[spec.model].layers("tensorflow"))


class TensorFlowEngine:
    """The `Engine` of TensorFlow; pixels 0..255 are brought to `input_range`, `layers` need not be the spec's model.

    A process has one choice of device, threads and GPU memory: that of the first engine made in it.
    """

    framework_version = f"{tf.__version__} (Keras {KERAS_VERSION})"

    def __init__(
        self,
        spec: RunSpec,
        layers: tuple[Layer, ...],
        input_range: tuple[float, float] = (0.0, 1.0),
        epsilon: float = 1e-7,
    ) -> None:
        # Matrices as small as a dense network's lose more by the threads' waiting than they gain.
        self.device_name = take_device(spec, parallel=any(isinstance(layer, Conv) for layer in layers))
        self.batch_size = spec.batch_size
        self.low, self.scale = input_range[0], (input_range[1] - input_range[0]) / 255
        self.network = build_network(layers, spec.seed, spec.precision)
        self.weights = {
            f"{layer.name}/{weight.name}": weight.value
            for layer in self.network.layers
            for weight in layer.trainable_variables
        }
        self.m = {name: tf.Variable(tf.zeros_like(weight)) for name, weight in self.weights.items()}
        self.v = {name: tf.Variable(tf.zeros_like(weight)) for name, weight in self.weights.items()}
        self.seeds = dropout_seeds(self.network)
        self.steps_done = tf.Variable(0, dtype=tf.int64)
        self.learning_rate = tf.Variable(spec.lr, dtype=tf.float32)
        self.epsilon = tf.Variable(epsilon, dtype=tf.float32)
        self.parameters = [
            Parameter(name, weight.shape.as_list(), weight.shape.num_elements())
            for name, weight in self.weights.items()
        ]

    @explained_memory()
    def load_data(self, data: ImageData) -> None:
        """Put the images (uint8, N x 28 x 28) and labels of both sets on the device."""
        # Variables, because on a GPU TensorFlow gathers rows of uint8 from nothing else.
        self.images: dict[Split, Any] = {
            "train": tf.Variable(data.train_images, dtype=tf.uint8, trainable=False),
            "test": tf.Variable(data.test_images, dtype=tf.uint8, trainable=False),
        }
        self.labels: dict[Split, Any] = {
            "train": tf.Variable(data.train_labels, dtype=tf.int64, trainable=False),
            "test": tf.Variable(data.test_labels, dtype=tf.int64, trainable=False),
        }
        step_count = -(-len(data.train_labels) // self.batch_size)
        self.results = tf.Variable(tf.zeros([step_count, 2]), trainable=False)
        # Made anew for new data, which a graph holds on to.
        self._train_graph = tf.function(self._train, input_signature=[_INDICES, _COUNT, _COUNT])
        self._gradient_norm_graph = tf.function(self._gradient_norm, input_signature=[_INDICES])
        self._evaluate_graph = tf.function(self._evaluate)
        self._predict_graph = tf.function(self._predict, input_signature=[_IMAGES])

    @explained_memory()
    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""
        self.order = tf.constant(order, tf.int64)

    @explained_memory()
    def train(self, first_step: int, step_count: int) -> None:
        """Do `step_count` steps of the epoch from `first_step` (from 0); may return before the device is done.

        Step i sees `order[i * batch_size : (i + 1) * batch_size]`; the last may be smaller.
        """
        self._train_graph(self.order, first_step, first_step + step_count)

    @explained_memory()
    def read_steps(self, first_step: int, step_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Wait for the device, and give the mean loss and the count of right answers of each of these steps."""
        results = self.results[first_step : first_step + step_count].numpy()  # here the device is waited for
        return results[:, 0].astype(np.float64), results[:, 1].astype(np.int64)

    @explained_memory()
    def gradient_norm(self, step: int) -> float:
        """Give the L2 norm of the gradient on the batch of `step` (from 0), with the weights as they are."""
        return float(self._gradient_norm_graph(self.order[step * self.batch_size : (step + 1) * self.batch_size]))

    @explained_memory()
    def evaluate(self, split: Split) -> Evaluation:
        """Evaluate the whole set in evaluation mode: mean cross-entropy, accuracy, confusion counts."""
        loss, confusion, *by_image = (tensor.numpy() for tensor in self._evaluate_graph(split))
        return Evaluation(
            float(loss / confusion.sum()), float(confusion.trace() / confusion.sum()), confusion, *by_image
        )

    @explained_memory()
    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the probabilities (N x 10, float32) of these images in evaluation mode."""
        probabilities: NDArray[np.float32] = self._predict_graph(tf.gather(self.images[split], indices)).numpy()
        return probabilities

    def set_learning_rate(self, lr: float) -> None:
        """Use `lr` from the next step on."""
        self.learning_rate.assign(lr)

    def state(self) -> State:
        """Copy to host memory all that the next step depends on, but for the data and its order."""
        return {name: np.array(variable.numpy()) for name, variable in self._variables().items()}

    def load_state(self, state: State) -> None:
        """Take back what `state` gave; raises `CheckpointProblem` where names or shapes are of another model."""
        check_same_form(state, self.state())
        for name, variable in self._variables().items():
            variable.assign(state[name])

    def _variables(self) -> dict[str, Any]:
        kinds = {"model": self.weights, "optimizer/m": self.m, "optimizer/v": self.v, "random": self.seeds}
        named = {f"{kind}/{name}": variable for kind, group in kinds.items() for name, variable in group.items()}
        return {**named, "optimizer/step": self.steps_done}

    def _train(self, order: Any, first_step: Any, end_step: Any) -> None:
        for step in tf.range(first_step, end_step):
            loss, right, gradients = self._find_gradients(order[step * self.batch_size : (step + 1) * self.batch_size])
            self._update(gradients)
            self.results.scatter_nd_update([[step]], [[loss, right]])

    def _find_gradients(self, indices: Any) -> tuple[Any, Any, list[Any]]:
        """Give the mean loss on a batch, the count of right answers and the gradient of each weight."""
        images, labels = tf.gather(self.images["train"], indices), tf.gather(self.labels["train"], indices)
        weights = list(self.weights.values())
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        right = tf.reduce_sum(tf.cast(tf.argmax(logits, 1) == labels, tf.float32))
        return loss, right, tape.gradient(loss, weights)

    def _update(self, gradients: list[Any]) -> None:
        """Do a step of Adam, for each weight by one kernel of TensorFlow's in place of Keras's ten operations."""
        steps = tf.cast(self.steps_done.assign_add(1), tf.float32)
        beta_1_power, beta_2_power = tf.pow(_BETAS[0], steps), tf.pow(_BETAS[1], steps)
        for (name, weight), gradient in zip(self.weights.items(), gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=self.m[name].handle,
                v=self.v[name].handle,
                beta1_power=beta_1_power,
                beta2_power=beta_2_power,
                lr=self.learning_rate,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                epsilon=self.epsilon,
                grad=gradient,
            )

    def _gradient_norm(self, indices: Any) -> Any:
        before = [tf.identity(seed) for seed in self.seeds.values()]
        _, _, gradients = self._find_gradients(indices)
        for seed, value in zip(self.seeds.values(), before, strict=True):
            seed.assign(value)  # so that the next step draws the dropout that it would have drawn
        return tf.linalg.global_norm(gradients)

    def _evaluate(self, split: Split) -> tuple[Any, Any, Any, Any]:
        images, labels = tf.convert_to_tensor(self.images[split]), tf.convert_to_tensor(self.labels[split])
        size = _EVALUATED_IMAGES["GPU" if uses_gpu() else "CPU"]
        loss, confusion = tf.zeros([], tf.float64), tf.zeros([CLASS_COUNT, CLASS_COUNT], tf.int64)
        predictions = tf.TensorArray(tf.int64, -(-len(images) // size), infer_shape=False, element_shape=[None])
        confidences = tf.TensorArray(tf.float32, -(-len(images) // size), infer_shape=False, element_shape=[None])
        for start in tf.range(0, len(images), size):
            logits = self._logits(images[start : start + size], training=False)
            seen, predicted = labels[start : start + size], tf.argmax(logits, 1)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(seen, logits)
            loss += tf.reduce_sum(tf.cast(losses, tf.float64))
            confusion += tf.math.confusion_matrix(seen, predicted, CLASS_COUNT, dtype=tf.int64)
            predictions = predictions.write(start // size, predicted)
            confidences = confidences.write(start // size, tf.reduce_max(tf.nn.softmax(logits), 1))
        return loss, confusion, predictions.concat(), confidences.concat()

    def _predict(self, images: Any) -> Any:
        return tf.nn.softmax(self._logits(images, training=False))

    def _logits(self, images: Any, *, training: bool) -> Any:
        return tf.cast(self.network(self._normalise(images), training=training), tf.float32)

    def _normalise(self, images: Any) -> Any:
        return tf.expand_dims(tf.cast(images, tf.float32) * self.scale + self.low, -1)
