import base64

import pytest
from views import epoch_ended, samples, started, text_of, view_of

from tui.lines import plain
from tui.widgets.confusion_pane import draw_confusion
from tui.widgets.samples_pane import SamplesPane, draw_samples

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
    assert plain(SamplesPane(3).legend(seen(predictions), 40)) == "19 of 20 right"


def test_classes_with_names_are_called_by_them():
    predictions = [6, *LABELS[1:]]
    text = text_of(draw_samples(seen(predictions, dataset="fashion-mnist"), "blocks", 78, 17), 78)
    assert "✗ T-shirt" in text
    assert "→ Shirt 99 %" in text
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


@pytest.mark.parametrize("counts", [[], [[1, 2], [3, 4]], [[0] * 10] * 10])
def test_a_matrix_of_another_shape_or_an_empty_one_breaks_nothing(counts):
    assert draw_confusion(counts, DIGITS, 60, 13)
