"""The handful of test images that a run watches as it learns."""

import base64

import numpy as np
from numpy.typing import NDArray

from engines.catalog import CLASS_COUNT
from engines.datasets import ImageData
from engines.engine import Engine
from engines.events import Samples

PER_CLASS = 2


class SampleImages:
    """Two test images of each class, first of each class first, and what an engine makes of them."""

    def __init__(self, data: ImageData) -> None:
        firsts = [np.flatnonzero(data.test_labels == label)[:PER_CLASS] for label in range(CLASS_COUNT)]
        self.indices: NDArray[np.int64] = np.array(
            [found[turn] for turn in range(PER_CLASS) for found in firsts if len(found) > turn], np.int64
        )
        self._labels = data.test_labels[self.indices].tolist()
        self._images = data.test_images[self.indices]

    def shown(self) -> Samples:
        """Give the event that shows the images, before anything is known of them."""
        text = base64.b64encode(self._images.tobytes()).decode()
        return Samples(indices=self.indices.tolist(), labels=self._labels, images=text)

    def predicted(self, engine: Engine, epoch: int, step: int) -> Samples:
        """Give the event that says what `engine` takes them for after `step` of `epoch`."""
        probabilities = engine.predict("test", self.indices)
        return Samples(
            indices=self.indices.tolist(),
            labels=self._labels,
            predictions=probabilities.argmax(1).tolist(),
            confidences=[float(confidence) for confidence in probabilities.max(1)],
            epoch=epoch,
            step=step,
        )
