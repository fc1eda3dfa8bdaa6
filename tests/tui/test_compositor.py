import io

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.compositor import CellUpdate

CONSOLE = Console(file=io.StringIO(), color_system="truecolor")
LEFT = Strip([Segment("epoch 3 of 5 ", Style(bold=True)), Segment("━━━━····", Style(color="cyan"))])
RIGHT = Strip([Segment("97 漢字 %", None)])


def sent(*spans):
    """Give what is written where a line has a widget from cell 0 and one from cell 21, and `spans` changed."""
    chops = [{0: LEFT, 21: RIGHT}]
    return CellUpdate(chops, [(0, *span) for span in spans], [[21, 30]]).render_segments(CONSOLE)


@pytest.mark.parametrize(
    ("spans", "written"),
    [
        ([(6, 7)], "\x1b[1;7H\x1b[1m3\x1b[0m"),
        ([(17, 19)], "\x1b[1;18H\x1b[36m··\x1b[0m"),
        ([(11, 14)], "\x1b[1;12H\x1b[1m5 \x1b[0m\x1b[36m━\x1b[0m"),
        ([(6, 7), (21, 23)], "\x1b[1;7H\x1b[1m3\x1b[0m\x1b[1;22H97"),
        ([(20, 22)], "\x1b[1;21H\x1b[36m·\x1b[0m\x1b[1;22H9"),
        ([(24, 28)], "\x1b[1;25H漢字"),
        ([], ""),
    ],
)
def test_only_the_cells_that_changed_are_sent(spans, written):
    assert sent(*spans) == written


def test_a_widget_that_is_not_drawn_this_time_is_left_alone():
    assert (
        CellUpdate([{0: None, 21: RIGHT}], [(0, 0, 30)], [[21, 30]]).render_segments(CONSOLE) == "\x1b[1;22H97 漢字 %"
    )
