"""A race as lines of text: what it is about, the curves of all runs on one set of axes, a table of what each did."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from engines import outlook
from engines.run_reader import ALIVE
from tui import axes, formats
from tui.chart import Chart
from tui.curve_points import Points, logarithms
from tui.drawing import QUADRANTS, Curve
from tui.headings import draw_title
from tui.lines import Line, columns, cut_words, fit, shorten, width_of
from tui.race import (
    MILESTONES,
    Clock,
    Lane,
    Metric,
    common_words,
    names_of,
    results,
    seconds_to,
    training,
    verdict,
)
from tui.status_marks import STATUS_MARKS, status_role

LANE_ROLES = ("lane0", "lane1", "lane2", "lane3", "lane4", "lane5")
METRICS: tuple[Metric, ...] = ("accuracy", "loss")
BESIDE_WIDTH = 110
"""From here on both charts are seen, side by side."""

_CLOCKS = {"seconds": "seconds of training", "epochs": "epochs"}
_GAP = 2
_CELLS_PER_LETTER = 8
_NAME_WIDTH = 30
"""Columns are given up for so much of the names; what the columns leave is theirs, more of it or less."""

_LEAD = 4
_MILESTONES = {f"to {milestone * 100:.0f} %": milestone for milestone in MILESTONES}
_CELLS = {"epoch": -9, "best": -9, **dict.fromkeys(_MILESTONES, -9), "images/s": -10, "state": 13}
"""The table's columns with their widths, the gap before them included; a negative one sets to the right."""


@dataclass(frozen=True)
class RaceLook:
    """How a race is looked at: its clock, the chart that was asked for, the run under the cursor."""

    clock: Clock = "seconds"
    metric: Metric = "accuracy"
    is_log: bool = False
    chosen: int = 0
    has_curves: bool = True
    ascii_only: bool = False


def draw_race(lanes: Sequence[Lane], look: RaceLook, width: int, height: int) -> list[Line]:
    """Draw everything in `height` lines of `width` cells."""
    clock: Line = [("h ", "key"), ("clock: ", "muted"), (f"{_CLOCKS[look.clock]}", "text")]
    what: Line = [("race  ", "chosen"), (common_words(lanes), "strong")]
    room = width - width_of(clock) - _GAP
    first: Line = [*fit(shorten(what, room), room), (" " * _GAP, "text"), *clock]
    head = [first, fit(shorten([(verdict(lanes), "text")], width), width)]
    table = draw_table(lanes, look, width)
    room = height - len(head) - len(table) - 2
    shown = METRICS if width >= BESIDE_WIDTH else (look.metric,)
    cells = (width - _GAP * (len(shown) - 1)) // len(shown)
    charts = [_titled_chart(lanes, metric, look, cells, room) for metric in shown]
    beside = [
        [piece for at, chart in enumerate(charts) for piece in ([(" " * _GAP, "text")] if at else []) + chart[row]]
        for row in range(room)
    ]
    return [*head, [], *beside, [], *table]


def draw_curves(lanes: Sequence[Lane], metric: Metric, look: RaceLook, width: int, height: int) -> list[Line]:
    """Draw one metric of all runs, each point of a run marked with its letter, or say what is waited for."""
    lines = [results(lane, metric, look.clock) for lane in lanes]
    tails = [training(lane, metric, look.clock) for lane in lanes]
    if metric == "loss" and look.is_log:
        lines, tails = ([logarithms(points) for points in each] for each in (lines, tails))
    if not any(lines) and not any(tails):
        waiting = [[], fit([("  the curves begin with the first batches", "muted")], width)]
        return waiting + [fit([], width)] * (height - len(waiting))
    curves = []
    for at, (lane, points, tail) in enumerate(zip(lanes, lines, tails, strict=True)):
        role = LANE_ROLES[at % len(LANE_ROLES)]
        if tail:
            curves.append(Curve(tail, role, "."))
        end = f"{lane.letter} {_describe(points[-1][1], metric, look)}" if points else ""
        curves.append(Curve(points, role, "+" if look.ascii_only else QUADRANTS, end=end))
        curves.append(Curve(_thinned(points, width), role, lane.letter, joined=False))
    values = [y for points in (*lines, *tails) for _, y in points]
    last = max((points[-1][0] for points in (*lines, *tails) if points), default=1.0)
    chart = Chart(curves, _x_axis(lanes, look, last), _y_axis(values, metric, look, height - 1))
    return chart.draw(width, height)


