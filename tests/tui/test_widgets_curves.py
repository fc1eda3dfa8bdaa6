import math

import pytest
from views import batch, epoch_ended, phase, started, text_of, view_of

from engines.series import Series
from tui.lines import plain
from tui.widgets.curve_pane import AccuracyPane, LossPane
from tui.widgets.curves import accuracy_gap, by_column, draw_accuracy, draw_loss, rising_since

SIZES = [(78, 17), (55, 16), (72, 25), (40, 8)]
RUN = (
    phase(),
    started(epochs=5),
    *(batch(1, step, accuracy=0.5 + step / 250, loss=1 - step / 150) for step in range(5, 101, 5)),
    epoch_ended(1, test=0.9142),
    *(batch(2, step, accuracy=0.93, loss=0.2) for step in range(5, 61, 5)),
)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_both_curves_end_in_their_exact_values_at_any_size(width, height):
    text = text_of(draw_accuracy(view_of(*RUN), width, height), width)
    assert "─ 93.00 %" in text
    assert "● 91.42 %" in text
    text = text_of(draw_loss(view_of(*RUN), width, height, is_log=False), width)
    assert "─ 0.2000" in text
    assert "● 0.1500" in text


def test_a_logarithmic_loss_has_the_same_values_and_other_ticks():
    text = text_of(draw_loss(view_of(*RUN), 60, 16, is_log=True), 60)
    assert "─ 0.2000" in text
    assert "0.32 ·" in text


def test_without_utf8_the_curves_are_ascii_and_still_told_apart():
    text = text_of(draw_accuracy(view_of(*RUN, ascii_only=True), 60, 16), 60)
    assert ". 93.00 %" in text
    assert "o 91.42 %" in text
    assert text.replace("·", "").isascii()


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((), "waiting for the worker"),
        ((phase("import", "started", 0),), "importing PyTorch..."),
        ((phase("data", "progress", 3 << 20, 10 << 20, "bytes"),), "loading MNIST, 30 % of 10.0 MiB"),
        ((phase("build", "started", 0),), "building lenet..."),
        ((phase("import"), phase("train", "started", 0, 5, "epochs"), started()), "training the first epoch"),
    ],
)
def test_an_empty_curve_says_what_is_waited_for(events, words):
    assert words in text_of(draw_accuracy(view_of(*events), 60, 16), 60)


def test_missing_values_are_no_end_of_the_world():
    events = (*RUN, batch(2, 65, loss=math.nan, accuracy=None), epoch_ended(2, test=None, test_loss=None, train=None))
    assert "─ 93.00 %" in text_of(draw_accuracy(view_of(*events), 60, 16), 60)
    assert "─ 0.2000" in text_of(draw_loss(view_of(*events), 60, 16, is_log=True), 60)


def test_the_epochs_alone_make_a_curve_where_no_batch_was_told_of():
    text = text_of(draw_accuracy(view_of(started(), epoch_ended(1), epoch_ended(2, train=0.97)), 60, 16), 60)
    assert "─ 97.00 %" in text


def test_the_legend_names_lines_best_epoch_and_gap():
    legend = plain(AccuracyPane(1).legend(view_of(*RUN, epoch_ended(2, train=0.99, test=0.95)), 70))
    assert legend == "─ train  ● test  ◆ best: epoch 2  gap +4.00"


def test_overfitting_is_said_in_words():
    losses = [0.3, 0.2, 0.25, 0.31]
    epochs = [epoch_ended(at, test_loss=loss) for at, loss in enumerate(losses, start=1)]
    assert rising_since(epochs) == 2
    assert rising_since(epochs[:3]) is None
    assert rising_since([]) is None
    assert "test loss rising since epoch 2" in plain(LossPane(2).legend(view_of(started(), *epochs), 70))


def test_the_gap_needs_both_accuracies():
    assert accuracy_gap(epoch_ended(train=0.99, test=0.97)) == pytest.approx(0.02)
    assert accuracy_gap(epoch_ended(train=None)) is None


def test_what_is_drawn_of_the_past_stays_as_the_series_grows():
    series = Series()
    for step in range(100):
        series.append(step / 100, step % 7)
    before = by_column(series, 5.0, 50)
    for step in range(100, 300):
        series.append(step / 100, step % 7)
    assert by_column(series, 5.0, 50)[: len(before) - 1] == before[:-1]


def test_a_column_without_any_value_is_a_gap():
    series = Series()
    for x, y in ((0.05, 1.0), (0.06, None), (0.15, None), (0.25, 3.0)):
        series.append(x, y)
    points = by_column(series, 1.0, 10)
    assert [x for x, _ in points] == [0.06, 0.15, 0.25]
    assert points[0][1] == 1.0
    assert math.isnan(points[1][1])
