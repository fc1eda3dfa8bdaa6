"""The choice of what to train next, over the live screen: framework, model, dataset, each stepped by its key."""

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.timer import Timer

from engines.catalog import DATASETS, FRAMEWORK_TITLES, FRAMEWORKS
from engines.models import MODELS
from engines.problems import StorageProblem
from engines.recipes import follow
from engines.runs import RunSummary
from engines.spec import RunSpec
from tui import formats
from tui.background import in_background
from tui.lines import Line, columns, shorten
from tui.messages import ChoiceSettled
from tui.run_index import RunIndex, best_of
from tui.screens.fresh_size import FreshSize
from tui.view import describe_spec
from tui.widgets.picture import Picture

CHOICES: dict[str, tuple[str, ...]] = {
    "framework": FRAMEWORKS,
    "model": tuple(MODELS),
    "dataset": tuple(DATASETS),
}
SETTLED_SECONDS = 1.0
_LABEL_WIDTH = 10
_REACHED_ROWS = 5
_REACHED_WIDTHS = (26, -9, -12)


@dataclass(frozen=True)
class Switch:
    """A run of `spec` is to be started; `stop_first` is whether the present one is stopped before."""

    spec: RunSpec
    stop_first: bool


class SwitcherScreen(FreshSize, ModalScreen[Switch | None]):
    """Is dismissed with what was chosen, or None; nothing happens before Enter or `b`."""

    DEFAULT_CSS = """
    SwitcherScreen {
        align: center middle;
        background: $background 40%;
        Picture {
            width: 66; max-width: 100%; height: 17; max-height: 100%;
            padding: 0 1; background: $surface; border: round $primary;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "step('framework', 1)", "framework"),
        Binding("m", "step('model', 1)", "model"),
        Binding("d", "step('dataset', 1)", "dataset"),
        Binding("F", "step('framework', -1)", show=False),
        Binding("M", "step('model', -1)", show=False),
        Binding("D", "step('dataset', -1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("left", "step_row(-1)", show=False),
        Binding("right", "step_row(1)", show=False),
        Binding("enter,y", "choose(True)", "start"),
        Binding("b", "choose(False)", "start beside"),
        Binding("escape,n", "leave", "back"),
    ]

    def __init__(self, present: RunSpec, row: str, *, is_alive: bool, index: RunIndex | None = None) -> None:
        super().__init__()
        self._index = index
        self._runs: list[RunSummary] | None = None
        self._is_alive = is_alive
        self._spec = step_spec(present, row, 1)
        self._row = row
        self._settling: Timer | None = None
        self._picture = _SwitcherPicture(self)

    def on_mount(self) -> None:
        """Have what is offered first made ready, too, and find out what each choice reached before."""
        self._wait_until_settled()
        self._read_runs()

    def compose(self) -> ComposeResult:
        """Lay out the choices."""
        yield self._picture

    def action_step(self, row: str, by: int) -> None:
        """Take the next value of `row`."""
        self._row, self._spec = row, step_spec(self._spec, row, by)
        self._wait_until_settled()
        self._picture.redraw()

    def action_step_row(self, by: int) -> None:
        """Take the next value of the row that was stepped last."""
        self.action_step(self._row, by)

    def action_move(self, by: int) -> None:
        """Go to another row."""
        rows = list(CHOICES)
        self._row = rows[(rows.index(self._row) + by) % len(rows)]
        self._picture.redraw()

    def action_choose(self, stop_first: bool) -> None:
        """Give what was chosen."""
        self.dismiss(Switch(self._spec, stop_first and self._is_alive))

    def action_leave(self) -> None:
        """Go back; nothing was chosen."""
        self.dismiss(None)

    def _wait_until_settled(self) -> None:
        if self._settling:
            self._settling.stop()
        self._settling = self.set_timer(SETTLED_SECONDS, lambda: self.post_message(ChoiceSettled(self._spec)))

    def lines(self, width: int, height: int) -> list[Line]:
        """Draw the choices as they are now."""
        lines = draw_switcher(self._spec, self._row, is_alive=self._is_alive)
        if self._index:
            room = height - len(lines) - 2  # One is empty, one the heading.
            lines += [[], *reached_lines(self._runs, self._spec, self._row, min(_REACHED_ROWS, room))]
        return [shorten(line, width) for line in lines]

    @work
    async def _read_runs(self) -> None:
        if self._index:
            with suppress(StorageProblem):  # What cannot be read is not there to be shown; other screens tell why.
                self._runs = await in_background(self._index.read)
                self._picture.redraw()


class _SwitcherPicture(Picture):
    def __init__(self, switcher: SwitcherScreen) -> None:
        super().__init__()
        self._switcher = switcher

    def draw(self, width: int, height: int) -> list[Line]:
        return self._switcher.lines(width, height)


def step_spec(spec: RunSpec, row: str, by: int) -> RunSpec:
    """Give `spec` with the next value in `row`; a value that is not offered steps to the first."""
    values = CHOICES[row]
    present = getattr(spec, row)
    value = values[(values.index(present) + by) % len(values)] if present in values else values[0]
    return follow(spec, **{row: value})


def draw_switcher(spec: RunSpec, row: str, *, is_alive: bool) -> list[Line]:
    """Draw the three rows, the value that is chosen in brackets, and what the keys do."""
    lines: list[Line] = [
        [("next  ", "muted"), (describe_spec(spec), "strong")],
        [],
    ]
    for name, values in CHOICES.items():
        line: Line = [(("▸ " if name == row else "  ") + name.ljust(_LABEL_WIDTH), "chosen" if name == row else "text")]
        for value in values:
            label = FRAMEWORK_TITLES.get(value, value)
            is_chosen = getattr(spec, name) == value
            line.append((f"[{label}] " if is_chosen else f" {label}  ", "chosen" if is_chosen else "muted"))
        lines.append(line)
    back: Line = [("Esc ", "key"), ("back", "text")]
    if not is_alive:
        return [*lines, [], [("Enter ", "key"), ("start   ", "text"), *back]]
    first: Line = [("Enter ", "key"), ("stop this run with a checkpoint, then start", "text")]
    return [*lines, [], first, [("b     ", "key"), ("start now, this run goes on beside it   ", "text"), *back]]


def reached_lines(runs: list[RunSummary] | None, spec: RunSpec, row: str, most: int = _REACHED_ROWS) -> list[Line]:
    """Draw what each value of `row`, `most` around the chosen one, reached before, beside what else is chosen.

    `runs` are None while they are being read.
    """
    values = CHOICES[row]
    at = values.index(getattr(spec, row)) if getattr(spec, row) in values else 0
    first = max(0, min(at - most // 2, len(values) - most))
    heading = "reading the runs ..." if runs is None else "reached before"
    lines = [columns(zip((heading, "best", "an epoch"), _REACHED_WIDTHS, ("muted",) * 3, strict=True))]
    for value in values[first : first + most]:
        best = best_of(runs or [], msgspec.structs.replace(spec, **{row: value}))
        is_chosen = value == getattr(spec, row)
        name = ("▸ " if is_chosen else "  ") + FRAMEWORK_TITLES.get(value, value)
        figures = (
            formats.percent(best.best_test_accuracy if best else None),
            formats.duration(best.epoch_seconds if best else None),
        )
        roles = ("chosen" if is_chosen else "text", "strong", "text")
        lines.append(columns(zip((name, *figures), _REACHED_WIDTHS, roles, strict=True)))
    return lines
