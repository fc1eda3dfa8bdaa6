import io
import signal

import pyte
import pytest
from command_line import COMMAND
from hypothesis import given
from hypothesis import strategies as st
from real_terminal import RealTerminal
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.front_buffer import FrameUpdate, FrontBuffer

CONSOLE = Console(file=io.StringIO(), color_system="truecolor")
COLUMNS, ROWS = 12, 4
END_OF_FRAME = b"\x1b[0m\x1b[1;1H"
STYLES = [
    None,
    Style(color="#ff0000", bgcolor="#000010"),
    Style(color="#00ff00", bgcolor="#000010"),
    Style(color="#00ff00", bgcolor="#000010", bold=True),
    Style(bgcolor="#303030", reverse=True),
    Style(color="#0000ff", underline=True, italic=True),
]
LEFT = Strip([Segment("epoch 3 of 5 ", Style(bold=True)), Segment("━━━━····", Style(color="cyan"))])
RIGHT = Strip([Segment("97 漢字 %", None)])


def strip_of(text, style=0):
    return Strip([Segment(text, STYLES[style])])


def paint(front, *pieces):
    return front.paint(iter(pieces), ColorSystem.TRUECOLOR)


def of_parts(*spans):
    """Give an update of a line that has a widget from cell 0 and one from cell 21, of which `spans` changed."""
    return ChopsUpdate([{0: LEFT, 21: RIGHT}], [(0, *span) for span in spans], [[21, 30]])


def sent(front, update):
    return FrameUpdate(update, front).render_segments(CONSOLE)


@pytest.mark.parametrize(
    ("spans", "written"),
    [
        ([(6, 7)], "\x1b[1;7H\x1b[0;1m3\x1b[0m"),
        ([(17, 19)], "\x1b[1;18H\x1b[36m··\x1b[0m"),
        ([(11, 14)], "\x1b[1;12H\x1b[0;1m5 \x1b[0;36m━\x1b[0m"),
        ([(6, 7), (21, 23)], "\x1b[1;7H\x1b[0;1m3\x1b[14C\x1b[0m97"),
        ([(20, 22)], "\x1b[1;21H\x1b[36m·\x1b[0m9"),
        ([(24, 28)], "\x1b[1;25H漢字"),
        ([], ""),
    ],
)
def test_only_the_cells_in_question_are_sent(spans, written):
    assert sent(FrontBuffer(), of_parts(*spans)) == written


def test_a_widget_that_is_not_drawn_this_time_is_left_alone():
    update = ChopsUpdate([{0: None, 21: RIGHT}], [(0, 0, 30)], [[21, 30]])
    assert sent(FrontBuffer(), update) == "\x1b[1;22H97 漢字 %"


def test_what_the_terminal_shows_already_is_not_sent_again_by_whatever_way_it_came():
    front, whole = FrontBuffer(), LayoutUpdate([[LEFT, RIGHT]], Region(0, 0, 30, 1))
    assert sent(front, whole).count("epoch 3") == 1
    assert sent(front, whole) == ""
    assert sent(front, of_parts((0, 30))) == ""


def test_of_a_moved_screen_the_difference_is_sent():
    front = FrontBuffer()
    paint(front, (0, 0, strip_of("accuracy   0.91", 1)))
    assert paint(front, (0, 0, strip_of("accuracy   0.95", 1))) == "\x1b[1;15H\x1b[38;5;196;48;2;0;0;16m5\x1b[0m"
    assert paint(front, (0, 0, strip_of("accuracy   0.95", 2))).count("\x1b[") == 3


def test_neighbours_share_the_background_that_they_have_in_common():
    written = paint(FrontBuffer(), (0, 0, Strip([Segment("a", STYLES[1]), Segment("b", STYLES[2])])))
    assert written == "\x1b[1;1H\x1b[38;5;196;48;2;0;0;16ma\x1b[38;5;46mb\x1b[0m"


