"""The machine at work: the worker's CPU and memory, images a second, each GPU or that there is none, and the time."""

from collections.abc import Hashable, Sequence
from math import isfinite, nan
from typing import ClassVar

from engines.events import Gpu
from tui import formats
from tui.lines import Line, columns, cut_words, fit
from tui.view import View
from tui.widgets.header_pane import describe_device
from tui.widgets.pane import TitledPane, draw_waiting
from tui.widgets.time_lines import draw_time, draw_time_in_a_line

_LEVELS = "▁▂▃▄▅▆▇"
_ASCII_LEVELS = "_.-=+*#"
_LABEL_WIDTH, _VALUE_WIDTH = 9, 18
_MAX_SPARK = 60

Figure = tuple[str, str, Sequence[float]]
"""Its name, what it is now in words, and what it was, up to now."""


class MachinePane(TitledPane):
    """Figures with a line of their last minutes, and where the time goes."""

    HEADING = "machine"
    PERIOD: ClassVar[float] = 1.0

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        telemetry, state = view.state.telemetry, view.state
        last = telemetry[-1].seq if telemetry else view.waiting_for()
        return last, state.started is None, len(state.epochs), len(state.checkpoints), view.is_alive

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the figures."""
        return draw_machine(view, width, height)


def draw_machine(view: View, width: int, height: int) -> list[Line]:
    """Draw device, CPU, memory and speed, each GPU, and the time; in one line each where `height` has not room."""
    state = view.state
    if not state.telemetry:
        return draw_waiting(view, width)
    told, last = state.telemetry, state.telemetry[-1]
    figures: list[Figure] = [
        ("cpu", _share_of_a_core(last.cpu_percent), [nan if t.cpu_percent is None else t.cpu_percent for t in told]),
        ("memory", formats.size(last.memory), [float(t.memory) for t in told]),
        ("speed", formats.rate(state.throughput.last(), "images"), [point.mean for point in state.throughput]),
    ]
    lines = [
        _labelled("device", describe_device(view).removeprefix("device: "), width),
        *(_draw_figure(one, view, width) for one in figures),
    ]
    short = [_draw_gpu(view, at, width) for at in range(len(last.gpus))]
    full = [line for at in range(len(last.gpus)) for line in _draw_gpu_in_full(view, at, width)]
    time = draw_time(view, width)
    has_room = len(lines) + len(full) + 1 <= height
    lines += (full if has_room else short) or [_labelled("gpu", "none in this machine", width)]
    lines += [[], *time] if time and len(lines) + 1 + len(time) <= height else draw_time_in_a_line(view, width)
    return lines[:height]


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


def _share_of_a_core(percent: float | None) -> str:
    return formats.MISSING if percent is None else f"{percent:.0f} % of a core"


def _labelled(label: str, words: str, width: int) -> Line:
    return fit(columns([(label, _LABEL_WIDTH, "muted"), (words, 0, "text")]), width)


def _draw_figure(figure: Figure, view: View, width: int) -> Line:
    label, value, values = figure
    spark = draw_sparkline(values, min(_MAX_SPARK, width - _LABEL_WIDTH - _VALUE_WIDTH), ascii_only=view.ascii_only)
    return fit(columns([(label, _LABEL_WIDTH, "muted"), (value, _VALUE_WIDTH, "text"), (spark, 0, "bar")]), width)


def _draw_gpu(view: View, index: int, width: int) -> Line:
    words: list[Line] = [[(value, "text")] for _, value, _ in _figures_of(view, index)]
    words.append([(view.state.telemetry[-1].gpus[index].name, "muted")])
    return [*columns([(f"gpu {index}", _LABEL_WIDTH, "muted")]), *cut_words(words, width - _LABEL_WIDTH)]


def _draw_gpu_in_full(view: View, index: int, width: int) -> list[Line]:
    name = _labelled(f"gpu {index}", view.state.telemetry[-1].gpus[index].name, width)
    return [name, *(_draw_figure(figure, view, width) for figure in _figures_of(view, index))]


def _figures_of(view: View, index: int) -> list[Figure]:
    """Give what GPU `index` tells of itself; a counter that it has not got is left out."""
    history = [t.gpus[index] if index < len(t.gpus) else None for t in view.state.telemetry]
    gpu = view.state.telemetry[-1].gpus[index]
    figures: list[Figure] = []
    if gpu.utilization is not None:
        figures.append((" use", f"{gpu.utilization:.0%} busy".replace("%", " %"), _past(history, "utilization")))
    if gpu.memory_used is not None:
        used, total = formats.size(gpu.memory_used), formats.size(gpu.memory_total)
        figures.append((" memory", f"{used} of {total}", _past(history, "memory_used")))
    if gpu.memory_run is not None:
        figures.append((" this run", f"{formats.size(gpu.memory_run)} of it", _past(history, "memory_run")))
    if gpu.temperature is not None:
        figures.append((" heat", f"{gpu.temperature:.0f} °C", _past(history, "temperature")))
    if gpu.power is not None:
        figures.append((" power", f"{gpu.power:.0f} W", _past(history, "power")))
    return figures


def _past(history: Sequence[Gpu | None], name: str) -> list[float]:
    values = [getattr(gpu, name) if gpu else None for gpu in history]
    return [nan if value is None else float(value) for value in values]
