"""The shortest fast loop in PyTorch, to compare with: one tensor, `index_select`, fused Adam, autograd, no sync.

    python benchmarks/bare_torch.py [--model nn] [--dataset mnist] [--data-dir DIR]

The mathematics is the article's: its networks, first weights, Adam at 0.001, batches of 32, pixels in -1..1.
"""

import argparse
import time

import torch
from torch import Tensor, nn

from engines import datasets


def build_network(model: str) -> nn.Sequential:
    """Give the article's network as plain PyTorch modules."""
    match model:
        case "nn":
            layers = [nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10)]
        case "lenet":
            layers = [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU()]
            layers += [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()]
            layers += [nn.Linear(84, 10)]
        case _:
            layers = [nn.Conv2d(1, 32, 3, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU()]
            layers += [nn.MaxPool2d(2), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 64)]
            layers += [nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*layers)


def make_optimizer(network: nn.Module) -> torch.optim.Optimizer:
    """Give the article's Adam, in one kernel."""
    return torch.optim.Adam(network.parameters(), lr=0.001, fused=True)


def train_epoch(network: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> None:
    """Train one epoch in a random order on images (uint8, N x 1 x 28 x 28) and labels (int64, N)."""
    criterion = nn.CrossEntropyLoss()
    losses = torch.zeros(())
    for batch in torch.randperm(len(labels)).split(32):
        loss = criterion(network(normalise(images.index_select(0, batch))), labels.index_select(0, batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses += loss.detach()


def normalise(images: Tensor) -> Tensor:
    """Bring pixels (uint8, 0..255) to -1..1."""
    return images.float().div_(127.5).sub_(1)


def run_epoch(model: str, dataset: str = "mnist", data_dir: str | None = None) -> float:
    """Give the seconds that one epoch of training takes on one thread; reading the files is not counted."""
    torch.set_num_threads(1)
    data = datasets.load(dataset, data_dir, lambda *_: None)
    images, labels = torch.from_numpy(data.train_images).unsqueeze(1), torch.from_numpy(data.train_labels).long()
    network = build_network(model)
    optimizer = make_optimizer(network)
    began = time.perf_counter()
    train_epoch(network, optimizer, images, labels)
    return time.perf_counter() - began


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("nn", "lenet", "lenet1"), default="nn")
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    print(f"{options.model}: {run_epoch(options.model, options.dataset, options.data_dir):.2f} s an epoch")


if __name__ == "__main__":
    main()
