"""IDX, the file format of MNIST and its kin: what a file should be, and reading one without trusting it."""

import math
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import msgspec

from engines.catalog import CLASS_COUNT

PIECE_SIZE = 1_000 * 784
"""Bytes that are in memory at a time: a thousand images."""

# The largest honest copy, an uncompressed archive of all four arrays, has 55 MB.
_LARGEST_FILE = 64 << 20
_UNSIGNED_BYTES = 8


class IdxFault(Exception):  # noqa: N818 - it names what is wrong with a file
    """What is wrong with a file, in words that go on from its name: "is empty"."""


class IdxFile(msgspec.Struct, frozen=True):
    """A file as it should be: its name without `.gz`, its array's shape, the MD5 of its uncompressed bytes."""

    name: str
    shape: tuple[int, ...]
    md5: str

    @property
    def size(self) -> int:
        """Give the bytes of the array, which are those of the file less its header."""
        return math.prod(self.shape)


def encode_header(shape: tuple[int, ...]) -> bytes:
    """Give the bytes before an array of unsigned bytes: magic number (type, dimensions), then each dimension."""
    return struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTES, len(shape), *shape)


def parse_header(data: bytes) -> tuple[int, ...]:
    """Give the shape of the array of unsigned bytes that begins in `data`; raises `IdxFault`."""
    if not data:
        raise IdxFault("is empty")
    if data.lstrip().startswith(b"<"):
        raise IdxFault("is a web page, not data")
    if len(data) < 4:
        raise IdxFault(f"is cut short: {len(data)} bytes are no IDX header")
    zero, kind, dimensions = struct.unpack_from(">HBB", data)
    if zero != 0 or kind != _UNSIGNED_BYTES:
        raise IdxFault(f"has the wrong magic number 0x{data[:4].hex()}, not that of an IDX file of bytes")
    if len(data) < 4 + 4 * dimensions:
        raise IdxFault(f"is cut short: its header names {dimensions} dimensions and ends before them")
    return struct.unpack_from(f">{dimensions}I", data, 4)


def read_pieces(path: Path, expected: IdxFile) -> Iterator[bytes]:
    """Yield the array's bytes in order, at most `PIECE_SIZE` at a time, from a plain, gzipped or Keras's file.

    Raises `IdxFault` where the file is not `expected`, for some faults only after the last piece: a caller takes all
    of them before it trusts one. No more is unpacked than the array should hold.
    """
    import hashlib  # As the others below: the first frame of the screen, which reads no dataset, waits for none.

    digest = hashlib.md5(encode_header(expected.shape), usedforsecurity=False)
    done = 0
    with _naming_faults(), _open_array(path, expected) as stream:
        while piece := stream.read(min(PIECE_SIZE, expected.size - done + 1)):
            if done + len(piece) > expected.size:
                raise IdxFault(f"is too long: it should hold {expected.size:,} bytes after its header and holds more")
            if len(expected.shape) == 1:
                _check_labels(piece, done)
            digest.update(piece)
            done += len(piece)
            yield piece
    if done < expected.size:
        raise IdxFault(f"is cut short: it holds {done:,} of {expected.size:,} bytes after its header")
    if digest.hexdigest() != expected.md5:
        raise IdxFault(f"is not the official file: its MD5 is {digest.hexdigest()}, not {expected.md5}")


def verify(path: Path, expected: IdxFile) -> None:
    """Read the whole file and keep nothing; raises `IdxFault` where it is not `expected`."""
    for _ in read_pieces(path, expected):
        pass


def read_start(path: Path, expected: IdxFile, count: int) -> bytes:
    """Read the first `count` bytes of the array, fewer where it has no more; raises `IdxFault`.

    Only its header is checked.
    """
    with _naming_faults(), _open_array(path, expected) as stream:
        return stream.read(min(count, expected.size))


@contextmanager
def _naming_faults() -> Iterator[None]:
    import gzip
    import zipfile
    import zlib

    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise IdxFault("is damaged or cut short, and cannot be unpacked") from error
    except zipfile.BadZipFile as error:
        raise IdxFault("is damaged, or not the archive that Keras leaves") from error
    except OSError as error:
        raise IdxFault(f"cannot be read ({error.strerror})") from error


@contextmanager
def _open_array(path: Path, expected: IdxFile) -> Iterator[IO[bytes]]:
    """Open the file behind its header, which is `expected`'s; what it is shows in its first bytes, not in its name."""
    import gzip

    from engines import keras_archive

    with _open_regular(path) as raw:
        start = raw.read(4)
        raw.seek(0)
        if start == keras_archive.MAGIC:
            with keras_archive.open_array(raw, expected.name) as (shape, member):
                _check_shape(shape, expected)
                yield member
            return
        with cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if start[:2] == b"\x1f\x8b" else raw as stream:
            _check_shape(parse_header(stream.read(len(encode_header(expected.shape)))), expected)
            yield stream


@contextmanager
def _open_regular(path: Path) -> Iterator[IO[bytes]]:
    # Opening a FIFO that nobody writes to would wait for ever, hence O_NONBLOCK.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as raw:
        status = os.fstat(raw.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise IdxFault("is not a regular file")
        if status.st_size > _LARGEST_FILE:
            raise IdxFault(f"is too long: {status.st_size:,} bytes, when no copy has more than {_LARGEST_FILE:,}")
        yield raw


def _check_shape(shape: tuple[int, ...], expected: IdxFile) -> None:
    if len(shape) != len(expected.shape):
        raise IdxFault(f"has the wrong magic number: {len(shape)} dimensions, expected {len(expected.shape)}")
    if shape != expected.shape:
        raise IdxFault(f"has the wrong count: {_times(shape)}, expected {_times(expected.shape)}")


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{length:,}" for length in shape)


def _check_labels(piece: bytes, first_index: int) -> None:
    if (largest := max(piece)) >= CLASS_COUNT:
        index = first_index + piece.index(largest)
        raise IdxFault(f"has the label {largest} at {index:,}, expected 0 to {CLASS_COUNT - 1}")
