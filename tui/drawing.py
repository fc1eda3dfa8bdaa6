"""Curves as lines of text. The one file that uses plotext, and only to draw: axes and values are set around it."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from types import ModuleType

from engines.left_out import left_out
from tui.lines import Line, fit, merge

QUADRANTS = "hd"
"""Four points in a cell, from blocks that terminal fonts have; where one lacks braille, there would be boxes."""

_IDLE_PARTS = (("plotext._doc.doc", "docs"), ("plotext._tests.run", "test"))
"""Modules of plotext that draw nothing, each with the one name that its package wants of it."""

_ROLE_AND_TEXT = re.compile(r"\x1b\[(?:0|38;5;(\d+))m([^\x1b]*)")


@dataclass(frozen=True)
class Curve:
    """A curve: points by rising x; a y that is no finite number breaks it.

    `marker` is `QUADRANTS`, or the character that stands for a point. `end` is what its last point says, in words.
    """

    points: Sequence[tuple[float, float]]
    role: str
    marker: str = QUADRANTS
    joined: bool = True
    end: str = ""


def import_plotext() -> None:
    """Import plotext now, so that the first curve need not wait for it, and only what draws of it.

    Its handbook, its own tests and Pillow take nine tenths of the import's time and more than half of its memory.
    """
    if "plotext" not in sys.modules:
        with left_out("PIL", stand_ins=tuple(_stand_in(*part) for part in _IDLE_PARTS)):
            import plotext  # noqa: F401 - what imports it next finds it


def _stand_in(name: str, wanted: str) -> ModuleType:
    module = ModuleType(name)
    setattr(module, wanted, None)
    return module


def draw_canvas(
    curves: Sequence[Curve], x_range: tuple[float, float], y_range: tuple[float, float], width: int, height: int
) -> list[Line]:
    """Draw `curves`, the last on top, in `height` lines of `width` cells, the ranges' ends in the outermost cells."""
    import_plotext()
    import plotext

    roles = sorted({curve.role for curve in curves})
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear.data()
    figure.plot_size(width, height).axes(False).canvas("default")
    for axis, limits in (("x", x_range), ("y", y_range)):
        figure.ruler(axis).ticks([])
        figure.ruler(axis).lim(*limits)
    for curve in curves:
        marker = plotext.marker(curve.marker, roles.index(curve.role))
        for stretch in _unbroken(curve.points):
            xs, ys = zip(*stretch, strict=True)
            signal = figure.signal(_near(xs, x_range), _near(ys, y_range), marker=marker)
            figure.draw(signal.lines(curve.joined))
    text: str = figure.build().string()
    return [_parse(line, roles, width) for line in text.split("\n")[:height]]


def _unbroken(points: Sequence[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """Give the stretches between gaps; plotext aborts the process on a NaN and raises on an infinity."""
    stretch: list[tuple[float, float]] = []
    for x, y in points:
        if isfinite(x) and isfinite(y):
            stretch.append((x, y))
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _near(values: Sequence[float], limits: tuple[float, float]) -> list[float]:
    """Bring what is far outside nearer; plotext walks a line cell by cell, visible or not."""
    low, high = limits
    span = high - low
    return [min(high + span, max(low - span, value)) for value in values]


def _parse(line: str, roles: list[str], width: int) -> Line:
    runs = [(text, roles[int(color)] if color else "text") for color, text in _ROLE_AND_TEXT.findall(line) if text]
    return fit(merge(runs), width)
