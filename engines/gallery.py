"""The pictures that a run's events hold: its mistakes, and its first layer's filters then and now."""

import base64
import binascii

import msgspec

from engines.catalog import IMAGE_SIZE
from engines.events import Filters, Mistakes

IMAGE_BYTES = IMAGE_SIZE * IMAGE_SIZE
MOST_IMAGES = 4_000
"""More than several attempts show; what comes beyond is not kept, so that no file can fill the memory."""


class Mistake(msgspec.Struct, frozen=True):
    """A test image (784 bytes; None where the record lacks it) that was taken for another class."""

    index: int
    label: int
    prediction: int
    confidence: float | None
    image: bytes | None


class Gallery:
    """What was shown last; `mistakes` are those of `epoch`, the worst first, of `mistake_count` in all."""

    def __init__(self) -> None:
        self.epoch: int | None = None
        self.mistake_count = 0
        self.mistakes: list[Mistake] = []
        self.first_filters: Filters | None = None
        self.filters: Filters | None = None
        self._images: dict[int, bytes] = {}

    def apply_mistakes(self, event: Mistakes) -> None:
        """Take the place of the mistakes before."""
        for index, image in zip(event.image_indices, decode_images(event.images), strict=False):
            if len(self._images) < MOST_IMAGES:
                self._images[index] = image
        told = zip(event.indices, event.labels, event.predictions, event.confidences, strict=False)
        self.mistakes = [Mistake(*known, self._images.get(known[0])) for known in told]
        self.epoch, self.mistake_count = event.epoch, event.count

    def apply_filters(self, event: Filters) -> None:
        """Take the place of the filters before; the first ever stay beside them."""
        if self.first_filters is None or event.layer != self.first_filters.layer:
            self.first_filters = event
        self.filters = event

    def begin_attempt(self, epochs_done: int) -> None:
        """Drop what an earlier attempt showed past the point where the next one began."""
        if self.epoch is not None and self.epoch > epochs_done:
            self.epoch, self.mistake_count, self.mistakes = None, 0, []
        if self.filters and self.filters.epoch > epochs_done:
            self.filters = self.first_filters

    def in_cell(self, label: int, prediction: int) -> list[Mistake]:
        """Give the mistakes in one cell of the confusion matrix, the worst first."""
        return [found for found in self.mistakes if (found.label, found.prediction) == (label, prediction)]


def decode_images(text: str) -> list[bytes]:
    """Give the images (784 bytes each) in base64 of N x 28 x 28 bytes; none where it is no base64."""
    data = decode_bytes(text)
    return [data[at : at + IMAGE_BYTES] for at in range(0, len(data) - IMAGE_BYTES + 1, IMAGE_BYTES)]


def decode_bytes(text: str) -> bytes:
    """Give the bytes in base64; none where it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
