"""A dataset of thirty images under MNIST's name, so that loading and downloading can be tested without the real one."""

import gzip
import hashlib

from engines import dataset_files
from engines.idx import IdxFile, encode_header

TRAIN_SIZE, TEST_SIZE = 20, 10


def _file(name, shape, values):
    content = encode_header(shape) + bytes(values)
    return IdxFile(name, shape, hashlib.md5(content).hexdigest()), content


_MADE = [
    _file(dataset_files.TRAIN_IMAGES, (TRAIN_SIZE, 28, 28), (at * 7 % 251 for at in range(TRAIN_SIZE * 784))),
    _file(dataset_files.TRAIN_LABELS, (TRAIN_SIZE,), (at % 10 for at in range(TRAIN_SIZE))),
    _file(dataset_files.TEST_IMAGES, (TEST_SIZE, 28, 28), (at * 11 % 253 for at in range(TEST_SIZE * 784))),
    _file(dataset_files.TEST_LABELS, (TEST_SIZE,), (9 - at for at in range(TEST_SIZE))),
]
FILES = tuple(file for file, _ in _MADE)
CONTENTS = {file.name: content for file, content in _MADE}
PACKED = {name: gzip.compress(content, mtime=0) for name, content in CONTENTS.items()}


def install(monkeypatch, tmp_path):
    """Make `mnist` the small dataset, on a machine where no other program has left anything; give a data folder."""
    monkeypatch.setitem(dataset_files.IDX_FILES, "mnist", FILES)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    for variable in ("MNIST_TUI_DATA_DIR", "MNIST_TUI_MIRROR", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "data"


def write(folder, *names):
    """Write the gzipped files (those named, else all) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or PACKED:
        (folder / f"{name}.gz").write_bytes(PACKED[name])
