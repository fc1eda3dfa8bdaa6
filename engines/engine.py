"""The protocol that a framework's engine keeps, and the plain values that pass through it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.datasets import ImageData, Split
from engines.events import Parameter
from engines.problems import CheckpointProblem
from engines.spec import RunSpec

State = dict[str, NDArray[np.generic]]
"""A checkpoint's content by name: weights, the optimizer's moments and step count, random state."""


@dataclass(frozen=True)
class Evaluation:
    """What a model does on a whole set in evaluation mode; `confusion` is 10x10 int64 counts, row = label.

    For each image `predictions` (int64) has the class that it is taken for, `confidences` (float32) its probability.
    """

    loss: float
    accuracy: float
    confusion: NDArray[np.int64]
    predictions: NDArray[np.int64]
    confidences: NDArray[np.float32]


class Engine(Protocol):
    """A model, its optimizer and the whole dataset on one device.

    The training loop owns order and time; an engine owns the mathematics. `engines.<framework>_engine.create(spec)`
    makes one with fresh weights drawn from `spec.seed`, and raises `Unavailable` where the device is not there. It and
    whatever takes memory of the device raise `OutOfMemory`.
    """

    framework_version: str

    device_name: str
    """What a person calls the device: `CPU (AMD EPYC, 1 thread)`, `NVIDIA H100 80GB HBM3 (cuda:0)`."""

    parameters: list[Parameter]
    """Every tensor that is learned, in the order of the layers."""

    def load_data(self, data: ImageData) -> None:
        """Put the images (uint8, N x 28 x 28) and labels of all sets on the device."""

    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""

    def train(self, first_step: int, step_count: int, rates: NDArray[np.float64] | None = None) -> None:
        """Do `step_count` steps of the epoch from `first_step` (from 0); may return before the device is done.

        Step i sees `order[i * batch_size : (i + 1) * batch_size]`; the last may be smaller. Each learns at its own of
        the `rates`, or all at that of the spec.
        """

    def read_steps(self, first_step: int, step_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Wait for the device, and give the mean loss and the count of right answers of each of these steps."""

    def gradient_norm(self, step: int) -> float:
        """Give the L2 norm of the gradient on the batch of `step` (from 0), with the weights as they are."""

    def evaluate(self, split: Split) -> Evaluation:
        """Evaluate the whole set in evaluation mode: mean cross-entropy, accuracy, confusion counts."""

    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the probabilities (N x 10, float32) of these images in evaluation mode."""

    def state(self) -> State:
        """Copy to host memory all that the next step depends on, but for the data and its order."""

    def load_state(self, state: State) -> None:
        """Take back what `state` gave; raises `CheckpointProblem` where names or shapes are of another model."""


def rates_of(spec: RunSpec, step_count: int, rates: NDArray[np.float64] | None) -> list[float]:
    """Give what each of so many steps learns at: its own of the `rates`, or that of `spec`."""
    return [spec.lr] * step_count if rates is None else rates.tolist()


def check_same_form(state: State, expected: State) -> None:
    """Refuse with `CheckpointProblem` a state whose names, shapes or dtypes are not those of `expected`."""
    faults = [f"{name} is missing" for name in expected.keys() - state.keys()]
    faults += [f"{name} is not known" for name in state.keys() - expected.keys()]
    faults += [
        f"{name} is {state[name].dtype} {state[name].shape}, not {array.dtype} {array.shape}"
        for name, array in expected.items()
        if name in state and (state[name].shape, state[name].dtype) != (array.shape, array.dtype)
    ]
    if faults:
        others = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise CheckpointProblem(
            f"The checkpoint is of another model: {min(faults)}{others}.",
            "Continue it with the model it was made with.",
        )
