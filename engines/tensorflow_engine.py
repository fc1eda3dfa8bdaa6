"""Training in TensorFlow with Keras: the network, Adam and the whole dataset on one device, many steps in one call."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
# By itself TensorFlow uses oneDNN only on CPUs with AVX-512; on others too it doubles the speed of convolutions.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from itertools import pairwise
from typing import Any

from engines.left_out import left_out

# Keras imports scikit-learn where there is one, for what nothing here uses: a fifth of the time, and 60 MB.
with left_out("sklearn"):
    import tensorflow as tf

from engines.architecture import Layer
from engines.events import Parameter
from engines.models import MODELS
from engines.recipes import is_plain
from engines.spec import RunSpec
from engines.tensorflow_device import choose_dtype, explained_memory, name_with_dtype, take_device, uses_gpu
from engines.tensorflow_network import KERAS_VERSION, build_network, dropout_seeds
from engines.tensorflow_recipe_engine import RecipeEngine
from engines.tensorflow_threads import are_products, threads_for
from engines.tensorflow_trainer import TensorFlowTrainer

_BETAS, _EPSILON = (0.9, 0.999), 1e-7


@explained_memory()
def create(spec: RunSpec) -> "TensorFlowTrainer":
    """Make an engine with fresh weights drawn from `spec.seed`; raises `Unavailable` where the device is not there.

    Raises `OutOfMemory` where others have left no room on it.
    """
    return TensorFlowEngine(spec, MODELS[spec.model].layers("tensorflow")) if is_plain(spec) else RecipeEngine(spec)


class TensorFlowEngine(TensorFlowTrainer):
    """The `Engine` of TensorFlow; pixels 0..255 are brought to `input_range`, `layers` need not be the spec's model.

    A process has one choice of device, threads and GPU memory: that of the first engine made in it.
    """

    framework_version = f"{tf.__version__} (Keras {KERAS_VERSION})"

    def __init__(
        self,
        spec: RunSpec,
        layers: tuple[Layer, ...],
        input_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        threads = threads_for(layers, spec)
        self.device_name = take_device(spec, threads)
        self.parts = 1 if uses_gpu() else threads.operations
        """Of a batch, computed at the same time: two threads gain nearly twice so, and little within one operation."""

        self.spec, self.batch_size = spec, spec.batch_size
        self.low, self.scale = input_range[0], (input_range[1] - input_range[0]) / 255
        dtype = choose_dtype(spec.precision)
        self.device_name = name_with_dtype(self.device_name, dtype)
        as_products = are_products(layers, spec) and not uses_gpu()
        self.network = build_network(layers, spec.seed, dtype, as_products=as_products)
        self.weights = {
            f"{layer.name}/{weight.name}": weight.value
            for layer in self.network.layers
            for weight in layer.trainable_variables
        }
        self.m = {name: tf.Variable(tf.zeros_like(weight)) for name, weight in self.weights.items()}
        self.v = {name: tf.Variable(tf.zeros_like(weight)) for name, weight in self.weights.items()}
        self.seeds = dropout_seeds(self.network)
        self.steps_done = tf.Variable(0, dtype=tf.int64)
        self.epsilon = tf.Variable(_EPSILON, dtype=tf.float32)
        self.parameters = [
            Parameter(name, weight.shape.as_list(), weight.shape.num_elements())
            for name, weight in self.weights.items()
        ]

    def _variables(self) -> dict[str, Any]:
        kinds = {"model": self.weights, "optimizer/m": self.m, "optimizer/v": self.v, "random": self.seeds}
        named = {f"{kind}/{name}": variable for kind, group in kinds.items() for name, variable in group.items()}
        return {**named, "optimizer/step": self.steps_done}

    def _changed_by_looking(self) -> list[Any]:
        return list(self.seeds.values())  # so that the next step draws the dropout that it would have drawn

    def _find_gradients(self, images: Any, labels: Any) -> tuple[Any, Any, list[Any]]:
        """Give the mean loss on a batch, the count of right answers and the gradient of each weight."""
        count = tf.shape(labels)[0]
        ends = [count * part // self.parts for part in range(self.parts + 1)]
        found = []
        for begin, end in pairwise(ends):
            seen = slice(begin, tf.maximum(end, begin + 1))  # Of no images some convolutions give no channels.
            is_own = tf.cast(end > begin, tf.float32)
            found.append(self._add_up(images[seen], labels[seen], is_own, tf.cast(count, tf.float32)))
        losses, rights, gradients = zip(*found, strict=True)
        return tf.add_n(losses), tf.add_n(rights), [tf.add_n(parts) for parts in zip(*gradients, strict=True)]

    def _add_up(self, images: Any, labels: Any, weight: Any, count: Any) -> tuple[Any, Any, list[Any]]:
        """Give what these images add, each by `weight`, to the mean loss, right answers and gradients of `count`."""
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = weight * tf.reduce_sum(losses) / count
        right = weight * tf.reduce_sum(tf.cast(tf.argmax(logits, 1) == labels, tf.float32))
        return loss, right, tape.gradient(loss, list(self.weights.values()))

    def _update(self, gradients: list[Any], lr: Any) -> None:
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
                lr=lr,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                epsilon=self.epsilon,
                grad=gradient,
            )

    def _logits(self, images: Any, *, training: bool) -> Any:
        return tf.cast(self.network(self._normalise(images), training=training), tf.float32)

    def _normalise(self, images: Any) -> Any:
        return tf.expand_dims(tf.cast(images, tf.float32) * self.scale + self.low, -1)
