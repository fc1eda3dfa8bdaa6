"""The table of a sweep: a line for each combination, and below it one for each run of the chosen one."""

from collections.abc import Callable
from dataclasses import dataclass

from engines.run_reader import ALIVE
from engines.spec import RunSpec
from engines.sweep import Group, ranking
from tui import formats
from tui.headings import titled
from tui.lines import Line, columns, fit, shorten, width_of
from tui.status_marks import STATUS_MARKS, status_role
from tui.sweep_layout import SweepLook, chosen_group, chosen_run
from tui.sweep_strip import draw_strip, draw_strip_heading, strip_axis
from tui.sweep_view import SweepView

_LEAD, _GAP = 3, 2
_SHORTEST_NAME, _LONGEST_NAME = 14, 44
_NARROWEST_STRIP, _WIDEST_STRIP = 20, 80


@dataclass(frozen=True)
class _Column:
    """A column of the table; where there is no room, those of the highest `rank` are given up first."""

    head: str
    width: int
    rank: int
    text: Callable[[Group], str]
    role: str = "text"


_COLUMNS = (
    _Column("runs", 7, 0, lambda group: f"{group.completed}/{group.runs}"),
    _Column("test", 9, 0, lambda group: formats.percent(group.mean), "strong"),
    _Column("+-", 6, 0, lambda group: formats.spread(group.spread)),
    _Column("validation", 12, 1, lambda group: formats.percent(group.validation_mean), "strong"),
    _Column("+-", 6, 1, lambda group: formats.spread(group.validation_spread)),
    _Column("lowest", 9, 2, lambda group: formats.percent(group.lowest)),
    _Column("highest", 9, 2, lambda group: formats.percent(group.highest)),
    _Column("seconds", 9, 3, lambda group: formats.duration(group.seconds)),
)


def draw_table(view: SweepView, look: SweepLook, shown: range, width: int) -> list[Line]:
    """Draw a heading and a line for each combination that is `shown`, with its runs on one axis where there is room."""
    longest = max(len("combination"), *(width_of([(name, "text")]) for name in view.names))
    name_width = min(longest, _LONGEST_NAME)
    cells = _columns_for(view, width - _LEAD - min(name_width, _SHORTEST_NAME))
    room = width - _LEAD - sum(cell.width for cell in cells)
    name_width = min(name_width, room)
    strip = min(_WIDEST_STRIP, room - name_width - _GAP)
    strip = strip if strip >= _NARROWEST_STRIP else 0
    axis = strip_axis([accuracy for specs in view.sweep.alike for accuracy in _accuracies(view, specs)])
    heading = (
        "combination" if len(shown) == len(view.groups) else f"{shown[0] + 1}-{shown[-1] + 1} of {len(view.groups)}"
    )
    head = columns([("", _LEAD, "muted"), (heading, name_width, "muted")])
    head += columns((cell.head, -cell.width, "muted") for cell in cells)
    lines = [[*head, (" " * _GAP, "text"), *draw_strip_heading(axis, strip)]]
    best, here = next(iter(ranking(view.groups)), None), chosen_group(view, look)
    for at in shown:
        group, specs = view.groups[at], view.sweep.alike[at]
        is_best = at == best and len(view.groups) > 1
        lead: Line = [("▸ " if at == here else "  ", "key"), ("★" if is_best else " ", "right")]
        role = "strong" if at == here else "right" if is_best else "text"
        name = fit(shorten([(view.names[at], role)], name_width), name_width)
        figures = columns((cell.text(group), -cell.width, _role(view, cell, specs)) for cell in cells)
        drawn = draw_strip(_accuracies(view, specs), group.mean, _live_accuracies(view, specs), axis, strip)
        lines.append([*lead, *name, *figures, (" " * _GAP, "text"), *drawn])
    return [fit(line, width) for line in lines]


def draw_runs(view: SweepView, look: SweepLook, shown: range, width: int) -> list[Line]:
    """Draw a heading and a line for each run that is `shown` of the chosen combination."""
    group = chosen_group(view, look)
    specs, here = view.sweep.alike[group], chosen_run(view, look)
    some = "" if len(shown) == len(specs) else f", {shown[0] + 1}-{shown[-1] + 1} of {len(specs)}"
    lines = [titled([(f"runs of {view.names[group]}{some}" if view.sweep.varied else f"runs{some}", "title")], width)]
    seed_width = max(len(f"seed {spec.seed}") for spec in specs) + _GAP
    for at in shown:
        lead: Line = [("▸ " if at == here else "  ", "key")]
        seed = (f"seed {specs[at].seed}", seed_width, "strong" if at == here else "text")
        lines.append(fit(shorten([*lead, *columns([seed]), *_run_words(view, specs[at])], width), width))
    return lines


def _columns_for(view: SweepView, room: int) -> list[_Column]:
    holds_out = any(group.validation_mean is not None for group in view.groups)
    cells = [cell for cell in _COLUMNS if cell.rank != 1 or holds_out]
    while sum(cell.width for cell in cells) > room and (last := max(cell.rank for cell in cells)):
        cells = [cell for cell in cells if cell.rank != last]
    return cells


def _role(view: SweepView, cell: _Column, specs: tuple[RunSpec, ...]) -> str:
    has_failed = cell.head == "runs" and any(spec in view.progress.reasons for spec in specs)
    return "wrong" if has_failed else cell.role


def _accuracies(view: SweepView, specs: tuple[RunSpec, ...]) -> list[float]:
    rows = (view.progress.rows.get(spec) for spec in specs)
    return [row.test_accuracy for row in rows if row and row.state == "completed" and row.test_accuracy is not None]


def _live_accuracies(view: SweepView, specs: tuple[RunSpec, ...]) -> list[float]:
    live = (view.live.get(spec) for spec in specs)
    return [run.test_accuracy for run in live if run and run.test_accuracy is not None]


def _run_words(view: SweepView, spec: RunSpec) -> Line:
    """Say of a run what it does or did, and why it failed."""
    reason = view.progress.reasons.get(spec, "")
    if live := view.live.get(spec):
        status = f"{STATUS_MARKS[live.status]} {live.status}"
        return [*columns([(status, 13, "right")]), *_figures(live.test_accuracy), (live.directory.name, "muted")]
    row = view.progress.rows.get(spec)
    if row is None:
        return [("✗ ", "wrong"), (reason, "text")] if reason else [("… to come", "muted")]
    role = status_role(row.state)
    status = f"{STATUS_MARKS[row.state]} {row.state}"
    took = "" if row.state in ALIVE else formats.duration(row.seconds)
    figures = [
        *columns([(status, 13, role)]),
        *_figures(row.test_accuracy),
        *columns([(took, -8, "text")]),
        ("  ", "text"),
    ]
    return [*figures, (reason, "text") if reason else (row.run_id, "muted")]


def _figures(accuracy: float | None) -> Line:
    return columns([(formats.percent(accuracy), -9, "strong"), ("", 2, "text")])
