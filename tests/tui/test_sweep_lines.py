"""What the screen of a sweep shows, as text: how far it is, which is best, what trains, what each run came to."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import views
from rows import row_of

from engines.sweep import expand, ranking
from engines.sweep_progress import LiveRun, SweepProgress
from tui import ascii_glyphs
from tui.lines import plain, width_of
from tui.sweep_layout import SweepLook, chosen_group, chosen_run, lay_out
from tui.sweep_lines import draw_head, draw_sweep
from tui.sweep_strip import draw_strip, strip_axis
from tui.sweep_table import draw_runs, draw_table
from tui.sweep_view import SweepView, common_words, end_of, name_of_run, title_of, verdict

SIZES = [(58, 15), (78, 23), (118, 39), (198, 49)]
SWEEP = expand({"framework": ["torch"], "dataset": ["digits"], "lr": [0.001, 0.003, 0.01]}, range(3))


def row(spec, accuracy=0.97, *, state="completed", validation=None, seconds=10.0):
    run_id = f"20261126-120000-torch-lenet-digits-{spec.seed:04}"
    figures = {"test_accuracy": accuracy, "validation_accuracy": validation, "seconds": seconds}
    return row_of(run_id, state=state, spec=spec, **figures)


def live(spec, **told):
    known = {
        "directory": Path("/runs/20261126-120001-torch-lenet-digits-abcd"),
        "status": "running",
        "is_ours": True,
        "gpu": None,
        "phase": "train",
        "epoch": 3,
        "epochs": 5,
        "part": 0.5,
        "seconds": 5.0,
        "train_accuracy": 0.9,
        "test_accuracy": 0.96,
        "seconds_left": 5.0,
    }
    return LiveRun(spec=spec, **{**known, **told})


def view_of(rows=(), training=(), *, sweep=SWEEP, reasons=None, at_once=1, stopping=False, to_come=None):
    rows, reasons = {one.spec: one for one in rows}, reasons or {}
    busy = {*rows, *reasons, *(run.spec for run in training)}
    left = tuple(spec for spec in sweep.specs if spec not in busy) if to_come is None else to_come
    return SweepView(sweep, SweepProgress(rows, reasons, tuple(training), left, stopping), 61.0, at_once)


def text(lines):
    return "\n".join(map(plain, lines))


HALFWAY = view_of(
    [row(SWEEP.specs[0], 0.97), row(SWEEP.specs[1], 0.98), row(SWEEP.specs[2], 0.95), row(SWEEP.specs[3], 0.98)],
    [live(SWEEP.specs[4])],
)
FAILED = view_of(
    [row(SWEEP.specs[0], None, state="failed")],
    [live(SWEEP.specs[1], gpu="cuda:1", phase="import", epoch=0, test_accuracy=None, train_accuracy=None)],
    reasons={SWEEP.specs[0]: "the loss is nan at step 2 of epoch 1."},
    at_once=2,
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("look", [SweepLook(), SweepLook(2, 2)])
@pytest.mark.parametrize("view", [view_of(), HALFWAY, FAILED, view_of(stopping=True), view_of(to_come=())])
def test_every_state_fits_every_size(view, look, size):
    lines = draw_sweep(view, look, *size)
    assert len(lines) <= size[1]
    shown = views.text_of(lines, size[0])
    assert "lr 0.003" in shown
    assert "runs of lr" in shown


@pytest.mark.parametrize("size", SIZES)
def test_hundreds_of_combinations_and_seeds_are_scrolled_through(size):
    many = expand({"lr": [at / 1000 for at in range(1, 301)]}, range(50))
    view = view_of(sweep=many)
    for look in (SweepLook(0, 0), SweepLook(150, 25), SweepLook(299, 49)):
        shown = text(draw_sweep(view, look, *size))
        assert f"▸  lr {many.alike[look.group][0].lr:g}" in shown
        assert f"▸ seed {look.run}" in shown
        assert "of 300" in shown
        layout = lay_out(view, look, size[1])
        assert shown.splitlines()[layout.table + layout.groups.index(look.group)].startswith("▸")
        assert shown.splitlines()[layout.detail + layout.runs.index(look.run)].startswith("▸")


def test_the_head_says_how_far_it_is_which_is_best_and_how_long_it_takes():
    first, second, third = (plain(line) for line in draw_head(HALFWAY, 118))
    assert "PyTorch lenet on Digits, 5 epochs" in first
    assert "4 of 9 runs" in first
    assert "1 in training" in first
    assert second.rstrip() == "best so far: lr 0.003, 98.00 % over 1 run  lr 0.001 is 0.50 points behind"
    assert plain(draw_head(HALFWAY, 58)[1]).rstrip() == "best so far: lr 0.003, 98.00 % over 1 run"
    assert "elapsed 1:01" in third


def test_what_has_no_room_in_a_line_of_a_sweep_ends_in_an_ellipsis():
    first, second, _ = (plain(line).rstrip() for line in draw_head(HALFWAY, 50))
    assert first == "sweep  PyTorch lene…  4 of 9 runs  ▶ 1 in training"
    assert plain(draw_head(HALFWAY, 40)[1]) == "best so far: lr 0.003, 98.00 % over 1 r…"
    assert second == "best so far: lr 0.003, 98.00 % over 1 run"
    runs = draw_runs(HALFWAY, SweepLook(0, 0), range(1), 58)
    assert plain(runs[1]).endswith("20261126-1200…")


def test_the_best_is_chosen_on_held_out_images_where_there_are_some():
    specs = SWEEP.specs[:3]
    tested = view_of([row(spec, accuracy) for spec, accuracy in zip(specs, (0.97, 0.99, 0.98), strict=True)])
    assert verdict(tested) == ["best so far: lr 0.003, 99.00 % over 1 run", "lr 0.01 is 1.00 points behind"]
    held_out = [row(spec, 0.9 + at / 100, validation=0.9 - at / 100) for at, spec in enumerate(specs)]
    assert ranking(view_of(held_out).groups) == [0, 1, 2]
    assert verdict(view_of(held_out))[0] == "best so far: lr 0.001, validation 90.00 % over 1 run"
    assert "validation" in plain(draw_table(view_of(held_out), SweepLook(), range(3), 118)[0])
    mixed = [held_out[0], *[replace_validation(one) for one in held_out[1:]]]
    assert ranking(view_of(mixed).groups) == [2, 1, 0]
    assert [line[2] for line in map(plain, draw_table(tested, SweepLook(0), range(3), 78)[1:])] == [" ", "★", " "]


def replace_validation(one):
    return row(one.spec, one.test_accuracy)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (view_of(), "no run is done yet"),
        (view_of(stopping=True), "no run was completed"),
        (view_of([row(SWEEP.specs[0])]), "best so far: lr 0.001, 97.00 % over 1 run"),
        (view_of([row(SWEEP.specs[0])], stopping=True), "best: lr 0.001, 97.00 % over 1 run"),
    ],
)
def test_the_verdict_of_a_young_sweep(view, words):
    assert verdict(view) == [words]


def test_equals_are_called_equal():
    view = view_of([row(SWEEP.specs[0]), row(SWEEP.specs[1])])
    assert verdict(view)[1] == "lr 0.003 is as good"


def test_the_time_left_is_what_runs_of_the_kind_took_shared_among_those_that_train_at_once():
    done = [row(spec, seconds=seconds) for spec, seconds in zip(SWEEP.specs, (10.0, 20.0, 30.0), strict=False)]
    assert view_of(done).seconds_left() == 2 * (10 + 20 + 30)
    assert view_of(done, at_once=2).seconds_left() == 60
    assert view_of(done[:1]).seconds_left() == 80
    assert view_of([], [live(SWEEP.specs[0])]).seconds_left() == 5 + 80
    assert view_of([], [live(SWEEP.specs[0], part=0.0, seconds=None, seconds_left=None)]).seconds_left() is None
    assert view_of().seconds_left() is None
    assert view_of(done, stopping=True).seconds_left() is None


def test_how_much_is_done_counts_what_trains_and_at_the_end_what_is_completed():
    assert HALFWAY.part == pytest.approx(4.5 / 9)
    assert view_of([row(SWEEP.specs[0])], stopping=True).part == pytest.approx(1 / 9)
    assert view_of([row(spec) for spec in SWEEP.specs]).part == 1


def test_a_run_that_was_stopped_counts_by_the_epochs_that_it_has_done():
    halfway = replace_epochs(row(SWEEP.specs[0], state="stopped"), 3)
    assert view_of([halfway]).part == pytest.approx(0.6 / 9)
    assert view_of([halfway], stopping=True).part == pytest.approx(0.6 / 9)
    assert view_of([halfway], to_come=SWEEP.specs).part == pytest.approx(0.6 / 9)
    assert view_of([halfway], [live(SWEEP.specs[0], part=0.7)]).part == pytest.approx(0.7 / 9)
    timed = expand({"budget": [30.0], "epochs": [None]})
    assert view_of([replace_epochs(row(timed.specs[0], state="stopped"), 3)], sweep=timed).part == pytest.approx(0.2)


def replace_epochs(one, done):
    return msgspec.structs.replace(one, epochs_done=done, epoch_seconds=2.0)


def test_runs_in_training_say_where_they_are():
    shown = text(draw_sweep(HALFWAY, SweepLook(), 118, 39))
    assert "lr 0.003 seed 1" in shown
    assert "epoch 3 of 5" in shown
    assert "test 96.00 %" in shown
    shown = text(draw_sweep(FAILED, SweepLook(), 118, 39))
    for words in ("importing PyTorch", "cuda:1", "2 at a time", "1 failed"):
        assert words in shown
    other = text(draw_sweep(view_of([], [live(SWEEP.specs[0], is_ours=False)]), SweepLook(), 118, 39))
    assert "started elsewhere" in other


def test_the_runs_of_a_combination_say_what_they_came_to_and_why_they_failed():
    shown = text(draw_sweep(FAILED, SweepLook(0), 118, 39))
    assert "✗ failed" in shown
    assert "the loss is nan" in shown
    assert "… to come" in shown
    never = view_of([], reasons={SWEEP.specs[0]: "cannot make a run."}, to_come=())
    assert "✗ cannot make a run." in text(draw_sweep(never, SweepLook(0), 118, 39))


def test_the_cursor_follows_what_trains_until_a_person_moves_it():
    assert (chosen_group(HALFWAY, SweepLook()), chosen_run(HALFWAY, SweepLook())) == (1, 1)
    assert (chosen_group(HALFWAY, SweepLook(2)), chosen_run(HALFWAY, SweepLook(2))) == (2, 0)
    over = view_of([row(SWEEP.specs[1], 0.99), row(SWEEP.specs[0], 0.9)], to_come=())
    assert chosen_group(over, SweepLook()) == 1
    assert chosen_run(FAILED, SweepLook(0)) == 0


def test_figures_give_way_to_the_name_where_there_is_little_room():
    held_out = view_of([row(spec, validation=0.9) for spec in SWEEP.specs])
    heads = {width: plain(draw_table(held_out, SweepLook(), range(3), width)[0]).split() for width in (58, 78, 118)}
    assert "lowest" not in heads[58]
    assert "highest" in heads[78]
    assert "seconds" in heads[118]
    tested = plain(draw_table(HALFWAY, SweepLook(), range(3), 78)[0])
    assert all(head in tested for head in ("test", "+-", "lowest", "highest", "seconds"))


def test_the_strip_shows_each_run_their_mean_and_what_trains():
    axis = replace(strip_axis([0.9, 1.0]), low=0.9, high=1.0)
    assert plain(draw_strip([0.9, 0.95, 1.0], 0.95, [], axis, 21)) == "•─────────┃─────────•"
    assert plain(draw_strip([], None, [0.9, 0.2], axis, 11)) == "○" + " " * 10
    assert strip_axis([]) is None
    assert plain(draw_strip([0.9], 0.9, [], axis, 0)) == ""
    alike = strip_axis([0.9722, 0.9722])
    assert alike.low <= 0.9722 <= alike.high
    assert alike.low < alike.high


def test_without_utf8_all_of_it_is_ascii():
    ascii_glyphs.register()
    shown = text(draw_sweep(HALFWAY, SweepLook(), 118, 39))
    encoded = shown.encode("ascii", ascii_glyphs.ERRORS).decode()
    assert "?" not in encoded
    assert [len(line) for line in encoded.splitlines()] == [width_of([(line, "text")]) for line in shown.splitlines()]


def test_what_is_told_outside_of_the_screen():
    assert title_of(HALFWAY) == "50 % sweep, 98.0 %"
    assert title_of(view_of()) == "0 % sweep"
    assert title_of(view_of([row(spec) for spec in SWEEP.specs])) == "✓ sweep, 97.0 %"
    assert title_of(view_of(stopping=True)) == "■ sweep"
    assert end_of(view_of([row(SWEEP.specs[0])], stopping=True)) == (
        "sweep: 1 of 9 runs, best: lr 0.001, 97.00 % over 1 run"
    )


def test_names_say_what_differs_and_hostile_ones_are_harmless():
    sweep = expand({"framework": ["torch", "tensorflow"], "model": ["nn", "lenet"], "batch_size": [16, 32]})
    view = view_of(sweep=sweep)
    assert view.names[0] == "PyTorch nn batch-size 16"
    assert name_of_run(view, sweep.specs[0]) == "PyTorch nn batch-size 16 seed 0"
    assert common_words(sweep) == "on MNIST, 5 epochs"
    timed = expand({"budget": [30.0, 150.0]})
    assert view_of(sweep=timed).names == ["30s", "2m30s"]
    assert common_words(timed) == "PyTorch lenet on MNIST"
    assert common_words(expand({"budget": [30.0]})) == "PyTorch lenet on MNIST, 30s of training"
    seeds = view_of(sweep=expand({"model": ["nn"]}, range(2)))
    assert seeds.names == ["all runs"]
    assert name_of_run(seeds, seeds.sweep.specs[1]) == "seed 1"
    hostile = expand({"model": ["a\x1b[2J", "b"]})
    assert "\x1b" not in text(draw_sweep(view_of(sweep=hostile), SweepLook(), 78, 23))
    assert "\x1b" not in common_words(expand({"model": ["a\x1b[2J"]}))
