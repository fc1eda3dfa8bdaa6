"""The test images that an evaluation got wrong, the most confident mistakes first: a bounded choice of them."""

import base64

import numpy as np
from numpy.typing import NDArray

from engines.catalog import CLASS_COUNT
from engines.datasets import ImageData
from engines.engine import Evaluation
from engines.events import Mistakes

MOST_MISTAKES = 200
WORST = 40
"""So many are the most confident of all; after them each cell of the confusion matrix has its turn."""

MOST_IMAGES = 1_200
"""So many different images are shown in one attempt: 1.25 MB of its events, however long it is."""


class WorstMistakes:
    """Chooses from the test images of `data`; each image is in one event of an attempt, the first that names it."""

    def __init__(self, data: ImageData) -> None:
        self._images = data.test_images
        self._labels = data.test_labels.astype(np.int64)
        self._shown: set[int] = set()

    def found(self, evaluation: Evaluation, epoch: int) -> Mistakes:
        """Give the event that tells of the mistakes in `evaluation` of the whole test set."""
        wrong = np.flatnonzero(evaluation.predictions != self._labels)
        chosen = choose(wrong, self._labels, evaluation.predictions, evaluation.confidences).tolist()
        new = [index for index in chosen if index not in self._shown][: MOST_IMAGES - len(self._shown)]
        self._shown.update(new)
        chosen = [index for index in chosen if index in self._shown]
        return Mistakes(
            epoch=epoch,
            count=len(wrong),
            indices=chosen,
            labels=self._labels[chosen].tolist(),
            predictions=evaluation.predictions[chosen].tolist(),
            confidences=[round(float(confidence), 6) for confidence in evaluation.confidences[chosen]],
            image_indices=new,
            images=base64.b64encode(self._images[new].tobytes()).decode(),
        )


def choose(
    wrong: NDArray[np.int64],
    labels: NDArray[np.int64],
    predictions: NDArray[np.int64],
    confidences: NDArray[np.float32],
) -> NDArray[np.int64]:
    """Give at most `MOST_MISTAKES` of the indices in `wrong`, the most confident first.

    These are the worst `WORST`, then the worst of each cell (label, prediction), the second of each, and so on.
    """
    ordered = wrong[np.lexsort((wrong, -confidences[wrong]))]  # NaN comes last.
    cells = labels[ordered] * CLASS_COUNT + predictions[ordered]
    by_cell = np.argsort(cells, kind="stable")
    turns = np.empty(len(ordered), np.int64)
    turns[by_cell] = np.arange(len(ordered)) - np.searchsorted(cells[by_cell], cells[by_cell])
    turns[:WORST] = -1
    return ordered[np.sort(np.argsort(turns, kind="stable")[:MOST_MISTAKES])]
