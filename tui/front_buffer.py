"""What the terminal shows, cell by cell, so that of each frame only what differs from it is sent.

Textual sends a changed line of a widget from its left edge on, and all of a screen wherever something moved: opening a
run was four times the whole terminal.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rich.cells import cell_len, split_graphemes
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from tui.lines import differing_spans
from tui.pens import PLAIN, RESET, Pen, change, for_spaces, pen_of, resolve

Cell = tuple[str, Pen]
"""What stands in a cell; the second cell of a wide character has no text of its own."""

_WORTH_A_MOVE = 5
"""Cells; so few are written again rather than skipped."""

_MOST_STYLES = 4096


class _Cells(dict[str, Cell]):
    """The cells of one pen by their text, each made once: that equal cells are one object makes comparing fast."""

    def __init__(self, pen: Pen) -> None:
        super().__init__()
        self._pen = pen

    def __missing__(self, text: str) -> Cell:
        cell = self[text] = (text, for_spaces(self._pen) if text == " " else self._pen)
        return cell


class FrontBuffer:
    """Holds the cells that were sent last; what was never sent is not known."""

    def __init__(self) -> None:
        self._rows: defaultdict[int, list[Cell | None]] = defaultdict(list)
        self._cells: dict[Style | None, _Cells] = {}

    def forget(self) -> None:
        """Know nothing any more: the terminal may show anything."""
        self._rows.clear()
        self._cells.clear()

    def paint(self, pieces: Iterator[tuple[int, int, Strip]], colors: ColorSystem) -> str:
        """Give what brings the terminal to show `pieces`, each at a row and a column, and note that it does."""
        sequences: list[str] = []
        pen, asked, cursor = PLAIN, PLAIN, (-1, -1)
        for y, x, strip in pieces:
            cells = self._cells_of(strip, colors)
            row = self._rows[y]
            row += [None] * (x + len(cells) - len(row))
            for begin, end in _changes(row[x : x + len(cells)], cells):
                sequences.append(_move(cursor, (y, x + begin)))
                for text, wanted in cells[begin:end]:
                    if wanted is not asked:
                        asked, next_pen = wanted, resolve(pen, wanted)
                        sequences.append(change(pen, next_pen))
                        pen = next_pen
                    sequences.append(text)
                cursor = y, x + end
            row[x : x + len(cells)] = cells
        return "".join(sequences) + (RESET if pen != PLAIN else "")

    def _cells_of(self, strip: Strip, colors: ColorSystem) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, _ in strip:
            if (of_style := self._cells.get(style)) is None:
                if len(self._cells) >= _MOST_STYLES:
                    self._cells.clear()
                of_style = self._cells[style] = _Cells(pen_of(style, colors))
            cells += map(of_style.__getitem__, text if text.isascii() else _split(text))
        return cells


class FrameUpdate(CompositorUpdate):
    """An update as Textual composed it, of which only the cells that differ from the front buffer's are written."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, front: FrontBuffer) -> None:
        self._update = update
        self._front = front

    def render_segments(self, console: Console) -> str:
        """Give what is to be written to the terminal."""
        update = self._update
        pieces = _pieces_of_all(update) if isinstance(update, LayoutUpdate) else _pieces_of_parts(update)
        return self._front.paint(pieces, COLOR_SYSTEMS[console.color_system or "truecolor"])


def _pieces_of_all(update: LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield y, x, strip
            x += strip.cell_length


def _pieces_of_parts(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    for y, begin, end in update.spans:
        for chop_end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < end and chop_end > begin:
                first, last = max(x, begin), min(chop_end, end)
                yield y, first, strip if (first, last) == (x, chop_end) else strip.crop(first - x, last - x)


def _changes(old: Sequence[Cell | None], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """Give where two stretches of a row differ: the first cell of each difference, and the one after its last."""
    return [] if old == new else [_whole(span, new) for span in differing_spans(old, new, _WORTH_A_MOVE)]


def _whole(span: tuple[int, int], cells: Sequence[Cell]) -> tuple[int, int]:
    """Give `span` with both cells of the wide characters at its ends."""
    begin, end = span
    while begin and not cells[begin][0]:
        begin -= 1
    while end < len(cells) and not cells[end][0]:
        end += 1
    return begin, end


def _move(cursor: tuple[int, int], place: tuple[int, int]) -> str:
    if cursor == place:
        return ""
    if cursor[0] == place[0] and cursor[1] < place[1]:
        return f"\x1b[{place[1] - cursor[1]}C"
    return f"\x1b[{place[0] + 1};{place[1] + 1}H"


@lru_cache(1024)
def _split(text: str) -> tuple[str, ...]:
    """Give what stands in each cell of `text`."""
    if all(cell_len(character) == 1 for character in text):
        return tuple(text)
    cells: list[str] = []
    for begin, end, width in split_graphemes(text)[0]:
        cells += [text[begin:end], ""][:width]
    return tuple(cells)
