"""A sheet of 28 x 28 pixels and a soft, thick pen; pure, in pixels from the top left corner."""

from math import ceil, floor, hypot

from engines.catalog import IMAGE_SIZE

INK_RADIUS, EDGE_RADIUS = 0.9, 1.9
"""Up to the first the ink is full, beyond the second there is none: strokes as wide as MNIST's."""


Point = tuple[float, float]


class Canvas:
    """What has been drawn; the pen stands at `x`, `y` in the middle of a pixel, and draws as it is moved while down."""

    def __init__(self) -> None:
        self._pixels = bytearray(IMAGE_SIZE * IMAGE_SIZE)
        self.x = self.y = IMAGE_SIZE / 2 + 0.5
        self.is_down = False

    @property
    def pixels(self) -> bytes:
        """The image: 784 bytes, 255 full ink."""
        return bytes(self._pixels)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is drawn."""
        return not any(self._pixels)

    def clear(self) -> None:
        """Take a new sheet; the pen stays where it is, lifted."""
        self._pixels = bytearray(IMAGE_SIZE * IMAGE_SIZE)
        self.is_down = False

    def put_down(self) -> None:
        """Set the pen on the sheet, which leaves a dot."""
        self.is_down = True
        self._stroke((self.x, self.y), (self.x, self.y))

    def lift(self) -> None:
        """Take the pen off the sheet."""
        self.is_down = False

    def move_to(self, x: float, y: float) -> None:
        """Move the pen, no further than the sheet's edge; where it is down it draws a line."""
        x, y = (min(max(0.5, place), IMAGE_SIZE - 0.5) for place in (x, y))
        if self.is_down:
            self._stroke((self.x, self.y), (x, y))
        self.x, self.y = x, y

    def _stroke(self, begin: Point, end: Point) -> None:
        for row in _near(begin[1], end[1]):
            for column in _near(begin[0], end[0]):
                distance = _distance((column + 0.5, row + 0.5), begin, end)
                ink = (EDGE_RADIUS - distance) / (EDGE_RADIUS - INK_RADIUS)
                at = row * IMAGE_SIZE + column
                self._pixels[at] = max(self._pixels[at], round(255 * min(1.0, max(0.0, ink))))


def _near(a: float, b: float) -> range:
    low, high = floor(min(a, b) - EDGE_RADIUS), ceil(max(a, b) + EDGE_RADIUS)
    return range(max(0, low), min(IMAGE_SIZE, high))


def _distance(point: Point, begin: Point, end: Point) -> float:
    """Give how far `point` is from the stretch between two others."""
    along, down = end[0] - begin[0], end[1] - begin[1]
    x, y = point[0] - begin[0], point[1] - begin[1]
    squared = along * along + down * down
    part = min(1.0, max(0.0, (x * along + y * down) / squared)) if squared else 0.0
    return hypot(x - part * along, y - part * down)
