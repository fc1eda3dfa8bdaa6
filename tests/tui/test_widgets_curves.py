import asyncio
import math
import re

import pytest
from msgspec.structs import replace
from textual.app import App
from views import batch, epoch_ended, phase, started, text_of, view_of

from engines.events import Batch, ControlApplied, RunStarted
from tui.curve_lines import ACCURACY
from tui.ghost import Ghost
from tui.lens import Lens, extent_of
from tui.lines import plain
from tui.widgets.curve_pane import AccuracyPane, LossPane
from tui.widgets.curves import Look, chart_of

SIZES = [(78, 17), (55, 16), (72, 25), (40, 8)]
RUN = (
    phase(),
    started(epochs=5),
    *(batch(1, step, accuracy=0.5 + step / 250, loss=1 - step / 150) for step in range(5, 101, 5)),
    epoch_ended(1, test=0.9142),
    *(batch(2, step, accuracy=0.93, loss=0.2) for step in range(5, 61, 5)),
)


def drawn(kind, view, width=60, height=16, **look):
    pane = kind(1)
    pane.look = Look(**look)
    return text_of(pane.draw_body(view, width, height), width)


def legend(kind, view, width=70, **look):
    pane = kind(1)
    pane.look = Look(**look)
    return plain(pane.legend(view, width))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_both_curves_end_in_their_exact_values_at_any_size(width, height):
    text = drawn(AccuracyPane, view_of(*RUN), width, height)
    assert "─ 93.00 %" in text
    assert "● 91.42 %" in text
    text = drawn(LossPane, view_of(*RUN), width, height)
    assert "─ 0.2000" in text
    assert "● 0.1500" in text


def test_a_logarithmic_loss_has_the_same_values_and_other_ticks():
    text = drawn(LossPane, view_of(*RUN), is_log=True)
    assert "─ 0.2000" in text
    assert "0.32 ·" in text


def test_without_utf8_the_curves_are_ascii_and_still_told_apart():
    view = view_of(*RUN, ControlApplied(action="pause", value=None), ascii_only=True)
    look = {"lens": Lens(cursor=0.5, smoothing=0.6), "ghost": Ghost("nn", view_of(*RUN).state)}
    text = drawn(AccuracyPane, view, **look)
    assert "+ 92." in text
    assert "o 91.42 %" in text
    assert "." not in re.sub(r"\d\.\d", "", text), "a curve looks as the grid does, which becomes dots"
    assert text.replace("·", "").isascii()
    assert legend(AccuracyPane, view, **look).isascii()


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((), "waiting for the worker"),
        ((phase("import", "started", 0),), "importing PyTorch..."),
        ((phase("data", "progress", 3 << 20, 10 << 20, "bytes"),), "loading MNIST, 30 % of 10.0 MiB"),
        ((phase("build", "started", 0),), "building lenet..."),
        ((phase("import"), phase("train", "started", 0, 5, "epochs"), started()), "training the first epoch"),
        ((started(), batch(1, 5, loss=None, accuracy=None)), "no value so far is a finite number"),
    ],
)
def test_an_empty_curve_says_what_is_waited_for(events, words):
    assert words in drawn(AccuracyPane, view_of(*events))


def test_missing_values_are_no_end_of_the_world():
    events = (*RUN, batch(2, 65, loss=math.nan, accuracy=None), epoch_ended(2, test=None, test_loss=None, train=None))
    assert "─ 93.00 %" in drawn(AccuracyPane, view_of(*events))
    assert "─ 0.2000" in drawn(LossPane, view_of(*events), is_log=True)


def test_the_epochs_alone_make_a_curve_where_no_batch_was_told_of():
    assert "─ 97.00 %" in drawn(AccuracyPane, view_of(started(), epoch_ended(1), epoch_ended(2, train=0.97)))


def test_the_last_line_names_the_best_epoch_and_the_gap():
    view = view_of(*RUN, epoch_ended(2, train=0.99, test=0.95))
    assert drawn(AccuracyPane, view).splitlines()[-1] == "◆ best: epoch 2, 95.00 %  last gap +4.00"
    losses = [epoch_ended(at, test_loss=loss) for at, loss in enumerate([0.3, 0.2, 0.25, 0.31], start=1)]
    words = drawn(LossPane, view_of(started(), *losses), 80).splitlines()[-1]
    assert words == "◆ best: epoch 1, 0.3000  lowest: epoch 2, 0.2000  test loss rising since epoch 2"


def test_the_end_is_the_last_test_itself_also_where_many_are_drawn_as_one():
    many = [epoch_ended(at, test=0.91 + at % 2 / 50) for at in range(1, 401)]
    assert "● 91.00 %" in drawn(AccuracyPane, view_of(started(epochs=400), *many))


def test_where_a_pane_is_low_the_curve_has_all_of_it():
    assert "best" not in drawn(AccuracyPane, view_of(*RUN), 60, 9)
    assert "epoch 2 step 30" in drawn(AccuracyPane, view_of(*RUN), 60, 9, lens=Lens(cursor=1.3))


def test_the_legend_names_the_lines_and_how_they_are_looked_at():
    view = view_of(*RUN)
    assert legend(LossPane, view) == "─ train  ● test"
    lens = Lens(span=1.0, smoothing=0.9)
    assert legend(LossPane, view, lens=lens, is_log=True) == "─ train  ● test  recent  smoothed 0.9  log scale"
    assert legend(LossPane, view_of()) == ""


