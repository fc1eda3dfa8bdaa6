"""The datasets as arrays: found or downloaded, verified, decoded with bounded memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageData:
    """A dataset in host memory: images are uint8, N x 28 x 28; labels are uint8 in 0..9, length N."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
