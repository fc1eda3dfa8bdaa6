"""The datasets as arrays: found or downloaded, verified, decoded with bounded memory."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engines import dataset_files, digits
from engines.catalog import DATASETS, IMAGE_SIZE
from engines.idx import IdxFault, IdxFile, read_pieces
from engines.progress_report import Report

Split = Literal["train", "validation", "test"]
Labelled = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class ImageData:
    """A dataset in host memory: images are uint8, N x 28 x 28; labels are uint8 in 0..9, length N.

    `validation` is held out of the training images: images and labels; None where none are.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    validation: Labelled | None = None

    def splits(self) -> dict[Split, Labelled]:
        """Give images and labels of each set that there is."""
        sets: dict[Split, Labelled] = {
            "train": (self.train_images, self.train_labels),
            "test": (self.test_images, self.test_labels),
        }
        return sets | {"validation": self.validation} if self.validation else sets


def hold_out(data: ImageData, count: int, seed: int) -> ImageData:
    """Give `data` with `count` of its training images, drawn from `seed`, held out for validation."""
    if not count:
        return data
    order = np.random.default_rng((seed, 4)).permutation(len(data.train_labels))
    held, left = order[:count], np.sort(order[count:])
    return replace(
        data,
        train_images=data.train_images[left],
        train_labels=data.train_labels[left],
        validation=(data.train_images[held], data.train_labels[held]),
    )


def load(dataset: str, data_dir: str | None, report: Report) -> ImageData:
    """Load a dataset from this machine, or download what of it is missing; every byte is verified.

    `data_dir` is as `dataset_files.data_directory` takes it; `report` may raise anything but an `OSError` or a
    `ValueError` to break off. Raises `DatasetProblem` where a file is not what it should be or cannot be had,
    `StorageProblem` where a downloaded one cannot be written.
    """
    found = dataset_files.locate(dataset, data_dir)
    if dataset == "digits":
        return _load_digits(report)
    files = dataset_files.IDX_FILES[dataset]
    if missing := [file for file in files if file.name not in found]:
        # Imported only when needed: pooch and requests cost 0.15 s and 20 MB.
        from engines.downloads import download

        found |= download(dataset, missing, dataset_files.data_directory(data_dir) / dataset, report)
    total = sum(file.size for file in files)
    arrays, before = {}, 0
    for file in files:
        arrays[file.name] = _read_array(found[file.name], file, before, total, report)
        before += file.size
    return ImageData(
        train_images=arrays[dataset_files.TRAIN_IMAGES],
        train_labels=arrays[dataset_files.TRAIN_LABELS],
        test_images=arrays[dataset_files.TEST_IMAGES],
        test_labels=arrays[dataset_files.TEST_LABELS],
    )


def _read_array(path: Path, file: IdxFile, before: int, total: int, report: Report) -> NDArray[np.uint8]:
    """Read a file straight into its array, so that no second copy of it is ever in memory."""
    array = np.empty(file.shape, np.uint8)
    view, done = array.data.cast("B"), 0
    try:
        for piece in read_pieces(path, file):
            view[done : done + len(piece)] = piece
            done += len(piece)
            report(before + done, total, "bytes")
    except IdxFault as fault:
        raise dataset_files.bad_file(path, fault) from fault
    return array


def _load_digits(report: Report) -> ImageData:
    train_size, test_size = DATASETS["digits"].train_size, DATASETS["digits"].test_size
    pixels, labels = bytearray(), bytearray()
    for image, label in digits.read_digits():
        pixels += image
        labels.append(label)
    # Arrays over a bytearray can be written to, which frameworks that share their memory ask for.
    all_images = np.frombuffer(pixels, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    all_labels = np.frombuffer(labels, np.uint8)
    report(len(all_labels), train_size + test_size, "images")
    return ImageData(
        train_images=all_images[:train_size],
        train_labels=all_labels[:train_size],
        test_images=all_images[train_size:],
        test_labels=all_labels[train_size:],
    )
