import base64

import pytest
from views import epoch_ended, mistakes, samples, started, text_of, view_of

from tui.choices import Choices
from tui.lines import plain
from tui.screens.cells import CellsScreen
from tui.widgets.cell_images import draw_cells
from tui.widgets.confusion_pane import cell_at, draw_confusion, most_frequent
from tui.widgets.samples_pane import SamplesPane, draw_samples, draw_worst

DIGITS = [str(digit) for digit in range(10)]
IMAGES = base64.b64encode(bytes([200]) * 784 * 20).decode()
LABELS = list(range(10)) * 2


def seen(predictions=None, confidences=None, dataset="mnist", **settings):
    known = samples(LABELS, images=IMAGES)
    events = [started(dataset), known]
    if predictions:
        events.append(samples(LABELS, predictions, confidences or [0.996] * 20))
    return view_of(*events, **settings)


@pytest.mark.parametrize(("width", "height", "least"), [(78, 17, 10), (61, 15, 10), (65, 34, 10), (58, 9, 1)])
def test_ten_images_or_more_are_seen_where_there_is_room(width, height, least):
    lines = draw_samples(seen(LABELS), "blocks", width, height)
    assert len(lines) <= height
    assert text_of(lines, width).count("✓") >= least


def test_right_and_wrong_are_told_apart_by_a_mark_and_by_words():
    predictions = [4, *LABELS[1:]]
    text = text_of(draw_samples(seen(predictions, [0.617, *[0.999] * 19]), "blocks", 78, 17), 78)
    assert "✗ 0→4  61 %" in text
    assert "✓ 1  99 %" in text
    assert plain(SamplesPane(3).legend(seen(predictions), 40)) == "19 of 20 right   w worst mistakes"


def test_classes_with_names_are_called_by_them():
    predictions = [6, *LABELS[1:]]
    text = text_of(draw_samples(seen(predictions, dataset="fashion-mnist"), "blocks", 78, 17), 78)
    assert "✗ T-shirt" in text
    assert "→ Shirt" in text
    assert "━  99 %" in text
    assert "✓ Ankle boot" in text


def test_before_the_first_answer_only_the_labels_are_known():
    text = text_of(draw_samples(seen(), "blocks", 78, 17), 78)
    assert "✓" not in text
    assert "%" not in text
    assert "  7" in text


def test_a_label_or_a_prediction_out_of_range_is_shown_as_it_is():
    view = view_of(started(), samples([77], images=IMAGES), samples([77], [99], [None]))
    assert "✗ 77→99" in text_of(draw_samples(view, "ascii", 78, 17), 78)


def test_without_images_it_says_what_is_waited_for():
    assert "waiting for the worker" in text_of(draw_samples(view_of(), "blocks", 60, 10), 60)


def test_a_matrix_shows_counts_and_each_class_accuracy():
    text = text_of(draw_confusion(epoch_ended().confusion, DIGITS, 61, 13), 61)
    assert text.splitlines()[1].split() == ["0", "90", *["1"] * 9, "90.9", "%"]


def test_counts_too_wide_for_their_cells_become_percent_and_it_is_said():
    counts = [[9000 if a == b else 0 for b in range(10)] for a in range(10)]
    counts[2][8] = 1000
    lines = draw_confusion(counts, DIGITS, 52, 13)
    text = text_of(lines, 52)
    assert text.splitlines()[3].split()[3] == "90"
    assert "in % of the row; most often: 2 taken for 8, 1000x" in text
    assert plain(draw_confusion(counts, DIGITS, 52, 11)[0]).startswith("% ")
    assert plain(draw_confusion(counts, DIGITS, 78, 11)[0]).startswith("  ")


def test_mistakes_are_shaded_by_their_share_and_none_is_a_dot():
    counts = [[0] * 10 for _ in range(10)]
    counts[0] = [50, 30, 3, 1, 0, 0, 0, 0, 0, 16]
    line = draw_confusion(counts, DIGITS, 61, 13)[1]
    roles = {text.strip(): role for text, role in line}
    assert roles["50"] == "hit"
    assert (roles["30"], roles["16"], roles["3"]) == ("heat4", "heat4", "heat2")
    assert roles["·"] == "grid"


def test_long_class_names_are_shortened_to_fit():
    text = text_of(draw_confusion(epoch_ended().confusion, ["Ankle boot"] * 10, 60, 13), 60)
    assert "Ankle boot" in text
    assert "Ankle bo…" in text_of(draw_confusion(epoch_ended().confusion, ["Ankle boot"] * 10, 58, 13), 58)


@pytest.mark.parametrize("width", [58, 98])
def test_wide_characters_in_names_leave_the_accuracies_where_they_are(width):
    names = ["運動靴" * 9, "é" * 26, *DIGITS[2:]]
    lines = text_of(draw_confusion(epoch_ended().confusion, names, width, 13), width).splitlines()
    assert lines[0].endswith("right")
    assert "運動" in lines[1]
    assert "…" in lines[1]
    assert lines[1].endswith("90.9 %")


@pytest.mark.parametrize("counts", [[], [[1, 2], [3, 4]], [[0] * 10] * 10])
def test_a_matrix_of_another_shape_or_an_empty_one_breaks_nothing(counts):
    assert draw_confusion(counts, DIGITS, 60, 13)