def test_a_cursor_stands_where_it_is_put_with_the_exact_values_under_it():
    text = drawn(AccuracyPane, view_of(*RUN), lens=Lens(cursor=1.3))
    assert text.splitlines()[-1] == "epoch 2 step 30  ─ 93.00 %  ● 91.42 % (epoch 1)"
    assert text.count("│") >= 10
    assert "│" not in drawn(AccuracyPane, view_of(*RUN), lens=Lens(span=0.2, cursor=0.1))


def test_a_part_of_the_run_is_shown_between_round_numbers_with_axes_of_its_own():
    lines = drawn(AccuracyPane, view_of(*RUN), lens=Lens(span=0.4, end=1.6)).splitlines()
    (ticks,) = [line.split() for line in lines if line.split()[:1] == ["1.2"]]
    assert ticks[-1] == "1.6"
    assert "100 %" not in lines[0]


@pytest.mark.parametrize(("end", "least"), [(1.5, 0.85), (1.9, 0.81)])
def test_a_part_of_the_run_shows_its_few_tests_however_far_they_are_from_the_steps(end, least):
    steps = [batch(epoch, step, accuracy=0.95) for epoch in (1, 2) for step in range(1, 101)]
    view = view_of(phase(), started(), *steps[:100], epoch_ended(1, test=0.9), *steps[100:], epoch_ended(2, test=0.8))
    axis = chart_of(view, ACCURACY, 80, 16, Look(lens=Lens(span=0.8, end=end))).y_axis
    assert least - 0.03 < axis.low <= least + 1e-9
    assert axis.high >= 0.95


def test_a_smoothed_line_has_the_raw_one_behind_it_and_ends_in_its_own_value():
    events = (started(), *(batch(1, step, loss=0.4 if step % 2 else 0.2) for step in range(1, 101)))
    pane = LossPane(1)
    pane.look = Look(lens=Lens(smoothing=0.99))
    lines = pane.draw_body(view_of(*events), 60, 16)
    assert {"faint", "train"} <= {role for line in lines for _, role in line}
    assert "─ 0.29" in text_of(lines, 60)


def test_numbers_of_any_size_are_drawn_at_any_zoom():
    def told(epoch, loss):
        figures = {"loss": loss, "accuracy": loss, "images_per_second": 1.0, "lr": 1.0}
        return Batch(epoch=epoch, step=epoch, steps_per_epoch=2**53, **figures)

    asked = [ControlApplied(action=action, value=1e308) for action in ("lr", "epochs")]
    view = view_of(started(), told(1, 1e308), told(2**53, -1e308), *asked, epoch_ended(2**53, test=-1e300))
    lens, extent = Lens(), extent_of(view)
    for step in range(40):
        for width, height in ((78, 17), (3, 12), (1, 1)):
            drawn(AccuracyPane, view, width, height, lens=lens)
            drawn(LossPane, view, width, height, lens=lens, is_log=step % 2 == 0)
        lens = lens.zoomed(0.5, extent).moved(-0.3, extent)


def test_the_run_before_lies_behind_and_is_named():
    before = view_of(started(), batch(1, 50, accuracy=0.6), batch(1, 100, accuracy=0.7), epoch_ended(1, test=0.8)).state
    look = Look(ghost=Ghost("nn 14:45", before))
    pane = AccuracyPane(1)
    pane.look = look
    lines = pane.draw_body(view_of(*RUN), 60, 16)
    assert "ghost" in {role for line in lines for _, role in line}
    assert "┄ before: nn 14:45" in legend(AccuracyPane, view_of(*RUN), ghost=look.ghost)
    assert legend(AccuracyPane, view_of(*RUN), 30, ghost=look.ghost).endswith("┄ nn 14:45")


def test_what_was_asked_of_the_run_is_marked_under_the_curve_by_its_key():
    asked = [("lr", 0.002), ("lr", 0.0005), ("pause", None), ("checkpoint", None), ("epochs", 2.0), ("stop", None)]
    events = [started(epochs=5)]
    for at, (action, value) in enumerate(asked):
        events += [batch(1, 15 * (at + 1)), ControlApplied(action=action, value=value)]
    first = events[0]
    second = {name: getattr(first, name) for name in first.__struct_fields__} | {"attempt": 2, "steps_done": 98}
    events.append(RunStarted(**{**second, "seq": -1}))
    events.append(batch(2, 50, loss=None))
    signs = drawn(LossPane, view_of(*events), 120, 16).splitlines()[-4:]
    assert any(line.split() == ["+", "-", "p", "c", "E", "»", "!"] for line in signs), signs


@pytest.mark.parametrize(("seconds", "period"), [(5.0, AccuracyPane.PERIOD), (60.0, AccuracyPane.LONG_PERIOD)])
def test_curves_of_which_a_column_takes_long_are_drawn_less_often(seconds, period):
    class CurveApp(App):
        def compose(self):
            yield AccuracyPane(1)

    async def run():
        async with CurveApp().run_test() as pilot:
            pane = pilot.app.query_one(AccuracyPane)
            assert pane.period == AccuracyPane.PERIOD
            pane.offer(view_of(started(epochs=5), batch(), replace(epoch_ended(1), seconds=seconds), batch(epoch=2)))
            assert pane.period == period

    asyncio.run(run())
