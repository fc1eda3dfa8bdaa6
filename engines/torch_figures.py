"""What logits come to, in PyTorch: the figures of each step, and those of a whole set."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from numpy.typing import NDArray
from torch import Tensor

from engines.catalog import CLASS_COUNT
from engines.engine import Evaluation


def figures_of_steps(logits: Tensor, labels: Tensor, batch_size: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Wait for the device, and give the mean loss and the count of right answers of each batch in `logits` (N x 10)."""
    losses = F.cross_entropy(logits, labels, reduction="none")
    hits = logits.argmax(1) == labels
    sizes = [len(part) for part in torch.split(labels, batch_size)]
    starts = np.arange(len(sizes)) * batch_size
    sums = np.add.reduceat(losses.cpu().numpy().astype(np.float64), starts)  # here the device is waited for
    return sums / sizes, np.add.reduceat(hits.cpu().numpy().astype(np.int64), starts)


def evaluation_of(logits: Tensor, labels: Tensor) -> Evaluation:
    """Give the figures of a whole set with these logits (N x 10, float32) and labels (N, int64)."""
    # Averaged on the host, where there are 64-bit floats whatever the device.
    loss = F.cross_entropy(logits, labels, reduction="none").cpu().double().mean().item()
    predictions, confidences = logits.argmax(1), logits.softmax(1).amax(1).cpu().numpy()
    cells = (labels * CLASS_COUNT + predictions).cpu().bincount(minlength=CLASS_COUNT**2)
    confusion = cells.view(CLASS_COUNT, CLASS_COUNT).numpy()
    accuracy = float(confusion.trace() / confusion.sum())
    return Evaluation(loss, accuracy, confusion, predictions.cpu().numpy(), confidences)
