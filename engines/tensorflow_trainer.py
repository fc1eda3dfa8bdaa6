"""What every engine of TensorFlow does alike: the dataset on the device, many steps in one call, figures, state."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engines.catalog import CLASS_COUNT, IMAGE_SIZE
from engines.datasets import ImageData, Split
from engines.engine import Evaluation, State, check_same_form, rates_of
from engines.spec import RunSpec
from engines.tensorflow_compiler import graph_of, pays_to_compile, say_it_is_not_compiled
from engines.tensorflow_device import explained_memory, uses_gpu

_EVALUATED_IMAGES = {"CPU": 200, "GPU": 2_000}

_COUNT = tf.TensorSpec([], tf.int32)  # on a GPU's machine int32 stays on the host, which counts the steps
_INDICES = tf.TensorSpec([None], tf.int64)
_RATES = tf.TensorSpec([None], tf.float32)
_IMAGES = tf.TensorSpec([None, IMAGE_SIZE, IMAGE_SIZE], tf.uint8)


class TensorFlowTrainer:
    """An `Engine` of TensorFlow but for its mathematics: what an heir computes and changes in a step."""

    spec: RunSpec
    batch_size: int

    @explained_memory()
    def load_data(self, data: ImageData) -> None:
        """Put the images (uint8, N x 28 x 28) and labels of all sets on the device."""
        # Variables, because on a GPU TensorFlow gathers rows of uint8 from nothing else.
        self.images, self.labels = {}, {}
        for split, (images, labels) in data.splits().items():
            self.images[split] = tf.Variable(images, dtype=tf.uint8, trainable=False)
            self.labels[split] = tf.Variable(labels, dtype=tf.int64, trainable=False)
        step_count = -(-len(data.train_labels) // self.batch_size)
        self.results = tf.Variable(tf.zeros([step_count, 2]), trainable=False)
        # Made anew for new data, which a graph holds on to.
        self._trace_training(is_compiled=pays_to_compile(self.spec, step_count))
        self._gradient_norm_graph = graph_of(self._gradient_norm, [_INDICES])
        self._evaluate_graph = graph_of(self._evaluate)
        self._predict_graph = graph_of(self._predict, [_IMAGES])

    @explained_memory()
    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""
        self.order = tf.constant(order, tf.int64)
        if self._is_untried:
            self._try_compiled_step(len(order))

    @explained_memory()
    def train(self, first_step: int, step_count: int, rates: NDArray[np.float64] | None = None) -> None:
        """Do `step_count` steps of the epoch from `first_step` (from 0); may return before the device is done.

        Step i sees `order[i * batch_size : (i + 1) * batch_size]`; the last may be smaller. Each learns at its own of
        the `rates`, or all at that of the spec.
        """
        each = tf.constant(rates_of(self.spec, step_count, rates), tf.float32)
        self._train_graph(self.order, first_step, first_step + step_count, each)

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

    @explained_memory()
    def state(self) -> State:
        """Copy to host memory all that the next step depends on, but for the data and its order."""
        return {name: np.array(variable.numpy()) for name, variable in self._variables().items()}

    @explained_memory()
    def load_state(self, state: State) -> None:
        """Take back what `state` gave; raises `CheckpointProblem` where names or shapes are of another model."""
        check_same_form(state, self.state())
        for name, variable in self._variables().items():
            variable.assign(state[name])

    def _variables(self) -> dict[str, Any]:
        """Give all that the next step depends on, by name."""
        raise NotImplementedError

    def _changed_by_looking(self) -> list[Any]:
        """Give what the forward pass of a step changes, beside the weights' own update."""
        raise NotImplementedError

    def _gather(self, indices: Any) -> tuple[Any, ...]:
        """Give of these training images what `_prepare` takes: the images, their labels ..."""
        return tf.gather(self.images["train"], indices), tf.gather(self.labels["train"], indices)

    def _prepare(self, *batch: Any) -> tuple[Any, ...]:
        """Give what `_find_gradients` takes, the images as they are to be seen: what XLA has no operations for."""
        return batch

    def _find_gradients(self, *batch: Any) -> tuple[Any, Any, list[Any]]:
        """Give the mean loss on a batch, the count of right answers and the gradient of each weight."""
        raise NotImplementedError

    def _update(self, gradients: list[Any], lr: Any) -> None:
        """Change the weights by the gradients that `_find_gradients` gave, at the rate `lr`."""
        raise NotImplementedError

    def _logits(self, images: Any, *, training: bool) -> Any:
        """Give the logits (float32, N x 10) of images (uint8, N x 28 x 28)."""
        raise NotImplementedError

    def _train(self, order: Any, first_step: Any, end_step: Any, rates: Any) -> None:
        # All at once: so little as a batch takes longer to gather than to copy.
        gathered = self._gather(order[first_step * self.batch_size : end_step * self.batch_size])

        def train_step(step: Any) -> tuple[Any]:
            begin = (step - first_step) * self.batch_size
            batch = self._prepare(*(part[begin : begin + self.batch_size] for part in gathered))
            self.results.scatter_nd_update([[step]], [self._do_step(rates[step - first_step], *batch)])
            return (step + 1,)

        tf.while_loop(lambda step: step < end_step, train_step, [first_step])

    def _learn(self, rate: Any, *batch: Any) -> Any:
        """Do a step at `rate`, and give the mean loss and the count of right answers, both float32."""
        loss, right, gradients = self._find_gradients(*batch)
        self._update(gradients, rate)
        return tf.stack([loss, right])

    def _trace_training(self, *, is_compiled: bool) -> None:
        self._is_untried = is_compiled
        self._do_step = graph_of(self._learn, is_compiled=True) if is_compiled else self._learn
        self._train_graph = graph_of(self._train, [_INDICES, _COUNT, _COUNT, _RATES])

    def _try_compiled_step(self, image_count: int) -> None:
        """Have a whole batch and the last one compiled, each by a step that is undone; where that fails, none is."""
        self._is_untried = False
        before, last = self.state(), (image_count - 1) // self.batch_size
        try:
            for step in (0, last):
                self._train_graph(self.order, step, step + 1, tf.zeros([1]))
        except tf.errors.OpError as error:
            say_it_is_not_compiled(error)
            self._trace_training(is_compiled=False)
        finally:
            self.load_state(before)

    def _gradient_norm(self, indices: Any) -> Any:
        passing = self._changed_by_looking()
        before = [tf.identity(variable) for variable in passing]
        _, _, gradients = self._find_gradients(*self._prepare(*self._gather(indices)))
        for variable, value in zip(passing, before, strict=True):
            variable.assign(value)
        return tf.linalg.global_norm(gradients)

    def _evaluate(self, split: Split) -> tuple[Any, Any, Any, Any]:
        labels, logits = tf.convert_to_tensor(self.labels[split]), self._evaluated(self.images[split])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        predictions = tf.argmax(logits, 1)
        confusion = tf.math.confusion_matrix(labels, predictions, CLASS_COUNT, dtype=tf.int64)
        confidences = tf.reduce_max(tf.nn.softmax(logits), 1)
        return tf.reduce_sum(tf.cast(losses, tf.float64)), confusion, predictions, confidences

    def _evaluated(self, images: Any) -> Any:
        """Give the logits (float32, N x 10) of images (uint8, N x 28 x 28) in evaluation mode, so many at a time."""
        size = _EVALUATED_IMAGES["GPU" if uses_gpu() else "CPU"]
        count = -(-images.shape[0] // size)
        images = tf.convert_to_tensor(images)

        def add_part(part: Any, parts: Any) -> tuple[Any, Any]:
            logits = self._logits(images[part * size : (part + 1) * size], training=False)
            return part + 1, parts.write(part, logits)

        none = tf.TensorArray(tf.float32, count, infer_shape=False, element_shape=[None, CLASS_COUNT])
        _, parts = tf.while_loop(lambda part, _: part < count, add_part, [0, none])
        return parts.concat()

    def _predict(self, images: Any) -> Any:
        return tf.nn.softmax(self._logits(images, training=False))
