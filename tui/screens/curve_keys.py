"""The keys and the mouse of the curves, for any screen that shows some: one lens for all of them."""

from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.screen import Screen

from engines.problems import Problem
from tui.background import in_background
from tui.ghost import Ghost, find_ghost
from tui.lens import Lens, extent_of
from tui.view import View
from tui.widgets.curve_pane import CurvePane


def _key(key: str, action: str, words: str, tooltip: str = "", shown: str = "") -> Binding:
    return Binding(key, action, words, show=False, tooltip=tooltip or words, key_display=shown or None)


class CurveKeys(Screen[None]):
    """A screen whose curves can be looked at more closely; a subclass gives the view that they show."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("z", "zoom(0.5)", "zoom in", "zoom in, around the cursor where there is one"),
        _key("Z", "zoom(2)", "zoom out"),
        _key("v", "recent", "recent", "the newest part, which moves along, or all"),
        _key("k", "cursor", "cursor", "a cursor with the exact values under it, or none"),
        _key("comma", "move(-1)", "cursor back", shown=","),
        _key("full_stop", "move(1)", "cursor on", shown="."),
        _key("less_than_sign", "move_to_epoch(-1)", "epoch before", "cursor to the epoch before", shown="<"),
        _key("greater_than_sign", "move_to_epoch(1)", "next epoch", "cursor to the next epoch", shown=">"),
        _key("a", "smoothing", "smoothing", "moving average of 0.6, 0.9, 0.99, none"),
        _key("g", "ghost", "run before", "the run before as a ghost behind this one"),
    ]
    lens = Lens()
    ghost: Ghost | None = None

    @property
    def curve_view(self) -> View | None:
        """The run that the curves show; None while there is none."""
        raise NotImplementedError

    def action_zoom(self, factor: float) -> None:
        """Show `factor` times as much of the run."""
        if view := self.curve_view:
            self._look_through(self.lens.zoomed(factor, extent_of(view)))

    def action_recent(self) -> None:
        """Show the newest part, or all of the run."""
        if view := self.curve_view:
            self._look_through(self.lens.toggled_recent(extent_of(view)))

    def action_cursor(self) -> None:
        """Show the cursor, or hide it."""
        if self.lens.cursor is None:
            self.action_move(0)
        else:
            self._look_through(replace(self.lens, cursor=None))

    def action_move(self, columns: int) -> None:
        """Move the cursor, or show it where there was none."""
        if view := self.curve_view:
            self._look_through(self.lens.moved(columns * self._column, extent_of(view)))

    def action_move_to_epoch(self, by: int) -> None:
        """Move the cursor to where an epoch ends."""
        if view := self.curve_view:
            self._look_through(self.lens.moved_to_epoch(by, self._column, extent_of(view)))

    def action_smoothing(self) -> None:
        """Smooth the curves more, or, after the most, not at all."""
        self._look_through(self.lens.smoother())

    def action_ghost(self) -> None:
        """Show the run before behind this one, or hide it."""
        if self.ghost:
            self.ghost = None
            self._look_through(self.lens)
        elif view := self.curve_view:
            self._raise_ghost(view)

    @work(exclusive=True, group="ghost")
    async def _raise_ghost(self, view: View) -> None:
        if view.spec is None:
            return
        spec = view.spec
        try:
            self.ghost = await in_background(lambda: find_ghost(view.directory, spec))
        except Problem as problem:
            self.notify(problem.hint, title=problem.message, severity="error", markup=False)
            return
        if self.ghost is None:
            self.notify(f"No run before this one has done an epoch on {spec.dataset}.", timeout=3, markup=False)
        self._look_through(self.lens)

    @on(CurvePane.PointedAt)
    def _follow_mouse(self, event: CurvePane.PointedAt) -> None:
        view = self.curve_view
        if view is None:
            return
        if event.zoom is None:
            self._look_through(self.lens.pointed_at(min(event.place, view.state.position), extent_of(view)))
        else:
            self._look_through(self.lens.zoomed(event.zoom, extent_of(view), event.place))

    @property
    def _column(self) -> float:
        """What part of all that is shown one column is."""
        return next((pane.column for pane in self.query(CurvePane) if pane.display), 0.01)

    def _look_through(self, lens: Lens) -> None:
        self.lens = lens
        for pane in self.query(CurvePane):
            pane.look_through(lens, self.ghost)
