"""What is read from an IDX file is the official file, whole, or a fault that says what is wrong with it."""

import gzip
import io
import os
import socket
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_dataset import CONTENTS, FILES, PACKED

from engines.idx import IdxFault, encode_header, parse_header, read_pieces, read_start, verify

IMAGES, LABELS = FILES[0], FILES[1]
IMAGE_CONTENT, LABEL_CONTENT = CONTENTS[IMAGES.name], CONTENTS[LABELS.name]
IMAGE_BYTES, LABEL_BYTES = IMAGE_CONTENT[16:], LABEL_CONTENT[8:]
PAGE = b"<!DOCTYPE html><html><body>Log in to the network</body></html>"


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 0x40]) + content[at + 1 :]


def npz(save=np.savez_compressed, **replaced):
    """Give the bytes of an archive as Keras leaves it, with the small dataset in it."""
    arrays = {
        "x_train": np.frombuffer(IMAGE_BYTES, np.uint8).reshape(IMAGES.shape),
        "y_train": np.frombuffer(LABEL_BYTES, np.uint8),
    }
    packed = io.BytesIO()
    save(packed, **(arrays | replaced))
    return packed.getvalue()


@given(st.binary(max_size=64))
def test_any_bytes_are_a_shape_or_a_fault(data):
    try:
        shape = parse_header(data)
    except IdxFault as fault:
        assert str(fault)
    else:
        assert data.startswith(encode_header(shape))


@given(st.lists(st.integers(0, 2**32 - 1), max_size=255).map(tuple), st.binary(max_size=8))
def test_a_header_gives_back_its_shape(shape, rest):
    assert parse_header(encode_header(shape) + rest) == shape


