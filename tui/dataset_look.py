"""A first look at a dataset: is it on this machine, can it be fetched, and what do its images look like."""

import msgspec

from engines.catalog import DATASETS
from engines.dataset_files import locate, on_disk, peek
from engines.mirrors import mirror_reachable
from engines.problems import DatasetProblem


class DatasetLook(msgspec.Struct, frozen=True):
    """What is known of `dataset`: `summary` says it in words, `images` are its first, 784 bytes each with a label."""

    dataset: str
    summary: str
    images: tuple[tuple[bytes, int], ...] = ()
    is_there: bool = True
    is_reachable: bool = True


def look_at(dataset: str, data_dir: str | None, count: int) -> DatasetLook:
    """Find `dataset` and read its first `count` images; asks the network where it is not here, up to two seconds."""
    title = DATASETS[dataset].title.partition(" (")[0]
    try:
        if on_disk(dataset, data_dir):
            place = next(iter(locate(dataset, data_dir).values())).parent
            where = "part of scikit-learn" if dataset == "digits" else f"on disk in {place}"
            return DatasetLook(dataset, where, tuple(peek(dataset, data_dir, count)))
    except DatasetProblem as problem:
        return DatasetLook(dataset, str(problem), is_there=False)
    if mirror_reachable(dataset):
        return DatasetLook(dataset, "not on disk yet: the run downloads it first", is_there=False)
    return DatasetLook(dataset, f"{title} is neither on disk nor reachable", is_there=False, is_reachable=False)
