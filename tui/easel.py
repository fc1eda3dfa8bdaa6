"""Drawing a digit and its ten probabilities, as lines: pure functions of the sheet and of the last answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Region

from engines.catalog import IMAGE_SIZE
from engines.gallery import decode_images
from engines.inquiry import Answer
from tui import formats
from tui.canvas import Canvas
from tui.digits import BARS, ImageStyle, draw_image
from tui.lines import Line, columns, fit, justify, merge, overlay, wrap

_HEADER_HEIGHT = 2
_SIDE_WIDTH, _WIDEST_SIDE = 26, 72
_GAP = 3


@dataclass(frozen=True)
class Easel:
    """All that is seen: `title` names the run, `framing` says how a drawing is brought to the network's form."""

    title: str
    class_names: Sequence[str]
    framing: str
    canvas: Canvas
    answer: Answer | None
    style: ImageStyle
    has_pen: bool


def sheet_region(width: int, height: int) -> Region:
    """Give where the sheet lies on a screen of this size, without its frame: as large as leaves room for the rest."""
    room = min(height - _HEADER_HEIGHT - 2, (width - _SIDE_WIDTH - _GAP - 2) // 2, 3 * IMAGE_SIZE // 2)
    whole = IMAGE_SIZE // 2
    rows = room // whole * whole if room >= whole else max(4, room)
    return Region(1, _HEADER_HEIGHT + 1, 2 * rows, rows)


def draw_easel(easel: Easel, width: int, height: int) -> list[Line]:
    """Draw the sheet in its frame, and the answer beside it."""
    sheet = sheet_region(width, height)
    left = [
        [("┌" + "─" * sheet.width + "┐", "rule")],
        *([("│", "rule"), *line, ("│", "rule")] for line in draw_sheet(easel, sheet.width, sheet.height)),
        [("└" + "─" * sheet.width + "┘", "rule")],
    ]
    side = min(width - sheet.width - 2 - _GAP, _WIDEST_SIDE)
    right = draw_answer(easel, side, height - _HEADER_HEIGHT)
    left += [[]] * (len(right) - len(left))
    right += [[]] * (len(left) - len(right))
    answer = easel.answer
    when = f"checkpoint: epoch {answer.epoch}, step {answer.step:,}" if answer and answer.probabilities else ""
    what = "Draw a digit" if len(easel.class_names[0]) == 1 else "Draw something"
    title = justify([(what, "title"), (f"  for {easel.title}", "muted")], [(when, "muted")], width)
    beside = sheet.width + 2 + _GAP
    return [title, [], *([*fit(a, beside), *b] for a, b in zip(left, right, strict=True))]


def draw_sheet(easel: Easel, width: int, height: int) -> list[Line]:
    """Draw the sheet, with the pen where the keys move it."""
    canvas = easel.canvas
    lines = [fit(line, width) for line in draw_image(canvas.pixels, width, height, easel.style)]
    if canvas.is_empty:
        for at, words in enumerate(("draw here: with the mouse,", "or arrows and space")):
            lines[height // 3 + at] = fit([(words.center(width), "muted")], width)
    if easel.has_pen:
        x, y = int(canvas.x * width / IMAGE_SIZE), int(canvas.y * height / IMAGE_SIZE)
        lines[y] = overlay(lines[y], x, "●" if canvas.is_down else "○", "call")
    return lines


def draw_answer(easel: Easel, width: int, height: int) -> list[Line]:
    """Draw the ten probabilities, and below them the image as the network saw it."""
    answer = easel.answer
    if answer and answer.problem:
        return [[], *([(line, "warning")] for line in wrap(answer.problem, width))]
    probabilities = list(answer.probabilities) if answer and not easel.canvas.is_empty else []
    lines = [_say_answer(easel, probabilities, width), [], *_draw_bars(easel, probabilities, width)]
    words = [[(line, "muted")] for line in wrap(f"as the network sees it: {easel.framing}", width)]
    room = min(IMAGE_SIZE // 2, height - len(lines) - len(words) - 2)
    if answer and probabilities and room >= 4:
        seen = decode_images(answer.seen)[:1]
        lines += [[], *words, *(line for image in seen for line in draw_image(image, 2 * room, room, easel.style))]
    elif height > len(lines) + len(words):
        lines += [[], *words]
    return lines


def _say_answer(easel: Easel, probabilities: list[float], width: int) -> Line:
    if not probabilities:
        return fit([("nothing is drawn yet" if easel.canvas.is_empty else "asking ...", "muted")], width)
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    name = easel.class_names[best] if best < len(easel.class_names) else str(best)
    sure = formats.percent(probabilities[best], 1)
    return fit([("taken for ", "text"), (name, "chosen"), (f"  {sure} sure", "muted")], width)


def _draw_bars(easel: Easel, probabilities: list[float], width: int) -> list[Line]:
    names = [name[:12] for name in easel.class_names]
    name_width = max(map(len, names)) + 1
    length = max(4, width - name_width - 2 - 9)
    best = max(probabilities, default=1.0)
    full, rest = BARS[easel.style]
    lines = []
    for at, name in enumerate(names):
        share = probabilities[at] if at < len(probabilities) else 0.0
        is_best = bool(probabilities) and share == best
        filled = round(share * length)
        role = "chosen" if is_best else "text"
        start = columns([("▸ " if is_best else "  ", 2, "chosen"), (name, name_width, role)])
        number = formats.percent(share, 1) if probabilities else ""
        bar: Line = [(full * filled, "chosen" if is_best else "bar"), (rest * (length - filled), "rest")]
        lines.append(merge([*start, *bar, (f"{number:>9}", role)]))
    return lines
