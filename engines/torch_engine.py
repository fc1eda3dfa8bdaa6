"""Training in PyTorch: the network, Adam and the whole dataset on one device, and no wait for it within an epoch."""

import os

# Read when torch loads: a waiting thread looks for its next work for some 12 ms, then leaves its core. Where it does so
# while the screen draws on the core of another thread, that one is moved beside it, and both share one core for 10 ms.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000000")

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.architecture import Conv, Layer
from engines.catalog import CLASS_COUNT, IMAGE_SIZE
from engines.datasets import ImageData, Split
from engines.engine import Evaluation, State, check_same_form, rates_of
from engines.events import Parameter
from engines.models import MODELS
from engines.recipes import is_plain
from engines.spec import RunSpec
from engines.thread_tuner import ThreadTuner
from engines.torch_adam import Adam
from engines.torch_device import (
    choose_device,
    choose_dtype,
    explained_memory,
    explained_refusal,
    name_device,
    prepare_device,
)
from engines.torch_feed import Feed, send
from engines.torch_figures import evaluation_of, figures_of_steps
from engines.torch_graph import FEWEST_STEPS, RecordedSteps, record_steps, recorder_for
from engines.torch_network import Network
from engines.torch_operations import Moment
from engines.torch_pass import Pass
from engines.torch_recipe_engine import RecipeEngine
from engines.torch_threads import exact_counts, usual_count

_EVALUATED_IMAGES = {"cpu": 64, "cuda": 1_000, "mps": 1_000}
_FEW_IMAGES, _MANY_IMAGES = 32, 128
_SEED_LIMIT = 2**63


