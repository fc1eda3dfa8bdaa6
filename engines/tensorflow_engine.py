"""Keras 3 on TensorFlow behind the engine protocol: one call of one graph does many steps, one read waits for them."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import contextlib
import platform
import re
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.catalog import CLASS_COUNT, IMAGE_SIZE, MODELS, Conv, Dense, Dropout, Flatten, Layer, MaxPool
from engines.datasets import ImageData
from engines.engine import Evaluation, Split, State
from engines.events import Parameter
from engines.problems import CheckpointProblem, OutOfMemory, Unavailable
from engines.spec import RunSpec

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7
EVALUATION_BATCH = 200

_SCALAR = tf.TensorSpec([], tf.int32)
_IMAGES = tf.TensorSpec([None, IMAGE_SIZE, IMAGE_SIZE], tf.uint8)
_LABELS = tf.TensorSpec([None], tf.int64)
_INDICES = tf.TensorSpec([None], tf.int64)


def create(spec: RunSpec) -> "TensorFlowEngine":
    """Make an engine with fresh weights drawn from `spec.seed`; raises `Unavailable` where the device is not there."""
    threads = 1 if spec.model == "nn" else max(1, (os.cpu_count() or 1) - 1)
    return TensorFlowEngine(spec, device_name=_take_device(spec, threads))


class TensorFlowEngine:
    """A Keras model, Adam and the whole dataset on one device; see `engines.engine.Engine` for each method.

    `layers` replaces the catalog's, `pixel_scale` and `pixel_shift` the normalisation to 0..1, `epsilon` Keras's own.
    """

    framework_version = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"

    def __init__(
        self,
        spec: RunSpec,
        *,
        device_name: str = "CPU",
        layers: Sequence[Layer] | None = None,
        pixel_scale: float = 1 / 255,
        pixel_shift: float = 0.0,
        epsilon: float = EPSILON,
    ) -> None:
        self.device_name = device_name
        self._batch_size = spec.batch_size
        self._pixel_scale = pixel_scale
        self._pixel_shift = pixel_shift
        self._epsilon = epsilon
        keras.utils.set_random_seed(spec.seed % 2**32)
        self.model = _build_model(MODELS[spec.model].layers("tensorflow") if layers is None else layers)
        self._weights = {weight.path: weight.value for weight in self.model.trainable_variables}
        self._momenta = {name: tf.Variable(tf.zeros_like(weight)) for name, weight in self._weights.items()}
        self._velocities = {name: tf.Variable(tf.zeros_like(weight)) for name, weight in self._weights.items()}
        self._steps_done = tf.Variable(0, dtype=tf.int64)
        self._learning_rate = tf.Variable(spec.lr, dtype=tf.float32)
        self.parameters = [
            Parameter(name=name, shape=list(weight.shape), count=int(np.prod(weight.shape)))
            for name, weight in self._weights.items()
        ]
        signature = [_IMAGES, _LABELS, _INDICES]
        self._train_graph = tf.function(self._train_steps, input_signature=[*signature, _SCALAR, _SCALAR])
        self._gradient_norm_graph = tf.function(self._gradient_norm, input_signature=signature)
        self._evaluate_graph = tf.function(self._evaluate, input_signature=[_IMAGES, _LABELS])
        self._predict_graph = tf.function(self._predict, input_signature=[_IMAGES])

    def load_data(self, data: ImageData) -> None:
        """Put both sets on the device; raises `OutOfMemory` where they do not fit."""
        with _out_of_memory_told():
            self._images: dict[Split, Any] = {
                "train": tf.constant(data.train_images),
                "test": tf.constant(data.test_images),
            }
            self._labels: dict[Split, Any] = {
                "train": tf.constant(data.train_labels, tf.int64),
                "test": tf.constant(data.test_labels, tf.int64),
            }
            step_count = -(-len(data.train_images) // self._batch_size)
            self._results = tf.Variable(tf.zeros([step_count, 2]))

    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Send the epoch's order to the device."""
        self._order = tf.constant(order, tf.int64)

    def train(self, first_step: int, step_count: int) -> None:
        """Do these steps of the epoch in one call."""
        with _out_of_memory_told():
            self._train_graph(
                self._images["train"],
                self._labels["train"],
                self._order,
                tf.constant(first_step, tf.int32),
                tf.constant(step_count, tf.int32),
            )

    def read_steps(self, first_step: int, step_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give mean loss and right answers of these steps: the one place where the host waits for the device."""
        with _out_of_memory_told():
            results = self._results[first_step : first_step + step_count].numpy()
        return results[:, 0].astype(np.float64), results[:, 1].astype(np.int64)

    def gradient_norm(self, step: int) -> float:
        """Give the L2 norm of the gradient on the batch of `step` in evaluation mode, changing nothing."""
        indices = self._order[step * self._batch_size : (step + 1) * self._batch_size]
        with _out_of_memory_told():
            return float(self._gradient_norm_graph(self._images["train"], self._labels["train"], indices))

    def evaluate(self, split: Split) -> Evaluation:
        """Evaluate the whole set in evaluation mode."""
        with _out_of_memory_told():
            loss, confusion = self._evaluate_graph(self._images[split], self._labels[split])
            counts = confusion.numpy()
        size = int(counts.sum())
        return Evaluation(loss=float(loss) / size, accuracy=float(np.trace(counts)) / size, confusion=counts)

    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the probabilities (N x 10) of these images in evaluation mode."""
        rows = [np.zeros((0, CLASS_COUNT), np.float32)]
        with _out_of_memory_told():
            for start in range(0, len(indices), EVALUATION_BATCH):
                images = tf.gather(self._images[split], indices[start : start + EVALUATION_BATCH])
                rows.append(self._predict_graph(images).numpy())
        return np.concatenate(rows)

    def set_learning_rate(self, lr: float) -> None:
        """Use `lr` from the next step on."""
        self._learning_rate.assign(lr)

    def state(self) -> State:
        """Copy weights, Adam's moments and step count, and the dropout's random state to host memory."""
        return {name: np.asarray(variable.numpy()) for name, variable in self._state_variables().items()}

    def load_state(self, state: State) -> None:
        """Take back what `state` gave; raises `CheckpointProblem`, having changed nothing, if it does not fit."""
        variables = self._state_variables()
        if variables.keys() != state.keys():
            odd = sorted(variables.keys() ^ state.keys())[0]
            raise CheckpointProblem(
                f"The checkpoint is of another model: {odd} is {'missing' if odd in variables else 'not expected'}.",
                "Continue a run of the same framework and model.",
            )
        for name, variable in variables.items():
            if tuple(variable.shape) != state[name].shape:
                raise CheckpointProblem(
                    f"The checkpoint is of another model: {name} is {state[name].shape}, not {tuple(variable.shape)}.",
                    "Continue a run of the same framework and model.",
                )
        for name, variable in variables.items():
            variable.assign(state[name])

    def _state_variables(self) -> dict[str, Any]:
        dropouts = [layer for layer in self.model.layers if isinstance(layer, keras.layers.Dropout)]
        return (
            {f"model/{name}": weight for name, weight in self._weights.items()}
            | {f"optimizer/{name}/m": moment for name, moment in self._momenta.items()}
            | {f"optimizer/{name}/v": moment for name, moment in self._velocities.items()}
            | {"optimizer/step": self._steps_done}
            | {f"random/{layer.name}": layer.seed_generator.state.value for layer in dropouts}
        )

    def _normalise(self, images: Any) -> Any:
        pixels = tf.cast(images, tf.float32) * self._pixel_scale + self._pixel_shift
        return tf.expand_dims(pixels, -1)

    def _train_steps(self, images: Any, labels: Any, order: Any, first_step: Any, step_count: Any) -> None:
        for step in tf.range(first_step, first_step + step_count):
            indices = order[step * self._batch_size : (step + 1) * self._batch_size]
            targets = tf.gather(labels, indices)
            with tf.GradientTape() as tape:
                logits = self.model(self._normalise(tf.gather(images, indices)), training=True)
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
            self._apply_adam(tape.gradient(loss, list(self._weights.values())))
            right = tf.reduce_sum(tf.cast(tf.argmax(logits, 1) == targets, tf.float32))
            self._results.scatter_nd_update([[step]], [tf.stack([loss, right])])

    def _apply_adam(self, gradients: list[Any]) -> None:
        steps = tf.cast(self._steps_done.assign_add(1), tf.float32)
        beta_1_power, beta_2_power = tf.pow(BETA_1, steps), tf.pow(BETA_2, steps)
        for name, gradient in zip(self._weights, gradients, strict=True):
            # TensorFlow's own kernel does in one pass what Keras's Adam says in ten operations.
            tf.raw_ops.ResourceApplyAdam(
                var=self._weights[name].handle,
                m=self._momenta[name].handle,
                v=self._velocities[name].handle,
                beta1_power=beta_1_power,
                beta2_power=beta_2_power,
                lr=self._learning_rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=self._epsilon,
                grad=gradient,
            )

    def _gradient_norm(self, images: Any, labels: Any, indices: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = self.model(self._normalise(tf.gather(images, indices)), training=False)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(labels, indices), logits)
            loss = tf.reduce_mean(losses)
        return tf.linalg.global_norm(tape.gradient(loss, list(self._weights.values())))

    def _evaluate(self, images: Any, labels: Any) -> tuple[Any, Any]:
        loss = tf.zeros([], tf.float64)
        confusion = tf.zeros([CLASS_COUNT, CLASS_COUNT], tf.int64)
        for start in tf.range(0, tf.shape(images)[0], EVALUATION_BATCH):
            targets = labels[start : start + EVALUATION_BATCH]
            logits = self.model(self._normalise(images[start : start + EVALUATION_BATCH]), training=False)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss += tf.reduce_sum(tf.cast(losses, tf.float64))
            confusion += tf.math.confusion_matrix(targets, tf.argmax(logits, 1), CLASS_COUNT, dtype=tf.int64)
        return loss, confusion

    def _predict(self, images: Any) -> Any:
        return tf.nn.softmax(self.model(self._normalise(images), training=False))


def _build_model(layers: Sequence[Layer]) -> keras.Sequential:
    """Make the Keras layers, named by kind and number, with Keras's default initialisers."""
    convs, denses, dropouts = count(1), count(1), count(1)
    built = [keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1))]
    for index, layer in enumerate(layers):
        match layer:
            case Conv(filters, kernel, padding):
                if padding:
                    built.append(keras.layers.ZeroPadding2D(padding))
                built.append(keras.layers.Conv2D(filters, kernel, name=f"conv{next(convs)}"))
                if not isinstance(layers[index + 1], MaxPool):
                    built.append(keras.layers.ReLU())
            case MaxPool():
                # ReLU after the pool gives the same values as before it, on a quarter of the numbers.
                built += [keras.layers.MaxPooling2D(2), keras.layers.ReLU()]
            case Flatten():
                built.append(keras.layers.Flatten())
            case Dense(units, relu):
                activation = "relu" if relu else None
                built.append(keras.layers.Dense(units, activation=activation, name=f"dense{next(denses)}"))
            case Dropout(rate):
                built.append(keras.layers.Dropout(rate, name=f"dropout{next(dropouts)}"))
    return keras.Sequential(built)


