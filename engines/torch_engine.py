"""Training in PyTorch: the network, Adam and the whole dataset on one device, and no wait for it within an epoch."""

import os
import platform
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch loads: waiting threads leave the core to others

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.catalog import CLASS_COUNT, IMAGE_SIZE, MODELS, Conv, Dense, Dropout, Flatten, Layer, MaxPool
from engines.datasets import ImageData
from engines.engine import Evaluation, Split, State
from engines.events import Parameter
from engines.problems import CheckpointProblem, OutOfMemory, Unavailable
from engines.spec import RunSpec

_EVALUATION_BATCH = {"cpu": 200, "cuda": 5_000, "mps": 1_000}
_SEED_LIMIT = 2**63
_MOMENTS = ("exp_avg", "exp_avg_sq")


def create(spec: RunSpec) -> "TorchEngine":
    """Make an engine with fresh weights drawn from `spec.seed`; raises `Unavailable` where the device is not there."""
    return TorchEngine(spec, MODELS[spec.model].layers("torch"))


class SeededDropout(nn.Module):
    """Dropout whose mask depends on `seed` and `step` alone, so that a continued run draws the same masks."""

    def __init__(self, rate: float, seed: int, device: torch.device) -> None:
        super().__init__()
        self.rate, self.seed, self.step = rate, seed, 0
        self.generator = torch.Generator(device)

    def forward(self, x: Tensor) -> Tensor:
        """Zero each value with probability `rate` and scale the rest; in evaluation mode give `x` itself."""
        if not self.training:
            return x
        self.generator.manual_seed((self.seed * 1_000_003 + self.step) % _SEED_LIMIT)
        mask = torch.empty_like(x).bernoulli_(1 - self.rate, generator=self.generator)
        return x * mask.mul_(1 / (1 - self.rate))


