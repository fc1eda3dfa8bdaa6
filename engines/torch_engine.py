"""Training in PyTorch: the network, Adam and the whole dataset on one device, and no wait for it within an epoch."""

import os
from collections.abc import Iterator

# Read when torch loads: a waiting thread looks for its next work for some milliseconds, then leaves its core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "100000")

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.architecture import Conv, Layer
from engines.catalog import CLASS_COUNT, IMAGE_SIZE
from engines.datasets import ImageData, Split
from engines.engine import Evaluation, State, check_same_form
from engines.events import Parameter
from engines.models import MODELS
from engines.recipes import is_plain
from engines.spec import RunSpec
from engines.thread_tuner import ThreadTuner
from engines.torch_device import choose_device, choose_dtype, explained_memory, name_device, prepare_device
from engines.torch_figures import evaluation_of, figures_of_steps
from engines.torch_network import Network
from engines.torch_operations import Moment
from engines.torch_recipe_engine import RecipeEngine
from engines.torch_threads import exact_counts, usual_count

_GATHERED_IMAGES = 128
_EVALUATED_IMAGES = {"cpu": 64, "cuda": 1_000, "mps": 1_000}
_FEW_IMAGES = 32
_SEED_LIMIT = 2**63


def create(spec: RunSpec) -> "TorchEngine | RecipeEngine":
    """Make an engine with fresh weights drawn from `spec.seed`; raises `Unavailable` where the device is not there."""
    return TorchEngine(spec, MODELS[spec.model].layers("torch")) if is_plain(spec) else RecipeEngine(spec)


