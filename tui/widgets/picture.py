"""Lines of text with roles, shown in the theme's colours; only cells that changed are sent to the terminal."""

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.style import Style as VisualStyle
from textual.widget import Widget

from tui.digits import INK_LEVELS
from tui.lines import Line, changed_spans, fit

ROLES = {
    "strong": "bold",
    "muted": "$foreground 62%",
    "title": "bold",
    "chosen": "bold $primary",
    "key": "$accent",
    "key name": "bold $accent",
    "unavailable": "$foreground 45%",
    "rule": "$foreground 22%",
    "grid": "$foreground 18%",
    "right": "$success",
    "wrong": "bold $error",
    "warning": "$warning",
    "call": "bold $background on $primary",
    "train": "$primary",
    "test": "$accent",
    "faint": "$primary 40%",
    "ghost": "$foreground 32%",
    "mark": "$secondary",
    "cursor": "$foreground 75%",
    "lane0": "$primary",
    "lane1": "$accent",
    "lane2": "$success",
    "lane3": "$error",
    "lane4": "$secondary",
    "lane5": "$warning",
    "bar": "$primary",
    "rest": "$foreground 22%",
    "hit": "bold on $success 30%",
    "heat1": "on $error 12%",
    "heat2": "on $error 25%",
    "heat3": "on $error 42%",
    "heat4": "bold on $error 65%",
}
"""What each role looks like, in the theme's terms. As component classes they would cost each widget 10 ms to mount."""


class Picture(Widget):
    """Shows what `draw` gives, from when `redraw` is called."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._drawn_size = Size(0, 0)
        self._styles_by_role: dict[str, Style] = {}

    def draw(self, width: int, height: int) -> list[Line]:
        """Give at most `height` lines, each of at most `width` cells."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw now, and have what changed shown."""
        if self.size.area:
            self._show(self._draw_lines())

    def redraw_first(self, line: Line) -> None:
        """Have `line` shown as the first, and the rest, which may be slow to draw, as it is."""
        if self.size.area and self.size == self._drawn_size:
            self._show([fit(line, self.size.width), *self._lines[1:]])

    def _draw_lines(self) -> list[Line]:
        width, height = self.size
        drawn = self.draw(width, height)[:height]
        return [fit(line, width) for line in drawn] + [fit([], width)] * (height - len(drawn))

    def _show(self, lines: list[Line]) -> None:
        old, self._lines = self._lines, lines
        if self.size != self._drawn_size:
            self._drawn_size = self.size
            self.refresh()
            return
        changed = enumerate(changed_spans(*pair) for pair in zip(old, self._lines, strict=True))
        if regions := [Region(begin, y, end - begin, 1) for y, spans in changed for begin, end in spans]:
            self.refresh(*regions)

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        # Drawn while it is laid out, and not when it hears of it: what appears or grows is whole in its first frame.
        # Nothing in it scrolls: Textual would lay out all of the screen once more for the sake of what could.
        is_resized = super()._size_updated(size, virtual_size, container_size, layout=False)
        if self.size.area and self.size != self._drawn_size:
            self._lines, self._drawn_size = self._draw_lines(), self.size
            self._set_dirty()
        return is_resized

    def render_line(self, y: int) -> Strip:
        """Give line `y` in the theme's colours."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return Strip([Segment(text, self._style_of(role)) for text, role in self._lines[y]], width)

    def notify_style_update(self) -> None:
        """Forget colours; the theme may be another."""
        super().notify_style_update()
        self._styles_by_role = {}

    def _style_of(self, role: str) -> Style:
        if role not in self._styles_by_role:
            self._styles_by_role[role] = self._make_style(role)
        return self._styles_by_role[role]

    def _make_style(self, role: str) -> Style:
        if role.startswith("ink "):
            upper, lower = (self._ink(int(level)) for level in role[4:].split("/"))
            return Style(color=upper.rich_color, bgcolor=lower.rich_color)
        return (self.visual_style + VisualStyle.parse(ROLES[role])).rich_style if role in ROLES else self.rich_style

    def _ink(self, level: int) -> Color:
        background, ink = self.colors[2], self.colors[3]
        return background.blend(ink, level / (INK_LEVELS - 1), alpha=1)
