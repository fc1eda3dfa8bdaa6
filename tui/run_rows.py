"""The rows of the table of runs: which match what is looked for, in which order, in which columns. Pure functions."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size

from engines.run_reader import ALIVE
from engines.runs import RunSummary
from tui import formats
from tui.choice_lines import run_title
from tui.lines import Line, Run, fit, width_of
from tui.plain import done_of
from tui.status_marks import STATUS_MARKS, status_role

MARK = "◆"
"""Stands before a run that is marked."""

_MARK_WIDTH = 2
_GAP = 2
_NARROWEST_TITLE, _TITLE = 17, 31
_EXTRA_RANK = 3
"""Columns of this rank and above are shown only where the titles have all the room that they need."""


@dataclass(frozen=True)
class Column:
    """A column: its heading, which names it, its width, and the value that it is sorted by.

    A negative width sets to the right. The order in `COLUMNS` is that of the screen, `rank` that in which they are
    given up where there is no room, the highest first.
    """

    name: str
    width: int
    rank: int
    value: Callable[[RunSummary], Any]

    @property
    def is_right(self) -> bool:
        """Tell whether it is set to the right, as numbers are; those are sorted from the highest down."""
        return self.width < 0


def _by_spec(name: str) -> Callable[[RunSummary], Any]:
    return lambda run: getattr(run.spec, name) if run.spec else None


COLUMNS = (
    Column("state", 11, 0, lambda run: run.state),
    Column("trains", _TITLE, 0, run_title),
    Column("name", 24, 2, lambda run: (run.name or " ".join(run.tags)).casefold() or None),
    Column("epochs", -8, 0, lambda run: run.epochs_done),
    Column("best", -8, 0, lambda run: run.best_test_accuracy),
    Column("took", -8, 3, lambda run: run.seconds),
    Column("an epoch", -8, 5, lambda run: run.epoch_seconds),
    Column("started", -10, 1, lambda run: run.started),
    Column("device", 7, 8, _by_spec("device")),
    Column("lr", -7, 6, _by_spec("lr")),
    Column("batch", -6, 7, _by_spec("batch_size")),
    Column("seed", -6, 4, _by_spec("seed")),
    Column("run", 44, 9, lambda run: run.run_id),
)
NEWEST_FIRST = ("started", True)


@dataclass(frozen=True)
class Look:
    """How the table is looked at: the run under the cursor, those that are marked, the column that sorts."""

    chosen: str = ""
    marked: Collection[str] = ()
    column: str = NEWEST_FIRST[0]
    is_descending: bool = NEWEST_FIRST[1]


def matching(runs: Sequence[RunSummary], words: str) -> list[RunSummary]:
    """Give the runs in which a word begins with each of `words`: in id, framework, model, dataset, state, name, tags.

    Only beginnings count, so that `nn` does not mean whatever is running.
    """
    wanted = [f" {word}" for word in words.casefold().split()]
    return [run for run in runs if all(word in _text_of(run) for word in wanted)] if wanted else list(runs)


def in_order(runs: Sequence[RunSummary], column: str, *, is_descending: bool) -> list[RunSummary]:
    """Sort runs, which come newest first, by a column; those without a value stay at the end, either way."""
    if column == NEWEST_FIRST[0]:
        return list(runs) if is_descending else list(reversed(runs))
    value = column_called(column).value
    valued = [(value(run), run) for run in runs]
    having = sorted(((a, run) for a, run in valued if a is not None), key=lambda pair: pair[0], reverse=is_descending)
    return [run for _, run in having] + [run for a, run in valued if a is None]


def summary_of(runs: Sequence[RunSummary], shown: int | None) -> str:
    """Say how many runs there are, how many alive and waiting, and how many of them are `shown` where not all."""
    alive, waiting = (sum(run.state in states for run in runs) for states in (ALIVE, {"queued"}))
    words = [formats.counted(len(runs), "run"), f"{alive} alive"]
    words += [f"{waiting} waiting"] if waiting else []
    words += [f"{shown:,} shown"] if shown is not None else []
    return ", ".join(words)


def columns_for(width: int) -> list[tuple[Column, int]]:
    """Give the columns that `width` cells have room for, each with its width; titles shrink before a column goes."""
    room, shown = width - _MARK_WIDTH, list(COLUMNS)
    while len(shown) > 4 and _least(shown) > room:
        shown.remove(max(shown, key=lambda column: column.rank))
    spare = max(0, room - _least(shown))
    return [
        (column, min(_TITLE, _title_width(shown) + spare) if column.name == "trains" else abs(column.width))
        for column in shown
    ]


def column_called(name: str) -> Column:
    """Give a column by its name."""
    return next(column for column in COLUMNS if column.name == name)


def column_at(x: int, width: int) -> str | None:
    """Give the column whose heading stands in cell `x` of a table `width` cells wide."""
    begin = _MARK_WIDTH
    for column, wide in columns_for(width):
        if begin <= x < begin + wide + _GAP:
            return column.name
        begin += wide + _GAP
    return None


def heading_line(look: Look, width: int) -> Line:
    """Draw the headings, the one that sorts with an arrow."""
    line: Line = [(" " * _MARK_WIDTH, "muted")]
    for column, wide in columns_for(width):
        sorts = column.name == look.column
        text = column.name + (" ▾" if look.is_descending else " ▴") * sorts
        line += [*_cell([(text, "chosen" if sorts else "muted")], wide, column.is_right), (" " * _GAP, "text")]
    return fit(line, width)


def run_lines(runs: Sequence[RunSummary], look: Look, now: float, width: int) -> list[Line]:
    """Draw a line for each run; `now` is in Unix seconds."""
    shown = columns_for(width)
    has_name_column = any(column.name == "name" for column, _ in shown)
    lines = []
    for run in runs:
        line: Line = [((MARK if run.run_id in look.marked else "").ljust(_MARK_WIDTH), "key")]
        for column, wide in shown:
            runs_of_text = _text_in(run, column.name, now, is_named_here=not has_name_column)
            line += [*_cell(runs_of_text, wide, column.is_right), (" " * _GAP, "text")]
        line = fit(line, width)
        lines.append([(text, "call") for text, _ in line] if run.run_id == look.chosen else line)
    return lines


def _text_in(run: RunSummary, column: str, now: float, *, is_named_here: bool) -> Line:  # noqa: PLR0911 - a table
    match column:
        case "state":
            return [(f"{STATUS_MARKS[run.state]} {run.state}", status_role(run.state))]
        case "trains":
            label = _label(run) if is_named_here else []
            return [*label, ("  " if label else "", "text"), (run_title(run), "muted" if label else "text")]
        case "name":
            return _label(run)
        case "epochs":
            return [(done_of(run), "text")]
        case "best":
            return [(formats.percent(run.best_test_accuracy) if run.best_test_accuracy is not None else "", "strong")]
        case "took":
            return [(formats.duration(run.seconds) if run.seconds is not None else "", "text")]
        case "an epoch":
            return [(formats.duration(run.epoch_seconds) if run.epoch_seconds is not None else "", "text")]
        case "started":
            return [(formats.ago(now - run.started) if run.started is not None else "", "muted")]
        case "run":
            return [(run.run_id, "muted")]
        case _:
            value = column_called(column).value(run)
            return [
                (formats.number(value) if isinstance(value, float) else "" if value is None else f"{value}", "text")
            ]


def _label(run: RunSummary) -> Line:
    tags: Line = [(f" #{tag}" if at or run.name else f"#{tag}", "key") for at, tag in enumerate(run.tags)]
    return [(run.name, "strong"), *tags] if run.name else tags


def _cell(text: Line, width: int, is_right: bool) -> Line:
    free = width - width_of(text)
    if free >= 0:
        space: Run = (" " * free, "text")
        return [space, *text] if is_right else [*text, space]
    cut: Line = []
    left = width - 1
    for piece, role in text:
        kept = piece if cell_len(piece) <= left else set_cell_size(piece, left)
        cut.append((kept, role))
        left -= cell_len(kept)
    return [*cut, ("…", "muted")]


def _title_width(columns: Sequence[Column]) -> int:
    return _TITLE if any(column.rank >= _EXTRA_RANK for column in columns) else _NARROWEST_TITLE


def _least(columns: Sequence[Column]) -> int:
    widths = (_title_width(columns) if column.name == "trains" else abs(column.width) for column in columns)
    return sum(widths) + _GAP * (len(columns) - 1)


def _text_of(run: RunSummary) -> str:
    tags = " ".join(f"#{tag}" for tag in run.tags)
    alive = "alive" if run.state in ALIVE else ""
    text = f" {run.run_id} {run_title(run)} {run.state} {alive} {run.name} {tags}".casefold()
    return text + text.replace("-", " ").replace("#", " ")
