"""Keras's `mnist.npz`, a zip of four .npy arrays, opened without numpy and without ever unpickling."""

import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

MAGIC = b"PK\x03\x04"

_MEMBERS = {
    "train-images-idx3-ubyte": "x_train.npy",
    "train-labels-idx1-ubyte": "y_train.npy",
    "t10k-images-idx3-ubyte": "x_test.npy",
    "t10k-labels-idx1-ubyte": "y_test.npy",
}
_LONGEST_HEADER = 4_096
# Unsigned bytes in C order; the shape of an array of one dimension ends in a comma.
_HEADER = re.compile(rb"\{'descr': '\|u1', 'fortran_order': False, 'shape': \((\d{1,9}(?:, \d{1,9}){0,2}),?\), \}\s*")


@contextmanager
def open_array(raw: IO[bytes], idx_name: str) -> Iterator[tuple[tuple[int, ...], IO[bytes]]]:
    """Open the array that Keras keeps for an IDX file: its shape, and its bytes in the order that IDX has.

    Raises `zipfile.BadZipFile` for whatever is not as Keras writes it.
    """
    try:
        archive = zipfile.ZipFile(raw)
        member = archive.getinfo(_MEMBERS[idx_name])
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise zipfile.BadZipFile(f"{member.filename} is packed in another way")
        stream = archive.open(member)
    # What `zipfile` raises for a missing, encrypted or unknown kind of member, and for damaged tables.
    except (KeyError, RuntimeError, ValueError, struct.error) as error:
        raise zipfile.BadZipFile(f"no array for {idx_name}") from error
    with archive, stream:
        yield _read_header(stream), stream


def _read_header(stream: IO[bytes]) -> tuple[int, ...]:
    prefix = stream.read(10)
    if prefix[:8] != b"\x93NUMPY\x01\x00" or len(prefix) < 10:
        raise zipfile.BadZipFile("not an array of .npy format 1.0")
    length = int.from_bytes(prefix[8:], "little")
    header = _HEADER.fullmatch(stream.read(min(length, _LONGEST_HEADER)))
    if header is None:
        raise zipfile.BadZipFile("not an array of unsigned bytes")
    return tuple(int(number) for number in header[1].split(b", "))