def build_network(layers: tuple[Layer, ...], seed: int, device: torch.device) -> nn.Sequential:
    """Build the network with PyTorch's own initialisation drawn from `seed`; parameters are `conv1.weight`, `fc1.bias`.

    Where pooling follows a convolution, the ReLU comes after it: the same values, at a quarter of the work.
    """
    torch.manual_seed(seed % _SEED_LIMIT)
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    shape: tuple[int, ...] = (1, IMAGE_SIZE, IMAGE_SIZE)
    convs = denses = 0
    for layer, following in zip(layers, (*layers[1:], None), strict=True):
        match layer:
            case Conv(filters, kernel, padding):
                convs += 1
                modules[f"conv{convs}"] = nn.Conv2d(shape[0], filters, kernel, padding=padding)
                side = shape[1] + 2 * padding - kernel + 1
                shape = (filters, side, side)
                if isinstance(following, MaxPool):
                    modules[f"pool{convs}"] = nn.MaxPool2d(2)
                    shape = (filters, side // 2, side // 2)
                modules[f"conv{convs}_relu"] = nn.ReLU(inplace=True)
            case Flatten():
                modules["flatten"] = nn.Flatten()
                shape = (prod(shape),)
            case Dense(units, relu):
                denses += 1
                modules[f"fc{denses}"] = nn.Linear(shape[0], units)
                shape = (units,)
                if relu:
                    modules[f"fc{denses}_relu"] = nn.ReLU(inplace=True)
            case Dropout(rate):
                modules["dropout"] = SeededDropout(rate, seed, device)
    return nn.Sequential(modules).to(memory_format=torch.channels_last).to(device)


class TorchEngine:
    """The `Engine` of PyTorch; pixels 0..255 are brought to `input_range`, and `layers` need not be the spec's model.

    `spec.gpu_memory_limit` caps what PyTorch takes of a CUDA GPU; on other devices it has no effect.
    """

    def __init__(
        self, spec: RunSpec, layers: tuple[Layer, ...], input_range: tuple[float, float] = (-1.0, 1.0)
    ) -> None:
        self.device = choose_device(spec.device)
        self.batch_size = spec.batch_size
        self.low, self.high = input_range
        _prepare(self.device, spec.gpu_memory_limit, any(isinstance(layer, Conv) for layer in layers))
        self.framework_version = str(torch.__version__)
        self.device_name = name_device(self.device)
        self.network = build_network(layers, spec.seed, self.device)
        self.dropouts = [module for module in self.network if isinstance(module, SeededDropout)]
        self.weights = dict(self.network.named_parameters())
        self.parameters = [Parameter(name, list(w.shape), w.numel()) for name, w in self.weights.items()]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=spec.lr, eps=1e-8, fused=True)
        self.moments = {name: tuple(torch.zeros_like(w) for _ in _MOMENTS) for name, w in self.weights.items()}
        self.seed = spec.seed
        self._set_steps_done(0)

    def _set_steps_done(self, count: int) -> None:
        self.steps_done = count
        for name, weight in self.weights.items():
            step = torch.tensor(float(count), device=self.device)
            self.optimizer.state[weight] = {"step": step, **dict(zip(_MOMENTS, self.moments[name], strict=True))}

    def load_data(self, data: ImageData) -> None:
        """Put the images (uint8, N x 28 x 28) and labels of both sets on the device."""
        with _explained_memory():
            self.images: dict[Split, Tensor] = {
                "train": self._send(data.train_images).unsqueeze(1),
                "test": self._send(data.test_images).unsqueeze(1),
            }
            self.labels: dict[Split, Tensor] = {
                "train": self._send(data.train_labels.astype(np.int64)),
                "test": self._send(data.test_labels.astype(np.int64)),
            }
            count = len(data.train_labels)
            self.losses = torch.zeros(count, device=self.device)
            self.hits = torch.zeros(count, dtype=torch.bool, device=self.device)

    def begin_epoch(self, order: NDArray[np.int64]) -> None:
        """Take the order, a permutation of the training images' indices, in which the next epoch sees them."""
        self.order = self._send(order)

    def train(self, first_step: int, step_count: int) -> None:
        """Do `step_count` steps of the epoch from `first_step` (from 0); may return before the device is done.

        Step i sees `order[i * batch_size : (i + 1) * batch_size]`; the last may be smaller.
        """
        self.network.train()
        with _explained_memory():
            for step in range(first_step, first_step + step_count):
                seen = slice(step * self.batch_size, (step + 1) * self.batch_size)
                losses, logits, labels = self._forward_batch(seen)
                torch.autograd.backward(losses.mean())
                self.optimizer.step()
                self.optimizer.zero_grad()
                self.losses[seen] = losses.detach()
                self.hits[seen] = logits.argmax(1) == labels
                self.steps_done += 1

    def read_steps(self, first_step: int, step_count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Wait for the device, and give the mean loss and the count of right answers of each of these steps."""
        seen = slice(first_step * self.batch_size, (first_step + step_count) * self.batch_size)
        losses = self.losses[seen].cpu().numpy().astype(np.float64)  # the one wait for the device in an epoch
        hits = self.hits[seen].cpu().numpy().astype(np.int64)
        starts = np.arange(0, len(losses), self.batch_size)
        sizes = np.minimum(self.batch_size, len(losses) - starts)
        return np.add.reduceat(losses, starts) / sizes, np.add.reduceat(hits, starts)

    def gradient_norm(self, step: int) -> float:
        """Give the L2 norm of the gradient on the batch of `step` (from 0), with the weights as they are."""
        self.network.train()
        with _explained_memory():
            losses, _, _ = self._forward_batch(slice(step * self.batch_size, (step + 1) * self.batch_size))
            gradients = torch.autograd.grad(losses.mean(), list(self.weights.values()))
        return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())

    @torch.inference_mode()
    def evaluate(self, split: Split) -> Evaluation:
        """Evaluate the whole set in evaluation mode: mean cross-entropy, accuracy, confusion counts."""
        self.network.eval()
        with _explained_memory():
            batches = zip(
                torch.split(self.images[split], _EVALUATION_BATCH[self.device.type]),
                torch.split(self.labels[split], _EVALUATION_BATCH[self.device.type]),
                strict=True,
            )
            losses, cells = [], []
            for images, labels in batches:
                logits = self.network(self._normalise(images))
                losses.append(F.cross_entropy(logits, labels, reduction="none"))
                cells.append(labels * CLASS_COUNT + logits.argmax(1))
            # Summed on the host: not every device has 64-bit floats.
            loss = torch.cat(losses).cpu().double().mean().item()
            counts = torch.cat(cells).cpu().bincount(minlength=CLASS_COUNT**2)
        confusion = counts.reshape(CLASS_COUNT, CLASS_COUNT).numpy()
        return Evaluation(loss, float(confusion.trace() / confusion.sum()), confusion)

    @torch.inference_mode()
    def predict(self, split: Split, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the probabilities (N x 10, float32) of these images in evaluation mode."""
        self.network.eval()
        with _explained_memory():
            images = self.images[split].index_select(0, self._send(indices))
            probabilities: NDArray[np.float32] = self.network(self._normalise(images)).softmax(1).cpu().numpy()
        return probabilities

    def set_learning_rate(self, lr: float) -> None:
        """Use `lr` from the next step on."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def state(self) -> State:
        """Copy to host memory all that the next step depends on, but for the data and its order."""
        tensors = {f"model/{name}": weight.detach() for name, weight in self.weights.items()}
        for name, moments in self.moments.items():
            tensors |= {f"optimizer/{kind}/{name}": m for kind, m in zip(_MOMENTS, moments, strict=True)}
        state: State = {name: tensor.contiguous().cpu().numpy().copy() for name, tensor in tensors.items()}
        # Dropout's masks follow from these two on any device, so that a run may move to another.
        state["optimizer/step"] = np.array(self.steps_done, np.int64)
        state["random/state"] = np.array(self.seed % _SEED_LIMIT, np.int64)
        return state

    @torch.no_grad()
    def load_state(self, state: State) -> None:
        """Take back what `state` gave; raises `CheckpointProblem` where names or shapes are of another model."""
        _check_same_form(state, self.state())
        for name, weight in self.weights.items():
            weight.copy_(torch.from_numpy(state[f"model/{name}"]))
            for kind, moment in zip(_MOMENTS, self.moments[name], strict=True):
                moment.copy_(torch.from_numpy(state[f"optimizer/{kind}/{name}"]))
        self.seed = int(state["random/state"])
        self._set_steps_done(int(state["optimizer/step"]))

    def _forward_batch(self, seen: slice) -> tuple[Tensor, Tensor, Tensor]:
        """Give the loss of each image of a batch, the logits and the labels."""
        indices = self.order[seen]
        for dropout in self.dropouts:
            dropout.seed, dropout.step = self.seed, self.steps_done
        logits = self.network(self._normalise(self.images["train"].index_select(0, indices)))
        labels = self.labels["train"].index_select(0, indices)
        return F.cross_entropy(logits, labels, reduction="none"), logits, labels

    def _normalise(self, images: Tensor) -> Tensor:
        return images.float().mul_((self.high - self.low) / 255).add_(self.low)

    def _send(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.array(array)).to(self.device)


def choose_device(asked: str) -> torch.device:
    """Give the device that `asked` names, the best there is for `auto`; raises `Unavailable` where it is not there."""
    present = [f"cuda:{index}" for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)]
    present += ["mps"] if torch.backends.mps.is_available() else []
    present += ["cpu"]
    if asked == "auto":
        return torch.device(present[0])
    wanted = "cuda:0" if asked == "cuda" else asked
    if wanted not in present:
        raise Unavailable(
            f"PyTorch finds no device {asked!r} on this machine; it finds {', '.join(present)}.",
            "Use --device auto or --device cpu.",
        )
    return torch.device(wanted)


def name_device(device: torch.device) -> str:
    """Give what a person calls `device`, with the number of threads of a CPU."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    if device.type == "mps":
        return "Apple GPU (mps)"
    threads = torch.get_num_threads()
    return f"CPU ({_processor_name()}, {threads} thread{'s' if threads > 1 else ''})"


def _processor_name() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(errors="replace").splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _prepare(device: torch.device, gpu_memory_limit: int | None, has_convolutions: bool) -> None:
    """Set what PyTorch keeps for the whole process: threads of the CPU, the GPU's memory cap (MiB)."""
    if device.type == "cuda" and gpu_memory_limit:
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, gpu_memory_limit * 2**20 / total), device)
    if device.type == "cpu":
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        # Matrices as small as those of a dense network lose more by threads' waiting than they gain.
        torch.set_num_threads(max(1, cores - 1) if has_convolutions else 1)
        torch.set_flush_denormal(True)


@contextmanager
def _explained_memory() -> Iterator[None]:
    """Turn every allocator's own error into `OutOfMemory`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        told = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)
        if not told:
            raise
        message = "The device ran out of memory: " + str(error).partition("\n")[0]
        raise OutOfMemory(message, "Use a smaller --batch-size, or end what else uses this memory.") from error


def _check_same_form(state: State, expected: State) -> None:
    missing, extra = sorted(expected.keys() - state.keys()), sorted(state.keys() - expected.keys())
    other = [
        f"{name} is {state[name].dtype} {state[name].shape}, not {array.dtype} {array.shape}"
        for name, array in expected.items()
        if name in state and (state[name].shape, state[name].dtype) != (array.shape, array.dtype)
    ]
    faults = [f"{name} is missing" for name in missing] + [f"{name} is not known" for name in extra] + other
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise CheckpointProblem(
            f"The checkpoint is of another model: {faults[0]}{more}.", "Continue it with the model it was made with."
        )
