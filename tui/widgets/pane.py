"""A pane of the live screen: shows what a pure function makes of a run, no more often than a person can read it."""

from collections.abc import Hashable
from time import monotonic
from typing import ClassVar

from textual import events, on
from textual.geometry import Size

from tui.choices import Choices
from tui.headings import draw_title
from tui.lines import Line, fit
from tui.view import View
from tui.widgets.picture import Picture

_EARLY_SECONDS = 0.05
"""An offer may come so much early, and still has the drawing that is due with it."""


class Pane(Picture):
    """Draws a `View`; a subclass says what, when that changes, and how often at most."""

    PERIOD: ClassVar[float] = 0.25

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._view: View | None = None
        self._key: Hashable = object()
        self._drawn_at = float("-inf")

    @property
    def period(self) -> float:
        """Seconds from one drawing to the next, at the least; before the first step every pane says what it waits for.

        Then all are drawn equally often, so that they say the same.
        """
        is_waiting = self._view is not None and self._view.state.batch is None
        return min(self.PERIOD, Pane.PERIOD) if is_waiting else self.PERIOD

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Give at most `height` lines, each of at most `width` cells."""
        raise NotImplementedError

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture, cheap to get and to compare."""
        raise NotImplementedError

    def offer(self, view: View) -> None:
        """Take `view`; draws if it shows something new and the last drawing is long enough ago."""
        self._view = view
        if monotonic() - self._drawn_at >= self.period - _EARLY_SECONDS and self.key_of(view) != self._key:
            self.redraw()

    def hurry(self) -> None:
        """Draw what is new with the next offer, however short ago the last drawing is."""
        self._drawn_at = float("-inf")

    def appear_with(self, view: View) -> None:
        """Take `view`, and draw it when the pane is laid out next: it was hidden."""
        self._view = view
        self._drawn_size = Size(0, 0)

    def redraw(self) -> None:
        """Draw the last view that was offered now."""
        if self._view is not None:
            super().redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        """Draw the last view that was offered."""
        if self._view is None:
            return []
        self._drawn_at, self._key = monotonic(), self.key_of(self._view)
        return self.draw_view(self._view, width, height)


class TitledPane(Pane):
    """A pane under a line that names it, with the key that shows it and a legend on the right."""

    HEADING: ClassVar[str]

    def __init__(self, number: int) -> None:
        super().__init__(id=self.HEADING)
        self.number = number
        self._is_chosen = False

    def choose(self, is_chosen: bool) -> None:
        """Mark the pane as the one that was asked for last, or not."""
        if is_chosen != self._is_chosen:
            self._is_chosen = is_chosen
            if self._view:
                self.redraw_first(self._title(self._view, self.size.width))

    def take_choices(self, choices: Choices) -> None:
        """Look as `choices` say; a pane that can be changed keeps there how a person wants it."""

    @on(events.Click)
    async def _choose_by_title(self, event: events.Click) -> None:
        if event.y == 0:
            await self.run_action(f"screen.choose_pane('{self.HEADING}')")

    def legend(self, view: View, width: int) -> Line:
        """Give what stands on the right of the title, in at most `width` cells."""
        return []

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Give what stands below the title."""
        raise NotImplementedError

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Give the title, then the body."""
        return [self._title(view, width), *self.draw_body(view, width, height - 1)]

    def _title(self, view: View, width: int) -> Line:
        legend = self.legend(view, width - len(self.HEADING) - 6)
        return draw_title(self.number, self.HEADING, legend, width, is_chosen=self._is_chosen)


def draw_waiting(view: View, width: int) -> list[Line]:
    """Say what has to happen before there is something to show."""
    return [[], fit([("  " + view.waiting_for(), "muted")], width)]
