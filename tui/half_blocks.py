"""Two pixels in a cell, one above the other, as half blocks; the inks of a row change as seldom as they can."""

from collections.abc import Iterable, Sequence

from tui.lines import Line, Run, merge


def draw_half_blocks(upper: Sequence[int], lower: Sequence[int]) -> Line:
    """Draw two rows of inks as one line of cells.

    The role `ink A/B` gives a cell's own ink and the one behind it: `▀` has A above, `▄` below, and a space is all B.
    """
    return merge(_cells(zip(upper, lower, strict=True)))


def _cells(pairs: Iterable[tuple[int, int]]) -> Iterable[Run]:
    """Give each cell as the one of its two looks for which fewer inks change: each change is sent to the terminal."""
    front, back = 0, 0
    for above, below in pairs:
        if above == below:
            back = above
            text = " "
        elif _count_changes(front, back, above, below) <= _count_changes(front, back, below, above):
            front, back, text = above, below, "▀"
        else:
            front, back, text = below, above, "▄"
        yield text, f"ink {front}/{back}"


def _count_changes(front: int, back: int, new_front: int, new_back: int) -> int:
    return (front != new_front) + (back != new_back)
