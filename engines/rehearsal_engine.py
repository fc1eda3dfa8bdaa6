"""An engine without a framework, for tests and pictures: softmax regression in numpy, a millisecond a step."""

import time

import numpy as np
from numpy.typing import NDArray

from engines.catalog import CLASS_COUNT, IMAGE_SIZE
from engines.datasets import ImageData, Split
from engines.engine import Evaluation, State, check_same_form, rates_of
from engines.events import Parameter
from engines.problems import Unavailable
from engines.spec import RunSpec

_STEP_SECONDS = 0.001
_RATE_FACTOR = 100.0
"""Plain gradient descent wants a far larger rate than the Adam that `--lr` is meant for."""


class RehearsalEngine:
    """Keeps the protocol of `engine.Engine` with the least mathematics that really learns."""

    def __init__(self, spec: RunSpec) -> None:
        if spec.device not in ("auto", "cpu"):
            raise Unavailable(f"the rehearsal engine has no device {spec.device!r}.", "Leave --device out.")
        self.framework_version = np.__version__
        self.device_name = "CPU (rehearsal)"
        pixels = IMAGE_SIZE * IMAGE_SIZE
        self.parameters = [
            Parameter("weight", [pixels, CLASS_COUNT], pixels * CLASS_COUNT),
            Parameter("bias", [CLASS_COUNT], CLASS_COUNT),
        ]
        rng = np.random.default_rng(spec.seed)
        self._weight = rng.normal(0, 0.01, (pixels, CLASS_COUNT)).astype(np.float32)
        self._bias = np.zeros(CLASS_COUNT, np.float32)
        self._spec, self._batch_size = spec, spec.batch_size

    def load_data(self, data: ImageData) -> None:
        """See `Engine.load_data`."""
        self._images = {split: images for split, (images, _) in data.splits().items()}
        self._labels = {split: labels.astype(np.int64) for split, (_, labels) in data.splits().items()}

    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """See `Engine.begin_epoch`."""
        self._order = order
        steps = -(-len(order) // self._batch_size)
        self._losses = np.zeros(steps)
        self._right = np.zeros(steps, np.int64)

    def train(self, first_step: int, step_count: int, rates: NDArray[np.float64] | None = None) -> None:
        """See `Engine.train`."""
        for step, lr in enumerate(rates_of(self._spec, step_count, rates), first_step):
            until = time.perf_counter() + _STEP_SECONDS
            pixels, labels, probabilities = self._forward(step)
            rows = np.arange(len(labels))
            self._losses[step] = -np.log(probabilities[rows, labels] + 1e-12).mean()
            self._right[step] = (probabilities.argmax(1) == labels).sum()
            probabilities[rows, labels] -= 1
            rate = np.float32(lr * _RATE_FACTOR / len(labels))
            with np.errstate(over="ignore", invalid="ignore"):
                self._weight -= rate * (pixels.T @ probabilities)
                self._bias -= rate * probabilities.sum(0)
            time.sleep(max(0.0, until - time.perf_counter()))

    def read_steps(self, first_step: int, step_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """See `Engine.read_steps`."""
        seen = slice(first_step, first_step + step_count)
        return self._losses[seen], self._right[seen]

    def gradient_norm(self, step: int) -> float:
        """See `Engine.gradient_norm`."""
        pixels, labels, probabilities = self._forward(step)
        probabilities[np.arange(len(labels)), labels] -= 1
        gradients = (pixels.T @ probabilities / len(labels), probabilities.mean(0))
        return float(np.sqrt(sum(float((gradient.astype(np.float64) ** 2).sum()) for gradient in gradients)))

    def evaluate(self, split: Split) -> Evaluation:
        """See `Engine.evaluate`."""
        labels = self._labels[split]
        probabilities = self._predict(self._images[split])
        loss = -np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean(dtype=np.float64)
        confusion, predictions = np.zeros((CLASS_COUNT, CLASS_COUNT), np.int64), probabilities.argmax(1)
        np.add.at(confusion, (labels, predictions), 1)
        accuracy = float(confusion.trace() / len(labels))
        return Evaluation(float(loss), accuracy, confusion, predictions, probabilities.max(1))

    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        return self._predict(self._images[split][indices])

    def state(self) -> State:
        """See `Engine.state`."""
        return {"model/weight": self._weight.copy(), "model/bias": self._bias.copy()}

    def load_state(self, state: State) -> None:
        """See `Engine.load_state`."""
        check_same_form(state, self.state())
        self._weight = state["model/weight"].astype(np.float32)
        self._bias = state["model/bias"].astype(np.float32)

    def _forward(self, step: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        indices = self._order[step * self._batch_size : (step + 1) * self._batch_size]
        images = self._images["train"][indices]
        return _flat(images), self._labels["train"][indices], self._predict(images)

    def _predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with np.errstate(over="ignore", invalid="ignore"):
            logits = _flat(images) @ self._weight + self._bias
            exponents = np.exp(logits - logits.max(1, keepdims=True))
            probabilities: NDArray[np.float32] = exponents / exponents.sum(1, keepdims=True)
        return probabilities


def create(spec: RunSpec) -> RehearsalEngine:
    """Give an engine with fresh weights drawn from `spec.seed`."""
    return RehearsalEngine(spec)


def _flat(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
