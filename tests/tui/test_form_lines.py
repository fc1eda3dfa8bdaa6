import pytest

from engines.spec import RunSpec
from tui.form import Form
from tui.form_lines import form_lines
from tui.lines import plain, width_of


def drawn(width, at=0, typing=False, **asked):
    return [plain(line).rstrip() for line in form_lines(Form(RunSpec(**asked)), at, typing, width)]


def test_every_choice_is_seen_in_half_of_80_columns():
    assert drawn(46)[:4] == [
        "▸f framework  [PyTorch] TensorFlow",
        " m model      ◂lenet▸ 2/5",
        " d dataset    [mnist] fashion-mnist  digits",
        "   epochs      5",
    ]
    assert drawn(44)[2] == drawn(46)[2]
    assert drawn(44)[10:13] == [
        "   precision  [float32] bfloat16  auto",
        "   gpu memory limit  none",
        "   target accuracy  none",
    ]


def test_what_has_no_room_for_all_choices_shows_the_one_that_is_made():
    assert drawn(30)[2] == " d dataset    ◂mnist▸ 1/3"


def test_in_little_room_a_choice_is_whole_or_ends_in_an_ellipsis():
    assert drawn(28)[10] == "   precision  ◂float32▸ 1/3"
    assert drawn(24)[10] == "   precision  ◂float32▸"
    assert drawn(28, model="torchvision:resnet18")[1] == " m model      ◂torchvision:…"


def test_the_number_under_the_cursor_says_that_it_can_be_stepped_or_is_being_typed():
    assert drawn(43, at=5)[5] == "▸  batch size ◂32▸"
    assert drawn(43, at=5, typing=True)[5] == "▸  batch size  32▏"


def test_hints_stand_in_a_wide_form_and_never_half():
    assert drawn(80)[3].endswith("times through the images")
    assert drawn(43)[3].endswith(" 5")
    assert drawn(80)[7].endswith("best · how it is trained")


def test_every_hint_fits_beside_the_form_of_a_terminal_of_120_columns():
    form = Form(RunSpec(framework="torch"))
    for row, line in zip(form.rows, drawn(79), strict=True):
        assert line.endswith(row.hint)


@pytest.mark.parametrize("width", range(1, 121, 7))
def test_every_line_is_exactly_as_wide_as_asked(width):
    lines = form_lines(Form(RunSpec(framework="rehearsal")), 2, False, width)
    assert {width_of(line) for line in lines} == {width}
