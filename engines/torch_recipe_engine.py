"""Training in PyTorch by any recipe: a module and autograd, the whole dataset on one device."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.architecture import Layer
from engines.augmentation import draw_changes, is_augmented, is_warped
from engines.catalog import CLASS_COUNT, IMAGE_SIZE
from engines.datasets import ImageData, Split
from engines.engine import Evaluation, State, check_same_form, rates_of
from engines.events import Parameter
from engines.first_weights import find_patterns, measure_pixels
from engines.spec import RunSpec
from engines.torch_augmentation import change
from engines.torch_device import choose_device, choose_dtype, explained_memory, name_device, prepare_device
from engines.torch_feed import send
from engines.torch_figures import evaluation_of, figures_of_steps
from engines.torch_modules import Enlarged, Whiten, build_layers, build_module
from engines.torch_optimizer import Optimizer
from engines.torch_threads import usual_count

_EVALUATED_IMAGES = {"cpu": 250, "cuda": 5_000, "mps": 1_000}
"""At once, of those that are not enlarged."""

_SEED_LIMIT = 2**63


class RecipeEngine:
    """The `Engine` of PyTorch for every network and recipe that is not the article's.

    Pixels are brought to mean 0 and deviation 1 over the training images. `layers`, where given, replace the model's.
    """

    def __init__(self, spec: RunSpec, layers: tuple[Layer, ...] | None = None) -> None:
        self.spec = spec
        self.device = choose_device(spec.device)
        prepare_device(self.device, gpu_memory_limit=spec.gpu_memory_limit, threads=usual_count())
        self.dtype = choose_dtype(spec.precision, self.device)
        self.framework_version = str(torch.__version__)
        self.device_name = name_device(self.device, self.dtype)
        module = build_layers(layers, spec.seed) if layers else build_module(spec.model, spec.seed)
        self.module: nn.Module = module.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.evaluated = _count_evaluated(self.module, self.device.type, spec.batch_size)
        named = dict(self.module.named_parameters())
        self.parameters = [Parameter(name, list(w.shape), w.numel()) for name, w in named.items()]
        self.optimizer = Optimizer(self.module, spec)
        self.patterns = {f"{name}.weight": m for name, m in self.module.named_modules() if isinstance(m, Whiten)}
        self.floats = {
            name: tensor
            for name, tensor in self.module.state_dict().items()
            if tensor.is_floating_point() and name not in self.patterns
        }
        self.average = {name: t.clone() for name, t in self.floats.items()} if spec.weight_average else {}
        self.seed, self.steps_done = spec.seed, 0

    @explained_memory()
    def load_data(self, data: ImageData) -> None:
        """Put the images (uint8, N x 28 x 28) and labels of all sets on the device; a CPU uses the images in place."""
        self.images = {split: send(images, self.device).unsqueeze(1) for split, (images, _) in data.splits().items()}
        self.labels = {split: send(labels, self.device).long() for split, (_, labels) in data.splits().items()}
        self.logits = torch.zeros(len(data.train_labels), CLASS_COUNT, device=self.device)
        mean, deviation = measure_pixels(data.train_images)
        self.low, self.scale = torch.tensor(-mean / deviation, device=self.device), 1 / deviation
        self.steps_per_epoch = -(-len(data.train_labels) // self.spec.batch_size)
        for module in self.patterns.values():
            module.weight.copy_(torch.from_numpy(find_patterns(data.train_images, module.layer)))

    @explained_memory()
    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""
        self.order = send(order.copy(), self.device)
        epoch = self.steps_done // self.steps_per_epoch + 1
        self.changes = (
            send(draw_changes(self.spec, epoch, len(order))[order], self.device) if is_augmented(self.spec) else None
        )

    @explained_memory()
    def train(self, first_step: int, step_count: int, rates: NDArray[np.float64] | None = None) -> None:
        """Do `step_count` steps of the epoch from `first_step` (from 0); may return before the device is done.

        Step i sees `order[i * batch_size : (i + 1) * batch_size]`; the last may be smaller. Each learns at its own of
        the `rates`, or all at that of the spec.
        """
        for step, lr in enumerate(rates_of(self.spec, step_count, rates), first_step):
            self._find_gradients(step)
            self.steps_done += 1
            self.optimizer.step(lr, self.steps_done)
            if self.average:
                # Young, it is the mean of all weights so far: nothing is left of the first ones.
                kept = min(self.spec.weight_average, self.steps_done / (self.steps_done + 9))
                torch._foreach_lerp_(list(self.average.values()), list(self.floats.values()), 1 - kept)

    @explained_memory()
    def read_steps(self, first_step: int, step_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Wait for the device, and give the mean loss (labels not smoothed) and the right answers of these steps."""
        size = self.spec.batch_size
        seen = slice(first_step * size, (first_step + step_count) * size)
        return figures_of_steps(self.logits[seen], self.labels["train"].index_select(0, self.order[seen]), size)

    @explained_memory()
    def gradient_norm(self, step: int) -> float:
        """Give the L2 norm of the gradient on the batch of `step` (from 0), with the weights as they are."""
        before = {name: buffer.clone() for name, buffer in self.module.named_buffers()}
        logits = self.logits.clone()
        self._find_gradients(step)
        gradients = [weight.grad.norm() for weight in self.module.parameters() if weight.grad is not None]
        norm = float(torch.stack(gradients).norm())
        self.module.zero_grad()
        self.logits.copy_(logits)
        for name, buffer in self.module.named_buffers():
            buffer.copy_(before[name])
        return norm

    @explained_memory()
    def evaluate(self, split: Split) -> Evaluation:
        """Evaluate the whole set in evaluation mode: mean cross-entropy, accuracy, confusion counts."""
        return evaluation_of(self._evaluated_logits(self.images[split]), self.labels[split])

    @explained_memory()
    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the probabilities (N x 10, float32) of these images in evaluation mode."""
        images = self.images[split].index_select(0, send(indices, self.device))
        probabilities: NDArray[np.float32] = self._evaluated_logits(images).softmax(1).cpu().numpy()
        return probabilities

    @explained_memory()
    def state(self) -> State:
        """Copy to host memory all that the next step depends on, but for the data and its order."""
        state: State = {name: tensor.contiguous().cpu().numpy().copy() for name, tensor in self._tensors().items()}
        state["optimizer/steps"] = np.array(self.steps_done, np.int64)
        state["random/state"] = np.array(self.seed % _SEED_LIMIT, np.int64)
        return state

    @explained_memory()
    def load_state(self, state: State) -> None:
        """Take back what `state` gave; raises `CheckpointProblem` where names or shapes are of another model."""
        check_same_form(state, self.state())
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                tensor.copy_(torch.from_numpy(state[name]))
        self.steps_done, self.seed = int(state["optimizer/steps"]), int(state["random/state"])

    def _find_gradients(self, step: int) -> None:
        seen = slice(step * self.spec.batch_size, (step + 1) * self.spec.batch_size)
        indices = self.order[seen]
        images, labels = self.images["train"].index_select(0, indices), self.labels["train"].index_select(0, indices)
        if self.changes is not None:
            images = change(images, self.changes[seen], self.spec.erase, is_warped=is_warped(self.spec))
        # Dropout draws from what this sets, so that a run that goes on draws what it would have drawn.
        torch.manual_seed((self.seed * 1_000_003 + self.steps_done) % _SEED_LIMIT)
        self.module.train(len(indices) > 1)  # A batch norm cannot tell how a single image varies.
        logits = self._forward(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.spec.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        self.logits[seen] = logits.detach()

    @torch.no_grad()
    def _evaluated_logits(self, images: Tensor) -> Tensor:
        with self._averaged_weights():
            self.module.eval()
            return torch.cat([self._evaluated_batch(part) for part in torch.split(images, self.evaluated)])

    def _evaluated_batch(self, images: Tensor) -> Tensor:
        logits = self._forward(images)
        return (logits + self._forward(images.flip(3))) / 2 if self.spec.test_flips else logits

    def _forward(self, images: Tensor) -> Tensor:
        pixels = torch.add(self.low, images, alpha=self.scale)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            logits: Tensor = self.module(pixels.contiguous(memory_format=torch.channels_last))
        return logits.float()

    @contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """Have the module compute with the averaged weights, where there are any."""
        own = {name: tensor.clone() for name, tensor in self.floats.items() if self.average}
        for name in own:
            self.floats[name].copy_(self.average[name])
        try:
            yield
        finally:
            for name, tensor in own.items():
                self.floats[name].copy_(tensor)

    def _tensors(self) -> dict[str, Tensor]:
        kinds = {"model": self.module.state_dict(), "optimizer": self.optimizer.moments, "average": self.average}
        return {f"{kind}/{name}": tensor for kind, tensors in kinds.items() for name, tensor in tensors.items()}


def _count_evaluated(module: nn.Module, device: str, batch_size: int) -> int:
    """Give how many images to evaluate at once: of enlarged ones as many pixels, or as many as are trained at once."""
    most = _EVALUATED_IMAGES[device]
    side = module.side if isinstance(module, Enlarged) else IMAGE_SIZE
    return min(most, max(batch_size, most * IMAGE_SIZE**2 // side**2))
