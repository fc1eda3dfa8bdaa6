"""What the datasets' files are, where they may lie on this machine, and a first look into them. No numpy."""

import os
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import platformdirs

from engines import digits
from engines.catalog import DATASETS, IMAGE_SIZE
from engines.folders import named_folder
from engines.idx import IdxFault, IdxFile, read_start, verify
from engines.mirrors import mirror_reachable
from engines.problems import DatasetProblem
from engines.text import clean_text

DATA_DIR_VARIABLE = "MNIST_TUI_DATA_DIR"

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"

IDX_FILES: dict[str, tuple[IdxFile, ...]] = {
    "mnist": (
        IdxFile(TRAIN_IMAGES, (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
        IdxFile(TRAIN_LABELS, (60_000,), "a25bea736e30d166cdddb491f175f624"),
        IdxFile(TEST_IMAGES, (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
        IdxFile(TEST_LABELS, (10_000,), "27ae3e4e09519cfbb04c329615203637"),
    ),
    "fashion-mnist": (
        IdxFile(TRAIN_IMAGES, (60_000, 28, 28), "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
        IdxFile(TRAIN_LABELS, (60_000,), "9018921c3c673c538a1fc5bad174d6f9"),
        IdxFile(TEST_IMAGES, (10_000, 28, 28), "8181f5470baa50b63fa0f6fddb340f0a"),
        IdxFile(TEST_LABELS, (10_000,), "15d484375f8d13e6eb1aabb0c3f46965"),
    ),
}
_TORCHVISION_FOLDERS = {"mnist": "MNIST/raw", "fashion-mnist": "FashionMNIST/raw"}
_DELETE_HINT = "Delete it, and the next run downloads a whole one."


def data_directory(data_dir: str | None) -> Path:
    """Give the folder that holds datasets, as an absolute path; it need not exist.

    It is `data_dir`, else what the environment's `MNIST_TUI_DATA_DIR` says, else the platform's cache folder.
    """
    return named_folder(data_dir or os.environ.get(DATA_DIR_VARIABLE) or platformdirs.user_cache_dir("mnist-tui"))


def locate(dataset: str, data_dir: str | None) -> dict[str, Path]:
    """Find the first copy of each of a dataset's files, by the file's name; those that are nowhere are left out.

    Only looks at what is there: what a file holds is not read. Raises `DatasetProblem` for an unknown dataset.
    """
    if dataset not in DATASETS:
        raise DatasetProblem(f"There is no dataset {dataset!r}.", f"Choose one of {', '.join(DATASETS)}.")
    if dataset == "digits":
        path = digits.find_file()
        return {path.name: path} if path else {}
    folder = data_directory(data_dir)
    found = {}
    for file in IDX_FILES[dataset]:
        # A link to nothing is something that lies in the way: it is named, and not written over.
        path = next((path for path in _places(dataset, file.name, folder) if os.path.lexists(path)), None)
        if path:
            found[file.name] = path
    return found


def find_files(dataset: str, data_dir: str | None) -> dict[str, Path] | None:
    """Find a copy of each of a dataset's files, by the file's name, or None where one is missing."""
    found = locate(dataset, data_dir)
    return found if len(found) == len(IDX_FILES.get(dataset, ("digits",))) else None


def on_disk(dataset: str, data_dir: str | None) -> bool:
    """Tell whether all files of a dataset are on this machine, without reading them."""
    return find_files(dataset, data_dir) is not None


def default_dataset(data_dir: str | None) -> tuple[str, str]:
    """Give the dataset to train on where none was named, and why where that is not MNIST ("" where it is).

    Asks the network where MNIST is not on disk, which may take two seconds.
    """
    if on_disk("mnist", data_dir) or mirror_reachable("mnist"):
        return "mnist", ""
    folder = clean_text(str(data_directory(data_dir) / "mnist"))
    return "digits", f"MNIST is not on this machine (looked in {folder}) and no mirror answers"


def peek(dataset: str, data_dir: str | None, count: int) -> list[tuple[bytes, int]]:
    """Read the first `count` training images, each 784 bytes (28x28, 255 is full ink), with their labels.

    Checks the files' headers only. Raises `DatasetProblem` where a file is missing or cannot be read.
    """
    if dataset == "digits":
        return list(islice(digits.read_digits(), count))
    found = locate(dataset, data_dir)
    if TRAIN_IMAGES not in found or TRAIN_LABELS not in found:
        raise DatasetProblem(f"{DATASETS[dataset].title} is not on this machine yet.", "The first run downloads it.")
    files = {file.name: file for file in IDX_FILES[dataset]}
    size = IMAGE_SIZE * IMAGE_SIZE
    path = found[TRAIN_IMAGES]
    try:
        images = read_start(path, files[TRAIN_IMAGES], count * size)
        path = found[TRAIN_LABELS]
        labels = read_start(path, files[TRAIN_LABELS], count)
    except IdxFault as fault:
        raise bad_file(path, fault) from fault
    return [(images[at * size : (at + 1) * size], label) for at, label in enumerate(labels)]


def check(dataset: str, data_dir: str | None) -> None:
    """Read all that is on this machine of a dataset; raises `DatasetProblem` where a file is not what it should be."""
    found = locate(dataset, data_dir)
    if dataset == "digits":
        deque(digits.read_digits(), maxlen=0)
        return
    for file in IDX_FILES[dataset]:
        if path := found.get(file.name):
            try:
                verify(path, file)
            except IdxFault as fault:
                raise bad_file(path, fault) from fault


def bad_file(path: Path, fault: IdxFault) -> DatasetProblem:
    """Make the problem of a file that is there and is not what it should be."""
    return DatasetProblem(f"{path} {fault}.", _DELETE_HINT)


def _places(dataset: str, name: str, data_directory: Path) -> Iterator[Path]:
    """Yield where this program, torchvision and Keras may have left a file, in the order in which to look."""
    pytorch_datasets = named_folder("~/.pytorch/datasets")
    keras_datasets = named_folder(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets"
    torchvision = _TORCHVISION_FOLDERS[dataset]
    for folder in (
        data_directory / dataset,
        data_directory / torchvision,
        Path("data", torchvision),
        pytorch_datasets / dataset / torchvision,
        pytorch_datasets / torchvision,
        keras_datasets / dataset,
    ):
        yield folder / name
        yield folder / f"{name}.gz"
    if dataset == "mnist":
        yield keras_datasets / "mnist.npz"
