"""What the launcher shows of a choice, as lines of text: the model's layers, the dataset's images, runs made before."""

from collections.abc import Sequence

from engines.catalog import IMAGE_SIZE
from engines.models import Model
from engines.runs import RunSummary
from tui import formats
from tui.digits import ImageStyle, common_margin, draw_image
from tui.lines import Line, columns, fit, width_of
from tui.status_marks import status_role

_GAP = 2
_SMALLEST_IMAGE = 5


def model_lines(model: Model, framework: str, width: int) -> list[Line]:
    """Draw a line for each layer of `model`: what it is, the shape that leaves it, what it learns; then the sum."""
    widths = (16, max(8, min(14, width - 27)), -11) if width >= 35 else (15, 9, -7)
    rows = [
        (row.title, formats.shape(list(row.shape)), formats.count(row.parameter_count))
        for row in model.table(framework)
    ]
    total = formats.count(model.parameter_count(framework))
    lines = [
        columns(
            zip(("layer", "output", "parameters" if width >= 35 else "params"), widths, ("muted",) * 3, strict=True)
        )
    ]
    lines += [columns(zip(row, widths, ("text", "muted", "text"), strict=True)) for row in rows]
    lines += [columns(zip(("in all", "", total), widths, ("muted", "muted", "strong"), strict=True))]
    return [fit(line, width) for line in lines]


def image_lines(
    images: Sequence[tuple[bytes, int]], class_names: Sequence[str], style: ImageStyle, width: int, height: int
) -> list[Line]:
    """Draw as many of `images` as there is room for, side by side, each over the name of its class."""
    across, down, rows = arrange(width, height)
    margin = common_margin([image for image, _ in images])
    cell = width // across
    lines: list[Line] = []
    for first in range(0, across * down, across):
        strip = images[first : first + across]
        drawings = [draw_image(image, 2 * rows, rows, style, margin) for image, _ in strip]
        for row in range(rows):
            lines.append([run for drawing in drawings for run in _centred(drawing[row], cell)])
        lines.append([run for _, label in strip for run in _centred([(class_names[label], "muted")], cell)])
    return lines[:height]


def arrange(width: int, height: int) -> tuple[int, int, int]:
    """Give how many images go across and down, and the rows of each, so that they fill the most of the space.

    An image is twice as wide as it is high, and one more row names it.
    """
    fitting = [
        (max(1, width // (2 * rows + _GAP)), max(1, height // (rows + 1)), rows)
        for rows in range(min(_SMALLEST_IMAGE, max(1, height - 1)), min(IMAGE_SIZE // 2, height - 1) + 1)
    ]
    return max(fitting, key=lambda fit: fit[0] * fit[1] * fit[2] ** 2, default=(1, 1, 1))


def _centred(line: Line, width: int) -> Line:
    left = max(0, width - width_of(line)) // 2
    return fit([(" " * left, "text"), *line], width)


def run_line(run: RunSummary, now: float, width: int) -> Line:
    """Draw a run in one line: its state, what it trains, how well, and when it began before `now` (Unix seconds)."""
    age = formats.ago(now - run.started) if run.started is not None else ""
    widths = (10, max(10, width - 31), -9, -12)
    cells = (run.state, run_title(run), formats.percent(run.best_test_accuracy), age)
    return fit(columns(zip(cells, widths, (status_role(run.state), "text", "strong", "muted"), strict=True)), width)


def run_title(run: RunSummary) -> str:
    """Give what a run trains, or where its spec cannot be read its name."""
    return run.spec.title if run.spec else run.run_id
