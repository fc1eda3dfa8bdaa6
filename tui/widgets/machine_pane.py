"""The machine at work: the worker's CPU and memory, images a second, and each GPU, or that there is none."""

from collections.abc import Hashable, Sequence
from math import isfinite
from typing import ClassVar

from engines.events import Gpu
from tui import formats
from tui.lines import Line, columns, fit
from tui.view import View
from tui.widgets.header_pane import describe_device
from tui.widgets.pane import TitledPane, draw_waiting

_LEVELS = "▁▂▃▄▅▆▇"
_ASCII_LEVELS = "_.-=+*#"
_LABEL_WIDTH, _VALUE_WIDTH = 9, 16
_MAX_SPARK = 60


class MachinePane(TitledPane):
    """Figures with a line of their last minutes."""

    HEADING = "machine"
    PERIOD: ClassVar[float] = 1.0

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        telemetry = view.state.telemetry
        return telemetry[-1].seq if telemetry else view.waiting_for(), view.state.started is None

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the figures."""
        return draw_machine(view, width)


def draw_machine(view: View, width: int) -> list[Line]:
    """Draw device, CPU, memory and speed, then each GPU."""
    state = view.state
    if not state.telemetry:
        return draw_waiting(view, width)
    last = state.telemetry[-1]
    speeds = [point.mean for point in state.throughput]
    rows = [
        ("cpu", f"{last.cpu_percent:.0f} % of a core", [float(t.cpu_percent) for t in state.telemetry]),
        ("memory", formats.size(last.memory), [float(t.memory) for t in state.telemetry]),
        ("speed", formats.rate(state.throughput.last(), "images"), speeds),
    ]
    lines = [fit(columns([("device", _LABEL_WIDTH, "muted"), (describe_device(view), 0, "text")]), width)]
    spark_width = min(_MAX_SPARK, width - _LABEL_WIDTH - _VALUE_WIDTH - 2)
    for label, value, values in rows:
        spark = draw_sparkline(values, spark_width, ascii_only=view.ascii_only)
        cells = [(label, _LABEL_WIDTH, "muted"), (value, _VALUE_WIDTH + 2, "text"), (spark, 0, "bar")]
        lines.append(fit(columns(cells), width))
    lines += [fit(_draw_gpu(at, gpu), width) for at, gpu in enumerate(last.gpus)]
    if not last.gpus:
        lines.append(fit(columns([("gpu", _LABEL_WIDTH, "muted"), ("none in this machine", 0, "text")]), width))
    return lines


def draw_sparkline(values: Sequence[float], width: int, *, ascii_only: bool = False) -> str:
    """Draw the last `width` values as one line of bars between 0 and the greatest; a gap is a space."""
    shown = list(values)[-max(0, width) :] if width > 0 else []
    levels = _ASCII_LEVELS if ascii_only else _LEVELS
    most = max((value for value in shown if isfinite(value)), default=0.0)
    if most <= 0:
        return levels[0] * len(shown)
    return "".join(
        levels[min(len(levels) - 1, max(0, int(value / most * len(levels))))] if isfinite(value) else " "
        for value in shown
    )


def _draw_gpu(index: int, gpu: Gpu) -> Line:
    figures = [
        "" if gpu.utilization is None else f"{gpu.utilization:.0%} busy".replace("%", " %"),
        "" if gpu.memory_used is None else f"{formats.size(gpu.memory_used)} of {formats.size(gpu.memory_total)}",
        "" if gpu.temperature is None else f"{gpu.temperature:.0f} °C",
        "" if gpu.power is None else f"{gpu.power:.0f} W",
    ]
    words = ", ".join(filter(None, [gpu.name, *figures]))
    return columns([(f"gpu {index}", _LABEL_WIDTH, "muted"), (words, 0, "text")])
