"""Where the panes of the live screen stand: one at 80x24, four at 120x40, all at 200x60."""

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Region, Size

from tui.choices import Choices
from tui.view import View
from tui.widgets.confusion_pane import ConfusionPane
from tui.widgets.curve_pane import AccuracyPane, CurvePane, LossPane
from tui.widgets.log_pane import LogPane
from tui.widgets.machine_pane import MachinePane
from tui.widgets.network_pane import NetworkPane
from tui.widgets.pane import TitledPane
from tui.widgets.phases_pane import PhasesPane
from tui.widgets.results_pane import ResultsPane
from tui.widgets.samples_pane import SamplesPane
from tui.widgets.scrolled_pane import ScrolledPane

PANES: tuple[type[TitledPane], ...] = (
    AccuracyPane,
    LossPane,
    SamplesPane,
    ConfusionPane,
    ResultsPane,
    PhasesPane,
    NetworkPane,
    MachinePane,
    LogPane,
)
PANE_NAMES: tuple[str, ...] = tuple(pane.HEADING for pane in PANES)

FLOATING = "*"
"""The place of whichever pane was asked for last, of those that have no place of their own."""

Columns = Sequence[tuple[int, Sequence[tuple[str, int]]]]
"""Columns by their share of the width, each with its panes by their share of the height."""

_ONE: Columns = ((1, ((FLOATING, 1),)),)
_TWO_BELOW: Columns = ((1, (("accuracy", 1), (FLOATING, 1))),)
_TWO_BESIDE: Columns = ((1, (("accuracy", 1),)), (1, ((FLOATING, 1),)))
_FOUR: Columns = ((10, (("accuracy", 1), ("loss", 1))), (11, (("samples", 1), (FLOATING, 1))))
_ALL: Columns = (
    (11, (("accuracy", 1), ("loss", 1))),
    (10, (("samples", 9), ("confusion", 5))),
    (9, (("results", 14), ("phases", 8), ("network", 12), ("machine", 8), ("log", 8))),
)
_GAP = 2


def layout_for(size: Size) -> Columns:
    """Choose the columns for a space of `size`."""
    is_wide, is_tall = size.width >= 110, size.height >= 27
    if size.width >= 180 and size.height >= 48:
        return _ALL
    if is_wide:
        return _FOUR if is_tall else _TWO_BESIDE
    return _TWO_BELOW if size.height >= 32 else _ONE


def arrange(size: Size, recent: Sequence[str], *, zoomed: bool = False) -> dict[str, Region]:
    """Give the panes that are shown, each with its place in a space of `size`.

    `recent` has the panes' names, the one that was asked for last first; where `zoomed`, that one has all the space.
    """
    layout = _ONE if zoomed else layout_for(size)
    fixed = {name for _, panes in layout for name, _ in panes}
    floating = next((name for name in recent if name not in fixed), FLOATING)
    places: dict[str, Region] = {}
    for (x, width), (_, panes) in zip(_share(size.width, [part for part, _ in layout], _GAP), layout, strict=True):
        for (y, height), (name, _) in zip(_share(size.height, [part for _, part in panes], 1), panes, strict=True):
            places[floating if name == FLOATING else name] = Region(x, y, width, height)
    return places


def _share(cells: int, parts: Sequence[int], gap: int) -> list[tuple[int, int]]:
    """Share `cells` out by `parts`; gives where each begins and its length."""
    left, begin, shares = cells - gap * (len(parts) - 1), 0, []
    for at, part in enumerate(parts):
        length = left * part // sum(parts[at:])
        shares.append((begin, length))
        begin += length + gap
        left -= length
    return shares


class Bench(Container):
    """Holds all panes, and shows those that have a place; only those are ever drawn.

    `on_arranged` is called when panes were shown, hidden or moved.
    """

    DEFAULT_CSS = """
    Bench { width: 1fr; height: 1fr; }
    Bench > TitledPane { position: absolute; display: none; }
    """

    def __init__(self, choices: Choices | None = None, on_arranged: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._on_arranged = on_arranged
        self._view: View | None = None
        self._choices = choices or Choices()
        self.panes = {kind.HEADING: kind(at + 1) for at, kind in enumerate(PANES)}
        self.shown: tuple[str, ...] = ()
        self._recent = ["accuracy", "samples", "confusion", *PANE_NAMES]
        if self._choices.pane in PANE_NAMES:
            self._recent.insert(0, self._choices.pane)
        for pane in self.panes.values():
            pane.take_choices(self._choices)
        self.is_zoomed = False
        self.has_curves = False
        """Set once curves can be drawn without a wait; until then their panes are left empty."""

    @property
    def chosen(self) -> str:
        """The name of the pane that was asked for last."""
        return self._recent[0]

    def compose(self) -> ComposeResult:
        """Lay out all panes, hidden."""
        yield from self.panes.values()

    def offer(self, view: View) -> None:
        """Have the panes that are shown draw what is new to them."""
        self._view = view
        for pane in map(self.panes.__getitem__, self.shown):
            if self._can_draw(pane):
                pane.offer(view)

    def hurry(self) -> None:
        """Have every pane draw what is new to it with the next offer."""
        for pane in self.panes.values():
            pane.hurry()

    def choose(self, name: str, *, zoomed: bool = False) -> None:
        """Show the pane called `name`; `zoomed`, in all the space there is."""
        self.is_zoomed = zoomed
        self._recent = [name, *(other for other in self._recent if other != name)]
        self._arrange()

    @property
    def scrolled(self) -> ScrolledPane | None:
        """The pane whose rows the keys move: the one that was asked for last, if it has rows, else the first shown."""
        panes = (self.panes[name] for name in (self.chosen, *self.shown))
        return next((pane for pane in panes if isinstance(pane, ScrolledPane)), None)

    def step(self, by: int) -> None:
        """Show the next pane, or the one before, all of them in turn."""
        at = (PANE_NAMES.index(self.chosen) + by) % len(PANE_NAMES)
        self.choose(PANE_NAMES[at], zoomed=self.is_zoomed)

    def on_resize(self) -> None:
        """Arrange the panes for the new size."""
        self._arrange()

    def _arrange(self) -> None:
        places = arrange(self.size, self._recent, zoomed=self.is_zoomed)
        before, self.shown = self.shown, tuple(name for name in PANE_NAMES if name in places)
        for name, pane in self.panes.items():
            if self._view and name in places and name not in before and self._can_draw(pane):
                pane.appear_with(self._view)
            pane.display = name in places
            pane.choose(name == self.chosen and len(places) > 1)
            if place := places.get(name):
                pane.styles.offset = place.offset
                pane.styles.width, pane.styles.height = place.size
        self._on_arranged()

    def _can_draw(self, pane: TitledPane) -> bool:
        return self.has_curves or not isinstance(pane, CurvePane)