def test_spaces_between_words_take_no_ink_of_their_own():
    words = Strip([Segment("a", STYLES[1]), Segment(" ", STYLES[2]), Segment("b", STYLES[1])])
    assert paint(FrontBuffer(), (0, 0, words)) == "\x1b[1;1H\x1b[38;5;196;48;2;0;0;16ma b\x1b[0m"


def test_after_the_terminal_may_show_anything_all_is_sent():
    front = FrontBuffer()
    before = paint(front, (0, 0, strip_of("loss")))
    front.forget()
    assert paint(front, (0, 0, strip_of("loss"))) == before


texts = st.text("ab é━漢字", max_size=COLUMNS)
rows = st.lists(st.tuples(texts, st.integers(0, len(STYLES) - 1)), max_size=4).map(
    lambda runs: Strip([Segment(text, STYLES[style]) for text, style in runs]).adjust_cell_length(COLUMNS)
)


def seen_at(screen, y, x):
    """Give what a person sees in a cell; where nothing is written the ink makes no difference."""
    cell = screen.buffer[y][x]
    return cell._replace(fg="default") if cell.data == " " and not (cell.reverse or cell.underscore) else cell


@given(st.lists(st.tuples(st.integers(0, ROWS - 1), rows), max_size=12))
def test_a_terminal_shows_what_it_would_if_all_were_sent(changes):
    front, few, all_of_it = FrontBuffer(), pyte.Screen(COLUMNS, ROWS), pyte.Screen(COLUMNS, ROWS)
    for y, row in changes:
        pyte.Stream(few).feed(paint(front, (y, 0, row)))
        pyte.Stream(all_of_it).feed(paint(FrontBuffer(), (y, 0, row)))
    assert few.display == all_of_it.display
    assert all(seen_at(few, y, x) == seen_at(all_of_it, y, x) for y in range(ROWS) for x in range(COLUMNS))


@pytest.fixture
def opened(finished_run):
    """A finished run on a terminal, all of which has been sent."""
    terminal = RealTerminal(COMMAND, "attach", finished_run.name, columns=120, rows=40)
    terminal.wait_for(lambda: "1 accuracy" in terminal.text and "best: epoch" in terminal.text, "the run's curves")
    terminal.wait_for(terminal.is_quiet, "the last of what comes of itself")
    yield terminal
    terminal.child.send("q")
    terminal.end()


def sent_after(terminal, deed, what):
    before = len(terminal.written)
    deed()
    terminal.wait_for(lambda: len(terminal.written) > before, what)
    terminal.wait_for(terminal.is_quiet, "all of it")
    return len(terminal.written) - before


def test_opening_a_run_sends_little_more_than_its_screen_once(opened):
    opening = len(opened.written)
    whole = sent_after(opened, lambda: opened.child.kill(signal.SIGWINCH), "the whole screen once more")
    assert whole < opening < 1.5 * whole


def test_a_key_that_moves_panes_and_marks_their_names_is_answered_by_one_frame(opened):
    before = len(opened.written)
    opened.child.send("7")
    opened.wait_for(lambda: "[7" in opened.text, "the name of the pane marked")
    opened.wait_for(opened.is_quiet, "all of it")
    assert opened.written[before:].count(END_OF_FRAME) == 1


def test_a_terminal_that_may_show_anything_is_sent_all_of_the_screen(opened):
    before = opened.text
    opened.screen.erase_in_display(2)
    opened.child.kill(signal.SIGWINCH)
    opened.wait_for(lambda: opened.text == before, "all that stood there")


def test_a_terminal_that_tells_its_size_is_not_sent_what_it_shows_already(opened):
    opening = len(opened.written)
    sent_after(opened, lambda: opened.child.send("\x1b[?2048;2$y"), "the request for its size")
    assert b"\x1b[?2048h" in opened.written[opening:]
    assert sent_after(opened, lambda: opened.child.send("\x1b[48;40;120;800;960t"), "the answer") < 100