def draw_table(lanes: Sequence[Lane], look: RaceLook, width: int) -> list[Line]:
    """Draw a heading and a line for each run: what it is, how far, how well, and when it was where."""
    names = names_of(lanes)
    longest = max(len("run"), *(cell_len(name) for name in names)) if lanes else len("run")
    cells = dict(_CELLS)
    for name in _given_up(lanes):
        if sum(map(abs, cells.values())) <= width - _LEAD - min(_NAME_WIDTH, longest):
            break
        del cells[name]
    name_width = min(longest, width - _LEAD - sum(map(abs, cells.values())))
    head = [("", _LEAD, "muted"), ("run", name_width, "muted")]
    lines = [fit(columns(head + [_set(_head(name, lanes), wide, "muted") for name, wide in cells.items()]), width)]
    for at, (lane, name) in enumerate(zip(lanes, names, strict=True)):
        here = at == look.chosen
        line: Line = [("▸ " if here else "  ", "key"), (f"{lane.letter} ", LANE_ROLES[at % len(LANE_ROLES)])]
        line += fit(shorten([(name, "strong" if here else "text")], name_width), name_width)
        line += columns(_set(*_cell(lane, cell, wide)) for cell, wide in cells.items())
        lines.append(fit(line, width))
    return lines


def _given_up(lanes: Sequence[Lane]) -> list[str]:
    """Give the columns in the order in which they go where there is no room: first milestones that nobody reached."""
    reached = [name for name, one in _MILESTONES.items() if any(seconds_to(lane, one) is not None for lane in lanes)]
    return [*(name for name in reversed(_MILESTONES) if name not in reached), *reached, "images/s"]


def _head(name: str, lanes: Sequence[Lane]) -> str:
    """Give what a column is called: best is not the highest there was where held out images chose the epoch."""
    return "chosen" if name == "best" and any(lane.is_chosen_on_validation for lane in lanes) else name


def _set(text: str, width: int, role: str) -> tuple[str, int, str]:
    """Set a cell apart from the one before it."""
    return (" " * _GAP + text if width > 0 else text), width, role


def _cell(lane: Lane, name: str, width: int) -> tuple[str, int, str]:
    text, role = _text_in(lane, name)
    return text, width, role


def _text_in(lane: Lane, name: str) -> tuple[str, str]:
    match name:
        case "epoch":
            epochs = outlook.epochs_in_all(lane.state, lane.spec) if lane.spec else "?"
            place = lane.state.position
            return f"{place:.1f}/{epochs}" if lane.status in ALIVE else f"{place:.0f}/{epochs}", "text"
        case "best":
            return formats.percent(lane.best_accuracy), "strong"
        case "images/s":
            rate = lane.state.batch.images_per_second if lane.state.batch else None
            return "-" if rate is None else f"{rate:,.0f}", "text"
        case "state":
            return f"{STATUS_MARKS[lane.status]} {lane.status}", status_role(lane.status)
        case _:
            return formats.duration(seconds_to(lane, _MILESTONES[name])), "text"


def _titled_chart(lanes: Sequence[Lane], metric: Metric, look: RaceLook, width: int, height: int) -> list[Line]:
    named = zip(lanes, names_of(lanes), LANE_ROLES * 2, strict=False)
    words: list[Line] = [[(f"{lane.letter} {name}", role)] for lane, name, role in named]
    legend = cut_words(words, 10**6)
    if metric == "loss" and look.is_log:
        legend = [("log scale  ", "muted"), *legend]
    is_chosen = metric == look.metric
    title = draw_title(METRICS.index(metric) + 1, f"test {metric}", legend, width, is_chosen=is_chosen)
    body = draw_curves(lanes, metric, look, width, height - 1) if look.has_curves else []
    lines = [fit(line, width) for line in (title, *body)]
    return lines + [fit([], width)] * (height - len(lines))


def _describe(value: float, metric: Metric, look: RaceLook) -> str:
    if metric == "accuracy":
        return formats.percent(value)
    return formats.loss(10**value if look.is_log else value)


def _x_axis(lanes: Sequence[Lane], look: RaceLook, last: float) -> axes.Axis:
    if look.clock == "epochs":
        return axes.epoch_axis(last, max(outlook.epochs_in_all(lane.state, lane.spec) for lane in lanes))
    return axes.seconds_axis(last)


def _y_axis(values: Sequence[float], metric: Metric, look: RaceLook, rows: int) -> axes.Axis:
    if metric == "accuracy":
        return axes.accuracy_axis(values, rows)
    return axes.log_loss_axis(values) if look.is_log else axes.loss_axis(values, rows)


def _thinned(points: Points, width: int) -> Points:
    """Leave letters out where they would stand too close to see the line between them; never the last."""
    step = max(1, -(-len(points) * _CELLS_PER_LETTER // max(1, width)))
    return points[::-step][::-1]