@pytest.mark.parametrize(
    "content",
    [IMAGE_CONTENT, gzip.compress(IMAGE_CONTENT), npz(), npz(np.savez)],
    ids=["plain", "gzip", "keras archive", "keras archive, stored"],
)
def test_a_right_file_gives_its_bytes_whatever_its_form_and_name(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert b"".join(read_pieces(path, IMAGES)) == IMAGE_BYTES
    assert read_start(path, IMAGES, 784) == IMAGE_BYTES[:784]
    assert read_start(path, IMAGES, 30 * 784) == IMAGE_BYTES


@pytest.mark.parametrize(
    ("expected", "content", "words"),
    [
        pytest.param(IMAGES, b"", "is empty", id="empty"),
        pytest.param(IMAGES, b"\0\0\x08", "cut short", id="a piece of the magic number"),
        pytest.param(IMAGES, IMAGE_CONTENT[:11], "cut short", id="a piece of the header"),
        pytest.param(IMAGES, IMAGE_CONTENT[:5_000], "4,984 of 15,680 bytes", id="cut"),
        pytest.param(IMAGES, PACKED[IMAGES.name][:80], "cut short", id="cut gzip"),
        pytest.param(IMAGES, gzip.compress(IMAGE_CONTENT[:5_000]), "4,984 of 15,680 bytes", id="gzip of a cut file"),
        pytest.param(IMAGES, flipped(IMAGE_CONTENT, 9_000), "not the official file", id="flipped"),
        pytest.param(IMAGES, gzip.compress(flipped(IMAGE_CONTENT, 9_000)), "not the official file", id="flipped, gzip"),
        pytest.param(IMAGES, IMAGE_CONTENT + b"\0", "too long", id="too long"),
        pytest.param(IMAGES, gzip.compress(IMAGE_CONTENT) * 2, "too long", id="gzip twice"),
        pytest.param(IMAGES, b"\x89PNG\r\n\x1a\n" + bytes(90), "magic number 0x89504e47", id="a picture"),
        pytest.param(IMAGES, b"\1" + IMAGE_CONTENT[1:], "magic number 0x01000803", id="not begun by zero"),
        pytest.param(IMAGES, b"\0\0\x0d\x03" + bytes(99), "magic number 0x00000d03", id="of floats"),
        pytest.param(IMAGES, LABEL_CONTENT, "1 dimensions, expected 3", id="labels for images"),
        pytest.param(LABELS, IMAGE_CONTENT, "3 dimensions|cut short", id="images for labels"),
        pytest.param(IMAGES, CONTENTS[FILES[2].name], "10 x 28 x 28, expected 20 x 28 x 28", id="count"),
        pytest.param(LABELS, encode_header((21,)) + bytes(21), "21, expected 20", id="count of labels"),
        pytest.param(
            LABELS, LABEL_CONTENT[:-1] + b"\x0a", "the label 10 at 19, expected 0 to 9", id="label out of range"
        ),
        pytest.param(IMAGES, PAGE, "is a web page", id="web page"),
        pytest.param(IMAGES, gzip.compress(b"\n " + PAGE), "is a web page", id="web page, gzip"),
        pytest.param(IMAGES, b"\x1f\x8b", "cut short", id="start of a gzip"),
        pytest.param(IMAGES, b"PK\x03\x04" + bytes(80), "damaged", id="start of a zip"),
        pytest.param(IMAGES, npz()[:-30], "damaged", id="cut archive"),
        pytest.param(IMAGES, npz(x_train=np.zeros((20, 28, 27), np.uint8)), "wrong count", id="archive, other shape"),
        pytest.param(
            IMAGES, npz(x_train=np.zeros(IMAGES.shape, np.uint8)), "not the official", id="archive, other values"
        ),
        pytest.param(IMAGES, npz(x_train=np.zeros(IMAGES.shape)), "damaged", id="archive of floats"),
        pytest.param(IMAGES, npz(x_train=np.array([{}], object)), "damaged", id="archive with a pickle"),
    ],
)
def test_a_wrong_file_is_a_fault_that_says_what_is_wrong(tmp_path, expected, content, words):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(IdxFault, match=words):
        verify(path, expected)


def test_the_start_of_a_file_that_cannot_be_unpacked_is_a_fault(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(PACKED[IMAGES.name][: len(PACKED[IMAGES.name]) // 2])
    with pytest.raises(IdxFault, match="cannot be unpacked"):
        read_start(path, IMAGES, IMAGES.size)


def test_a_start_never_has_what_comes_after_the_array(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(IMAGE_CONTENT + bytes(9_999))
    assert read_start(path, IMAGES, 30 * 784) == IMAGE_BYTES


def test_an_archive_without_the_array_is_a_fault(tmp_path):
    path = tmp_path / "mnist.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with pytest.raises(IdxFault, match="damaged"):
        verify(path, IMAGES)


@pytest.mark.parametrize("content", [LABEL_CONTENT, PACKED[LABELS.name]], ids=["plain", "gzip"])
def test_no_cut_of_a_file_passes(tmp_path, content):
    path = tmp_path / "file"
    for end in range(len(content)):
        path.write_bytes(content[:end])
        with pytest.raises(IdxFault):
            verify(path, LABELS)


@pytest.mark.parametrize("content", [LABEL_CONTENT, PACKED[LABELS.name], npz()], ids=["plain", "gzip", "archive"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_are_a_fault_or_change_nothing(tmp_path, content, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "file"
    path.write_bytes(damaged)
    try:
        assert b"".join(read_pieces(path, LABELS)) == LABEL_BYTES
    except IdxFault as fault:
        assert str(fault)


@pytest.fixture
def bomb(tmp_path):
    """Give a gzip file of 260 KB that unpacks to a right header and 256 MB of zeros."""
    packer = zlib.compressobj(level=1, wbits=31)
    parts = [packer.compress(encode_header(IMAGES.shape))]
    parts += [packer.compress(bytes(1 << 20)) for _ in range(256)]
    path = tmp_path / "bomb.gz"
    path.write_bytes(b"".join([*parts, packer.flush()]))
    return path


@contextmanager
def memory_limit(limit):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_not_unpacked(bomb):
    with memory_limit(8 << 20), pytest.raises(IdxFault, match="too long"):
        verify(bomb, IMAGES)


def test_no_more_of_a_gzip_bomb_is_read_than_the_array_holds(bomb):
    with memory_limit(8 << 20):
        assert read_start(bomb, IMAGES, 1 << 40) == bytes(IMAGES.size)


def test_a_file_larger_than_any_copy_is_refused_unread(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(PACKED[IMAGES.name])
    os.truncate(path, 1 << 40)
    with pytest.raises(IdxFault, match=r"too long: 1,099,511,627,776 bytes"):
        verify(path, IMAGES)


def make_fifo(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(str(path))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "make",
    [make_fifo, make_socket, os.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to("gone")],
    ids=["fifo", "socket", "folder", "device", "link to nothing"],
)
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "file"
    make(path)
    with pytest.raises(IdxFault, match=r"not a regular file|cannot be read"):
        verify(path, IMAGES)