@explained_refusal()
@explained_memory()
def create(spec: RunSpec) -> "TorchEngine | RecipeEngine":
    """Make an engine with fresh weights drawn from `spec.seed`; raises `Unavailable` where the device is not there.

    Raises `OutOfMemory` where others have left no room on it.
    """
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
        # In bfloat16 the article's networks took a CPU 1.3 to 1.9 times as long, where it had units for it.
        dtype = choose_dtype(spec.precision, self.device, gains_on_cpu=False)
        self.spec, self.batch_size, self.seed, self.input_range = spec, spec.batch_size, spec.seed, input_range
        # A pass of training serves evaluation too, unless its batches are very small or very large.
        is_fit = self.device.type == "cpu" and _FEW_IMAGES <= self.batch_size <= _MANY_IMAGES
        self.evaluated = self.batch_size if is_fit else _EVALUATED_IMAGES[self.device.type]
        self.network = Network(layers, spec.seed, self.device, dtype)
        self.parameters = [Parameter(name, list(w.shape), w.numel()) for name, w in self.network.weights.items()]
        self.adam = Adam(self.network.values, self.network.gradients, spec.lr)
        self.steps_done = 0
        self.record = recorder_for(self.device)
        # Untried, matrices as small as a dense network's may lose more by the threads' waiting than they gain.
        untried = usual_count() if any(isinstance(layer, Conv) for layer in layers) else 1
        counts = exact_counts(self._try_step, untried) if self.device.type == "cpu" else [1]
        self.threads = ThreadTuner(counts, torch.set_num_threads)
        self.device_name = name_device(self.device, dtype, threads=max(self.threads.counts))

    @explained_memory()
    def load_data(self, data: ImageData) -> None:
        """Put the images (uint8, N x 28 x 28) and labels of all sets on the device; a CPU uses the images in place."""
        self.feed = Feed(data, self.device, self.input_range, self.batch_size)
        self.logits = torch.zeros(len(data.train_labels), CLASS_COUNT, device=self.device)
        self.recorded: RecordedSteps | None = None

    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""
        self.feed.set_order(order)

    @torch.inference_mode()
    @explained_memory()
    def train(self, first_step: int, step_count: int, rates: NDArray[np.float64] | None = None) -> None:
        """Do `step_count` steps of the epoch from `first_step` (from 0); may return before the device is done.

        Step i sees `order[i * batch_size : (i + 1) * batch_size]`; the last may be smaller. Each learns at its own of
        the `rates`, or all at that of the spec.
        """
        each = rates_of(self.spec, step_count, rates)
        done = self._replay(first_step, each)
        for count in self.threads.bursts(step_count - done):
            self._train(first_step + done, each[done : done + count])
            done += count

    @torch.inference_mode()
    @explained_memory()
    def read_steps(self, first_step: int, step_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Wait for the device, and give the mean loss and the count of right answers of each of these steps."""
        seen = self.feed.seen(first_step, step_count)
        labels = self.feed.labels["train"].index_select(0, self.feed.order[seen])
        return figures_of_steps(self.logits[seen], labels, self.batch_size)

    @torch.inference_mode()
    @explained_memory()
    def gradient_norm(self, step: int) -> float:
        """Give the L2 norm of the gradient on the batch of `step` (from 0), with the weights as they are."""
        for images, targets in self.feed.batches(step, 1):
            self._find_gradients(images, targets)
        return float(self.network.gradients.norm())

    @torch.inference_mode()
    @explained_memory()
    def evaluate(self, split: Split) -> Evaluation:
        """Evaluate the whole set in evaluation mode: mean cross-entropy, accuracy, confusion counts."""
        return evaluation_of(self._evaluated(self.feed.images[split]), self.feed.labels[split])

    @torch.inference_mode()
    @explained_memory()
    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the probabilities (N x 10, float32) of these images in evaluation mode."""
        images = self.feed.images[split].index_select(0, send(indices, self.device))
        probabilities: NDArray[np.float32] = self._evaluated(images).softmax(1).cpu().numpy()
        return probabilities

    @explained_memory()
    def state(self) -> State:
        """Copy to host memory all that the next step depends on, but for the data and its order."""
        state: State = {name: tensor.contiguous().cpu().numpy().copy() for name, tensor in self._tensors().items()}
        # Dropout's masks follow from these two on any device, so that a run may move to another.
        state["optimizer/step"] = np.array(self.steps_done, np.int64)
        state["random/state"] = np.array(self.seed % _SEED_LIMIT, np.int64)
        return state

    @explained_memory()
    def load_state(self, state: State) -> None:
        """Take back what `state` gave; raises `CheckpointProblem` where names or shapes are of another model."""
        check_same_form(state, self.state())
        for name, tensor in self._tensors().items():
            tensor.copy_(torch.from_numpy(state[name]))
        self.steps_done = int(state["optimizer/step"])
        self.adam.steps.fill_(self.steps_done)
        self.seed = int(state["random/state"])

    def _evaluated(self, images: Tensor) -> Tensor:
        """Give the logits (N x 10) of images (N x 1 x 28 x 28, uint8) in evaluation mode."""
        logits = torch.empty(len(images), CLASS_COUNT, device=self.device)
        for part, target in zip(*(torch.split(x, self.evaluated) for x in (images, logits)), strict=True):
            target.copy_(self.network.pass_of(len(part)).forward(self.feed.normalise(part)))
        return logits

    def _replay(self, first_step: int, rates: list[float]) -> int:
        """Do as many of these steps as can be recorded, and give how many they are."""
        whole = len(self.feed.order) // self.batch_size
        count = min(len(rates), whole - first_step)
        if self.record is None or whole < FEWEST_STEPS or count < 1:
            return 0
        if self.recorded is None:
            batch = self.network.pass_of(self.batch_size)
            self.recorded = record_steps(self.feed, batch, self.adam, self.logits, self.record)
            if self.recorded is None:
                self.record = None
                return 0
        self.recorded.run(first_step, rates[:count], Moment(self.seed, self.steps_done))
        self.steps_done += count
        return count

    def _train(self, first_step: int, rates: list[float]) -> None:
        kept = torch.split(self.logits[self.feed.seen(first_step, len(rates))], self.batch_size)
        batches = self.feed.batches(first_step, len(rates))
        for (images, targets), logits, lr in zip(batches, kept, rates, strict=True):
            logits.copy_(self._find_gradients(images, targets).logits)
            self.adam.set_learning_rate(lr)
            self.adam.step()
            self.steps_done += 1

    def _find_gradients(self, images: Tensor, targets: Tensor) -> Pass:
        """Find those of the step that comes next, and give the pass that found them."""
        batch = self.network.pass_of(len(images))
        batch.draw(Moment(self.seed, self.steps_done))
        batch.find_gradients(images, targets)
        return batch

    @torch.inference_mode()
    def _try_step(self) -> tuple[Tensor, ...]:
        """Give what comes of a step on images that are always the same, and of evaluating them."""
        # Of a larger batch products are longer, not others, and it may not even fit.
        count = min(self.batch_size, _MANY_IMAGES)
        # Noise, as of even images and gradients sums are the same in another order too.
        noise = torch.Generator().manual_seed(0)
        images = torch.rand(count, 1, IMAGE_SIZE, IMAGE_SIZE, generator=noise)
        batch = self._find_gradients(images, torch.rand(count, CLASS_COUNT, generator=noise))
        return batch.logits.clone(), self.network.gradients, batch.forward(images)

    def _tensors(self) -> dict[str, Tensor]:
        vectors = {
            "model": self.network.values,
            "optimizer/exp_avg": self.adam.exp_avg,
            "optimizer/exp_avg_sq": self.adam.exp_avg_sq,
        }
        return {
            f"{kind}/{name}": part
            for kind, vector in vectors.items()
            for name, part in self.network.named(vector).items()
        }
