"""Where datasets can be downloaded from, and whether any of it answers."""

import os
import queue
import threading
import time

MIRROR_VARIABLE = "MNIST_TUI_MIRROR"
"""Names the environment variable that replaces the mirrors: `<its value>/<dataset>/<file>.gz` is asked instead."""

_MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    ),
}
_SMALLEST_FILE = "t10k-labels-idx1-ubyte.gz"


def mirrors(dataset: str) -> list[str]:
    """Give the addresses of the folders that hold a dataset's `.gz` files, in the order in which to try them."""
    if own := os.environ.get(MIRROR_VARIABLE):
        return [f"{own.rstrip('/')}/{dataset}"]
    return list(_MIRRORS.get(dataset, ()))


def mirror_reachable(dataset: str, timeout: float = 2.0) -> bool:
    """Tell within `timeout` seconds whether a mirror has the dataset; all are asked at once, nothing is downloaded."""
    until = time.monotonic() + timeout
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
    addresses = mirrors(dataset)
    for address in addresses:
        # Looking a name up has no time limit of its own, so it happens on threads that an exit does not wait for.
        threading.Thread(target=lambda url: answers.put(_answers(url, timeout)), args=(address,), daemon=True).start()
    try:
        return any(answers.get(timeout=max(0.0, until - time.monotonic())) for _ in addresses)
    except queue.Empty:
        return False


def _answers(address: str, timeout: float) -> bool:
    # Imported here because the first screen, which rarely needs it, would wait 40 ms for it.
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    try:
        request = Request(f"{address}/{_SMALLEST_FILE}", method="HEAD")
        with urlopen(request, timeout=timeout) as response:
            return bool(response.status == 200)
    except (OSError, HTTPException, ValueError):
        return False