class TorchEngine:
    """The `Engine` of PyTorch; pixels 0..255 are brought to `input_range`, and `layers` need not be the spec's model.

    `spec.gpu_memory_limit` caps what PyTorch takes of a CUDA GPU; on other devices it has no effect.
    """

    def __init__(
        self, spec: RunSpec, layers: tuple[Layer, ...], input_range: tuple[float, float] = (-1.0, 1.0)
    ) -> None:
        self.device = choose_device(spec.device)
        prepare_device(self.device, gpu_memory_limit=spec.gpu_memory_limit, threads=1)
        self.framework_version = str(torch.__version__)
        dtype = choose_dtype(spec.precision, self.device)
        self.batch_size, self.lr, self.seed = spec.batch_size, spec.lr, spec.seed
        # A pass of training serves evaluation too, unless its batches are very small or very large.
        is_fit = self.device.type == "cpu" and _FEW_IMAGES <= self.batch_size <= _GATHERED_IMAGES
        self.evaluated = self.batch_size if is_fit else _EVALUATED_IMAGES[self.device.type]
        self.low, self.scale = torch.tensor(input_range[0], device=self.device), (input_range[1] - input_range[0]) / 255
        self.network = Network(layers, spec.seed, self.device, dtype)
        self.parameters = [Parameter(name, list(w.shape), w.numel()) for name, w in self.network.weights.items()]
        self.exp_avg = torch.zeros_like(self.network.values)
        self.exp_avg_sq = torch.zeros_like(self.network.values)
        self.adam_steps = torch.zeros((), device=self.device)
        self.steps_done = 0
        # Untried, matrices as small as a dense network's may lose more by the threads' waiting than they gain.
        untried = usual_count() if any(isinstance(layer, Conv) for layer in layers) else 1
        counts = exact_counts(self._try_step, untried) if self.device.type == "cpu" else [1]
        self.threads = ThreadTuner(counts, torch.set_num_threads)
        self.device_name = name_device(self.device, dtype, threads=max(self.threads.counts))

    @explained_memory()
    def load_data(self, data: ImageData) -> None:
        """Put the images (uint8, N x 28 x 28) and labels of both sets on the device; a CPU uses the images in place."""
        self.images = {split: self._send(images).unsqueeze(1) for split, (images, _) in data.splits().items()}
        self.labels = {split: self._send(labels).long() for split, (_, labels) in data.splits().items()}
        self.one_hot = torch.eye(CLASS_COUNT, device=self.device)
        self.logits = torch.zeros(len(data.train_labels), CLASS_COUNT, device=self.device)

    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""
        self.order = self._send(order.copy())

    @torch.inference_mode()
    @explained_memory()
    def train(self, first_step: int, step_count: int) -> None:
        """Do `step_count` steps of the epoch from `first_step` (from 0); may return before the device is done.

        Step i sees `order[i * batch_size : (i + 1) * batch_size]`; the last may be smaller.
        """
        for count in self.threads.bursts(step_count):
            for images, targets, logits in self._batches(first_step, count):
                self._find_gradients(images, targets, logits)
                self._update()
            first_step += count

    @torch.inference_mode()
    def read_steps(self, first_step: int, step_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Wait for the device, and give the mean loss and the count of right answers of each of these steps."""
        seen = slice(first_step * self.batch_size, (first_step + step_count) * self.batch_size)
        labels = self.labels["train"].index_select(0, self.order[seen])
        return figures_of_steps(self.logits[seen], labels, self.batch_size)

    @torch.inference_mode()
    @explained_memory()
    def gradient_norm(self, step: int) -> float:
        """Give the L2 norm of the gradient on the batch of `step` (from 0), with the weights as they are."""
        for images, targets, logits in self._batches(step, 1):
            self._find_gradients(images, targets, torch.empty_like(logits))
        return float(self.network.gradients.norm())

    @torch.inference_mode()
    @explained_memory()
    def evaluate(self, split: Split) -> Evaluation:
        """Evaluate the whole set in evaluation mode: mean cross-entropy, accuracy, confusion counts."""
        return evaluation_of(self._evaluated(self.images[split]), self.labels[split])

    @torch.inference_mode()
    @explained_memory()
    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the probabilities (N x 10, float32) of these images in evaluation mode."""
        images = self.images[split].index_select(0, self._send(indices))
        probabilities: NDArray[np.float32] = self._evaluated(images).softmax(1).cpu().numpy()
        return probabilities

    def set_learning_rate(self, lr: float) -> None:
        """Use `lr` from the next step on."""
        self.lr = lr

    def state(self) -> State:
        """Copy to host memory all that the next step depends on, but for the data and its order."""
        state: State = {name: tensor.contiguous().cpu().numpy().copy() for name, tensor in self._tensors().items()}
        # Dropout's masks follow from these two on any device, so that a run may move to another.
        state["optimizer/step"] = np.array(self.steps_done, np.int64)
        state["random/state"] = np.array(self.seed % _SEED_LIMIT, np.int64)
        return state

    def load_state(self, state: State) -> None:
        """Take back what `state` gave; raises `CheckpointProblem` where names or shapes are of another model."""
        check_same_form(state, self.state())
        for name, tensor in self._tensors().items():
            tensor.copy_(torch.from_numpy(state[name]))
        self.steps_done = int(state["optimizer/step"])
        self.adam_steps.fill_(self.steps_done)
        self.seed = int(state["random/state"])

    def _evaluated(self, images: Tensor) -> Tensor:
        """Give the logits (N x 10) of images (N x 1 x 28 x 28, uint8) in evaluation mode."""
        logits = torch.empty(len(images), CLASS_COUNT, device=self.device)
        for part, target in zip(*(torch.split(x, self.evaluated) for x in (images, logits)), strict=True):
            target.copy_(self.network.pass_of(len(part)).forward(self._normalise(part)))
        return logits

    def _batches(self, first_step: int, step_count: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Give each batch's images, its labels as one-hot rows and the place of its logits, many gathered at once."""
        end = min((first_step + step_count) * self.batch_size, len(self.order))
        stride = self.batch_size * max(1, _GATHERED_IMAGES // self.batch_size)
        for start in range(first_step * self.batch_size, end, stride):
            seen = slice(start, min(start + stride, end))
            images = self._normalise(self.images["train"].index_select(0, self.order[seen]))
            targets = self.one_hot.index_select(0, self.labels["train"].index_select(0, self.order[seen]))
            parts = (torch.split(tensor, self.batch_size) for tensor in (images, targets, self.logits[seen]))
            yield from zip(*parts, strict=True)

    def _find_gradients(self, images: Tensor, targets: Tensor, logits: Tensor) -> None:
        batch = self.network.pass_of(len(images))
        logits.copy_(batch.forward(images, Moment(self.seed, self.steps_done)))
        # The gradient of the mean cross-entropy.
        torch.softmax(batch.logits, 1, out=batch.gradient).sub_(targets).mul_(1 / len(targets))
        batch.backward()

    @torch.inference_mode()
    def _try_step(self) -> tuple[Tensor, ...]:
        """Give what comes of a step on images that are always the same, and of evaluating them."""
        # Of a larger batch products are longer, not others, and it may not even fit.
        count = min(self.batch_size, _GATHERED_IMAGES)
        images = torch.linspace(-1, 1, count * IMAGE_SIZE**2).view(-1, 1, IMAGE_SIZE, IMAGE_SIZE)
        logits = torch.empty(count, CLASS_COUNT)
        self._find_gradients(images, torch.zeros_like(logits), logits)
        return logits, self.network.gradients, self.network.pass_of(count).forward(images)

    def _update(self) -> None:
        """Do a step of Adam, by the kernel that torch.optim.Adam(fused=True) calls, without its bookkeeping."""
        self.steps_done += 1
        self.adam_steps.fill_(self.steps_done)
        torch._fused_adam_(
            [self.network.values],
            [self.network.gradients],
            [self.exp_avg],
            [self.exp_avg_sq],
            [],
            [self.adam_steps],
            lr=self.lr,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            weight_decay=0.0,
            amsgrad=False,
            maximize=False,
        )

    def _tensors(self) -> dict[str, Tensor]:
        vectors = {
            "model": self.network.values,
            "optimizer/exp_avg": self.exp_avg,
            "optimizer/exp_avg_sq": self.exp_avg_sq,
        }
        return {
            f"{kind}/{name}": part
            for kind, vector in vectors.items()
            for name, part in self.network.named(vector).items()
        }

    def _normalise(self, images: Tensor) -> Tensor:
        return torch.add(self.low, images, alpha=self.scale)

    def _send(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(self.device)
