"""A first look at a dataset: is it on this machine, can it be fetched, and what do its images look like."""

from typing import Literal

import msgspec

from engines.catalog import DATASETS
from engines.dataset_files import find_files, peek
from engines.mirrors import mirror_reachable
from engines.problems import DatasetProblem
from engines.text import clean_text


class DatasetLook(msgspec.Struct, frozen=True):
    """What is known of `dataset`: `summary` says it in words, `images` are its first, 784 bytes each with a label.

    It is `here`, or a run can fetch it (`fetchable`), or it is here and `damaged`, or not here and `unreachable`.
    """

    dataset: str
    summary: str
    images: tuple[tuple[bytes, int], ...] = ()
    state: Literal["here", "fetchable", "damaged", "unreachable"] = "here"

    @property
    def is_trainable(self) -> bool:
        """Whether a run can train on it, as far as it is known."""
        return self.state in ("here", "fetchable")


def look_at(dataset: str, data_dir: str | None, count: int) -> DatasetLook:
    """Find `dataset` and read its first `count` images; asks the network where it is not here, up to two seconds."""
    try:
        if files := find_files(dataset, data_dir):
            place = next(iter(files.values())).parent
            where = "part of scikit-learn" if dataset == "digits" else f"on disk in {clean_text(str(place))}"
            return DatasetLook(dataset, where, tuple(peek(dataset, data_dir, count)))
    except DatasetProblem as problem:
        return DatasetLook(dataset, str(problem), state="damaged")
    if mirror_reachable(dataset):
        return DatasetLook(dataset, "not on disk yet: the run downloads it first", state="fetchable")
    return DatasetLook(dataset, f"{DATASETS[dataset].title} is neither on disk nor reachable", state="unreachable")