def _take_device(spec: RunSpec, threads: int) -> str:
    """Make TensorFlow use the device that `spec` asks for and give its name; raises `Unavailable` if there is none."""
    gpus = tf.config.list_physical_devices("GPU")
    there = f"It sees {len(gpus)} GPUs and the CPU." if gpus else "It sees no GPU, only the CPU."
    if spec.device == "mps":
        raise Unavailable(f"TensorFlow has no device mps. {there}", "Use --device auto, or --framework torch.")
    number = int(spec.device.partition(":")[2] or 0)
    if spec.device.startswith("cuda") and number >= len(gpus):
        hint = "Use --device auto or a lower number." if gpus else "Try pip install 'mnist-tui[gpu]', or --device cpu."
        raise Unavailable(f"TensorFlow has no device {spec.device}. {there}", hint)
    if spec.device == "cpu" or not gpus:
        # A process that has used TensorFlow already keeps its devices and threads.
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        threads = tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1
        return f"CPU ({_cpu_name()}, {threads} thread{'s' if threads > 1 else ''})"
    gpu = gpus[number]
    with contextlib.suppress(RuntimeError):
        tf.config.set_visible_devices(gpu, "GPU")
        if spec.gpu_memory_limit is None:
            tf.config.experimental.set_memory_growth(gpu, True)
        else:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=spec.gpu_memory_limit)
            tf.config.set_logical_device_configuration(gpu, [limit])
    name = tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
    return f"{name} (cuda:{number})"


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        if found := re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return found[1]
    return platform.processor() or platform.machine()


@contextlib.contextmanager
def _out_of_memory_told() -> Iterator[None]:
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise OutOfMemory("The device ran out of memory.", "Use a smaller --batch-size, or --device cpu.") from error
