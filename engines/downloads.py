"""Files fetched from mirrors, tried in turn: what is kept is whole and verified, or nothing is."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pooch
import requests
import urllib3

from engines.catalog import DATASETS
from engines.idx import IdxFault, IdxFile, verify
from engines.mirrors import mirrors
from engines.part_files import part_file, remove_abandoned_parts
from engines.problems import DatasetProblem, StorageProblem
from engines.progress_report import Report

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 10.0
_CHUNK_SIZE = 1 << 14
# No compression makes random bytes much longer, so a body beyond this is not the file.
_SLACK = 1 << 16


class _MirrorFault(Exception):  # noqa: N818 - it names what a mirror did
    """Why a mirror did not give a file, in words that go on from its name."""


def download(dataset: str, files: Sequence[IdxFile], folder: Path, report: Report) -> dict[str, Path]:
    """Fetch `files` into `folder`, and give the path of each by its name.

    A file appears under its own name only when it is whole and verified; several processes may do this at once.
    Raises `DatasetProblem` where no mirror gives a file, `StorageProblem` where it cannot be written. What `report`
    raises to break off must be no `OSError` or `ValueError`: these are taken for the network's.
    """
    addresses = mirrors(dataset)
    found = {}
    with _naming_storage_faults(folder):
        for directory in (folder.parent, folder):
            directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        remove_abandoned_parts(folder)
        for file in files:
            found[file.name] = _fetch(dataset, file, addresses, folder, report)
    return found


def _fetch(dataset: str, file: IdxFile, addresses: list[str], folder: Path, report: Report) -> Path:
    faults = []
    for address in list(addresses):
        try:
            return _fetch_from(address, file, folder, report)
        except _MirrorFault as fault:
            faults.append(f"{_host(address)} {fault}")
            # The next file is asked of it last, so that one dead mirror does not cost its timeout four times.
            addresses.append(addresses.pop(0))
    raise DatasetProblem(
        f"{DATASETS[dataset].title} could not be downloaded: {'; '.join(faults)}.",
        f"Put the dataset's four files into {folder}, or train on digits, which need no network: -d digits",
    )


def _fetch_from(address: str, file: IdxFile, folder: Path, report: Report) -> Path:
    with part_file(folder, file.name) as (part, path):
        arrival = _Arrival(part, folder, file.size + _SLACK, report)
        fetch = pooch.HTTPDownloader(
            progressbar=arrival,
            chunk_size=_CHUNK_SIZE,
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            # Else a server may send the gzip file as a compressed form of its content, unpacked on arrival.
            headers={"Accept-Encoding": "identity"},
        )
        try:
            fetch(f"{address}/{file.name}.gz", arrival, None)
            verify(path, file)
        except IdxFault as fault:
            raise _MirrorFault(f"sent a file that {fault}") from fault
        # Pooch turns a Content-Length that is no number into a ValueError.
        except (OSError, ValueError) as error:
            raise _MirrorFault(_reason(error)) from error
        os.fsync(part.fileno())
        return path.replace(folder / f"{file.name}.gz")


class _Arrival:
    """The file and the progress bar that pooch writes to: passes on how much has come, refuses more than there is."""

    def __init__(self, part: IO[bytes], folder: Path, limit: int, report: Report) -> None:
        self.total = 0
        self._done = 0
        self._part = part
        self._folder = folder
        self._limit = limit
        self._report = report

    def write(self, chunk: bytes) -> None:
        """Write what has come; a disk's refusal is a `StorageProblem`, and no fault of the mirror."""
        self._done += len(chunk)
        if self._done > self._limit:
            raise _MirrorFault("sent more than the file should hold")
        with _naming_storage_faults(self._folder):
            self._part.write(chunk)

    def flush(self) -> None:
        """Hand what is buffered to the disk, with the same care."""
        with _naming_storage_faults(self._folder):
            self._part.flush()

    def update(self, _count: int) -> None:
        """Report what has come; pooch's own count is that of its chunks, full or not."""
        self._report(self._done, self.total or None, "bytes")

    def reset(self) -> None:
        """Do nothing: pooch starts over before it fills its bar."""

    def close(self) -> None:
        """Do nothing: the part file is not pooch's to close."""


def _host(address: str) -> str:
    """Give the part of an address that a person knows a mirror by, without the password that may precede it."""
    return address.partition("//")[2].partition("/")[0].rpartition("@")[2] or address


def _reason(error: OSError | ValueError) -> str:
    match error:
        case requests.HTTPError(response=requests.Response(status_code=status)):
            reason = f"answered {status}"
        case requests.Timeout():
            reason = "did not answer in time"
        case requests.exceptions.SSLError():
            reason = "has a certificate that is not trusted"
        case requests.ConnectionError(args=[urllib3.exceptions.ReadTimeoutError(), *_]):
            reason = "fell silent in the middle"
        case requests.exceptions.ChunkedEncodingError():
            reason = "broke off in the middle"
        case requests.ConnectionError():
            reason = "cannot be reached"
        case _:
            reason = f"gave no usable answer ({type(error).__name__})"
    return reason


@contextmanager
def _naming_storage_faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageProblem(
            f"The dataset cannot be written to {folder}: {error.strerror or error}.",
            "Make room or choose another folder: --data-dir FOLDER",
        ) from error