# The mistakes.


def worst(view, width=78, height=17):
    return text_of(draw_worst(view, "ascii", width, height), width)


def test_the_worst_mistakes_come_first_with_their_images_and_confidences():
    view = view_of(started(), epoch_ended(), mistakes((4, 9, 0.99), (7, 1, 0.8), count=123))
    text = worst(view)
    assert text.index("✗ 4→9  99 %") < text.index("✗ 7→1  80 %")
    pane = SamplesPane(3)
    pane.step_set()
    assert plain(pane.legend(view, 60)) == "worst of 123 mistakes, epoch 1   w fixed set"


@pytest.mark.parametrize(
    ("events", "settings", "words"),
    [
        ([started()], {}, "come with the first evaluation"),
        ([started(), epoch_ended(), mistakes()], {}, "no mistakes at all"),
        ([started(), epoch_ended()], {"status": "completed"}, "record holds no mistakes"),
    ],
    ids=["too-early", "none", "an-older-record"],
)
def test_where_there_are_none_it_is_said_why(events, settings, words):
    assert words in worst(view_of(*events, **settings))


def test_a_mistake_without_its_image_says_so():
    known = mistakes((4, 9, 0.99))
    lost = type(known)(**{**{name: getattr(known, name) for name in known.__struct_fields__}, "images": ""})
    assert "not kept" in worst(view_of(started(), epoch_ended(), lost))


def test_a_bar_is_as_long_as_the_network_is_sure():
    lines = worst(view_of(started(), epoch_ended(), mistakes((4, 9, 1.0), (4, 9, 0.5)))).splitlines()
    sure, half = next(line for line in lines if "==" in line).split()
    assert sure == "=" * len(sure)
    assert half == "=" * (len(sure) // 2) + "-" * (len(sure) // 2)


# The cells of the matrix.

COUNTS = [[90 if a == b else 0 for b in range(10)] for a in range(10)]
COUNTS[4][9], COUNTS[1][7] = 5, 3


@pytest.mark.parametrize("width", [78, 61, 52, 118])
def test_the_mouse_finds_the_cell_that_is_drawn_there(width):
    lines = text_of(draw_confusion(COUNTS, DIGITS, width, 13), width).splitlines()
    assert cell_at(DIGITS, width, lines[5].index(" 5 ") + 1, 5) == (4, 9)
    assert cell_at(DIGITS, width, 0, 5) is None
    assert cell_at(DIGITS, width, lines[0].index("right") + 4, 5) is None
    assert cell_at(DIGITS, width, 20, 11) is None


def test_the_cursor_is_marked_and_begins_where_most_mistakes_are():
    assert most_frequent(COUNTS) == (4, 9)
    assert "▸5" in text_of(draw_confusion(COUNTS, DIGITS, 61, 13, (4, 9)), 61)


@pytest.mark.parametrize(
    ("cell", "told", "words"),
    [
        ((4, 9), [(4, 9, 0.9), (4, 9, 0.8)], "5 of 95, the 2 most confident are kept"),
        ((1, 7), [(4, 9, 0.9)], "The record holds no image of this cell"),
        ((2, 3), [(4, 9, 0.9)], "No image is in this cell"),
        ((4, 4), [(4, 9, 0.9)], "These are right"),
        ((4, 9), None, "record holds no images of mistakes"),
    ],
    ids=["some", "none-kept", "empty", "diagonal", "an-older-record"],
)
def test_a_cell_shows_its_images_or_says_why_there_are_none(cell, told, words):
    events = [started(), epoch_ended(confusion=COUNTS), *([mistakes(*told)] if told else [])]
    for width, height in ((78, 21), (118, 37)):
        text = text_of(draw_cells(view_of(*events), cell, "ascii", width, height), width)
        assert words in " ".join(text.split())
        assert text.count("✗") == (2 if "kept" in words and "no" not in words else 0)


def test_images_of_another_epoch_than_the_matrix_are_said_to_be():
    view = view_of(started(), epoch_ended(epoch=1), mistakes((4, 9, 0.9)), epoch_ended(epoch=2, confusion=COUNTS))
    assert "images of epoch 1" in text_of(draw_cells(view, (4, 9), "ascii", 78, 21), 78)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (view_of(started()), "the matrix comes with the first evaluation"),
        (view_of(started(), status="stopped"), "the run ended before there was anything to show"),
        (view_of(started(), epoch_ended(confusion=[[1, 2], [3, 4]])), "this run's matrix is not 10 by 10"),
    ],
)
def test_where_there_are_no_cells_it_is_said_why(view, words):
    assert words in text_of(draw_cells(view, (0, 0), "ascii", 78, 21), 78)


def test_a_cursor_that_began_in_a_strange_matrix_stands_in_the_next_one():
    strange = [[9 if (at, to) == (11, 0) else 1 for to in range(12)] for at in range(12)]
    views = [view_of(started(), epoch_ended(confusion=counts)) for counts in (strange, COUNTS)]
    shown = views[:1]
    cells = CellsScreen(lambda: shown[-1], Choices())
    cells.lines(78, 21)
    shown.append(views[1])
    assert "▸5" in text_of(cells.lines(78, 21), 78)
