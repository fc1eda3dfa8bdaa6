"""Lines of text with roles: what every drawing function gives; free of themes, and of the framework that shows them."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.cells import cell_len, get_character_cell_size, set_cell_size

Run = tuple[str, str]
"""A piece of text and its role, such as `muted` or `train`; the widget that shows it knows a role's colours."""

Line = list[Run]

_WORTH_A_MOVE = 8
"""Cells; the cursor's move and a style cost some thirty bytes."""


def plain(line: Line) -> str:
    """Give the text of a line without its roles."""
    return "".join(text for text, _ in line)


def width_of(line: Line) -> int:
    """Give how many cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def fit(line: Line, width: int) -> Line:
    """Give `line` cut or padded with spaces to exactly `width` cells."""
    fitted: Line = []
    for text, role in line:
        cells = cell_len(text)
        if cells > width:
            text, cells = set_cell_size(text, width), width  # noqa: PLW2901
        if text:
            fitted.append((text, role))
        width -= cells
        if width <= 0:
            return fitted
    return [*fitted, (" " * width, "text")]


def shorten(line: Line, width: int) -> Line:
    """Give `line` as it is where it fits into `width` cells, else cut and ended with an ellipsis."""
    return line if width_of(line) <= width else [*fit(line, width - 1), ("…", "muted")] if width > 0 else []


def overlay(line: Line, at: int, text: str, role: str) -> Line:
    """Give `line` with `text` in the place of what stands from cell `at` on, where all characters are narrow."""
    cells = [(character, own) for piece, own in line for character in piece]
    return merge([*cells[:at], (text, role), *cells[at + len(text) :]])


def justify(left: Line, right: Line, width: int) -> Line:
    """Set `left` and `right` at the two ends of a line of `width` cells; where both do not fit, `right` goes."""
    space = width - width_of(left) - width_of(right)
    return fit([*left, (" " * space, "text"), *right] if space >= 1 else left, width)


def columns(cells: Iterable[tuple[str, int, str]]) -> Line:
    """Set texts in columns: each of `(text, width, role)`; a negative width sets to the right."""
    line: Line = []
    for text, width, role in cells:
        space = " " * max(0, abs(width) - cell_len(text))
        line.append((space + text if width < 0 else text + space, role))
    return line


def draw_bar(fraction: float, width: int) -> Line:
    """Draw a bar that is `fraction` full."""
    full = round(min(1.0, max(0.0, fraction)) * width)
    return [("━" * full, "bar"), ("·" * (width - full), "rest")]


def cut_words(words: list[Line], width: int) -> Line:
    """Join as many of `words`, in order, as fit into `width` cells, two spaces between them."""
    line: Line = []
    for word in words:
        if width_of(line) + width_of(word) + (2 if line else 0) > width:
            break
        line = [*line, ("  ", "text"), *word] if line else list(word)
    return line


def wrap(text: str, width: int) -> list[str]:
    """Break `text` into lines of at most `width` cells, and of two at least, between words where that is possible."""
    width = max(2, width)  # The widest character has to go somewhere.
    lines = [""]
    for word in text.split():
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
        while cell_len(lines[-1]) > width:
            head = set_cell_size(lines[-1], width)
            lines[-1:] = [head, lines[-1][len(head.rstrip()) :]]
    return lines


def merge(runs: Iterable[Run]) -> Line:
    """Join neighbours that share a role."""
    return [("".join(text for text, _ in group), role) for role, group in groupby(runs, key=lambda run: run[1])]


def changed_spans(old: Line, new: Line) -> list[tuple[int, int]]:
    """Give where two lines of equal width differ: first cell, and the one after the last, of each stretch.

    Stretches with little between them are one: to move the cursor costs more bytes than to write a few cells again.
    """
    return [] if old == new else differing_spans(_cells(old), _cells(new), _WORTH_A_MOVE)


def differing_spans(old: Sequence[object], new: Sequence[object], worth_a_move: int) -> list[tuple[int, int]]:
    """Give where two rows of equal length differ, as `changed_spans` does; few, up to `worth_a_move`, lie between."""
    spans: list[tuple[int, int]] = []
    for at, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        if spans and at - spans[-1][1] <= worth_a_move:
            spans[-1] = spans[-1][0], at + 1
        else:
            spans.append((at, at + 1))
    return spans


def _cells(line: Line) -> list[Run]:
    """Give each cell's character and role; a wide character is in both of its cells, so that neither changes alone."""
    return [
        (character * (at + 1), role)
        for text, role in line
        for character in text
        for at in range(get_character_cell_size(character))
    ]
