"""The article's own PyTorch training loop, for one epoch, to compare with.

    python benchmarks/article_torch.py [--model nn] [--dataset mnist] [--data-dir DIR]

Kept as it was written (a worker-fed DataLoader, transforms image by image, `item()` at every step), but for `dataiter`
and the like that PyTorch no longer has, and the files: they are ours, already verified, so that nothing is downloaded.
"""

import argparse
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch file uses
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from engines import datasets


class ImageDataset(Dataset[tuple[Tensor, int]]):
    """Gives image and label as `torchvision.datasets.MNIST` does: a PIL image goes through `transform`."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.uint8], transform: transforms.Compose) -> None:
        self.data, self.targets = torch.from_numpy(images), torch.from_numpy(labels).long()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, target = self.data[index], int(self.targets[index])
        return self.transform(Image.fromarray(image.numpy())), target


class NN(nn.Module):
    """The classic network."""

    def __init__(self, in_dim: int = 1, n_class: int = 10, p: float = 0.2) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_dim * 28 * 28, 128)
        self.fc2 = nn.Linear(128, n_class)
        self.drop_layer = nn.Dropout(p=p)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits."""
        x = x.view(x.size()[0], -1)
        x = F.relu(self.fc1(x))
        x = self.drop_layer(x)
        return self.fc2(x)


class LeNet(nn.Module):
    """LeNet-5 for images of 28x28."""

    def __init__(self, in_dim: int = 1, n_class: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_dim, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, n_class)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(x.size()[0], -1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


class LeNet1(nn.Module):
    """The article's deeper LeNet."""

    def __init__(self, in_dim: int = 1, n_class: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_dim, 32, 3, padding=2)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.conv3 = nn.Conv2d(64, 64, 3)
        self.fc1 = nn.Linear(64 * 4 * 4, 64)
        self.fc2 = nn.Linear(64, n_class)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.conv3(x))
        x = x.view(x.size()[0], -1)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


NETWORKS: dict[str, type[nn.Module]] = {"nn": NN, "lenet": LeNet, "lenet1": LeNet1}


def forward(
    net: nn.Module, inputs: Tensor, labels: Tensor, criterion: nn.Module, use_cuda: bool
) -> tuple[Tensor, Tensor, int]:
    """Give the logits, the mean loss and the count of right answers."""
    if use_cuda and torch.cuda.is_available():
        net, criterion, inputs, labels = net.cuda(), criterion.cuda(), inputs.cuda(), labels.cuda()
    outputs = net(inputs)
    loss = criterion(outputs, labels)
    _, predicted = torch.max(outputs.data, 1)
    num_correct = int((predicted == labels).sum().item())
    return outputs, loss, num_correct


def train_epoch(
    net: nn.Module, criterion: nn.Module, optimizer: optim.Optimizer, trainloader: DataLoader[tuple[Tensor, int]]
) -> None:
    """Train one epoch as the article's `train` does, writing loss and accuracy every 50 steps."""
    train_loss, train_num_correct, train_total = 0.0, 0, 0
    for i, (inputs, labels) in enumerate(trainloader):
        _, loss, correct = forward(net, inputs, labels, criterion, use_cuda=True)
        train_loss += loss.item() * labels.size(0)
        train_num_correct += correct
        train_total += labels.size(0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % 50 == 49:
            figures = (i + 1, train_loss / train_total, train_num_correct / train_total)
            sys.stderr.write("\r[%5d] loss: %.3f, accuracy: %.3f" % figures)  # noqa: UP031 - as the article has it
            train_loss, train_num_correct, train_total = 0.0, 0, 0
    sys.stderr.write("\n")


def run_epoch(model: str, dataset: str = "mnist", data_dir: str | None = None) -> float:
    """Give the seconds that one epoch of training takes; reading the files and building the network are not counted."""
    data = datasets.load(dataset, data_dir, lambda *_: None)
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean=(0.5), std=(0.5))])
    trainset = ImageDataset(data.train_images, data.train_labels, transform)
    trainloader = DataLoader(trainset, batch_size=32, shuffle=True, num_workers=2)
    net = NETWORKS[model]()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(net.parameters(), lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0, amsgrad=False)
    began = time.perf_counter()
    train_epoch(net, criterion, optimizer, trainloader)
    return time.perf_counter() - began


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=NETWORKS, default="nn")
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    print(f"{options.model}: {run_epoch(options.model, options.dataset, options.data_dir):.2f} s an epoch")


if __name__ == "__main__":
    main()
