import itertools
import time
from types import SimpleNamespace

import pytest
from piloted import SIZES, app_of, drive, seen, until, until_seen, watch
from real_worker import read_run, spec_of, status_of
from textual import events

import tui.screens.monitor as monitor_module
from engines.event_tail import EventTail
from engines.event_writer import EventWriter
from engines.events import RunError, RunFinished
from engines.runs import RunStore
from tui.app import MnistTuiApp
from tui.frame_pace import FramePace
from tui.screens.curve_keys import CurveKeys
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.watch import Watch
from tui.widgets.bench import PANE_NAMES
from tui.widgets.curve_pane import AccuracyPane, LossPane

CURVE_KEYS = [binding.key for binding in CurveKeys.BINDINGS]


@pytest.mark.parametrize("size", SIZES)
def test_every_pane_of_a_live_run_is_alive(live_run, size):
    words = ["● test", "rows true", "of 20 right", "CPU only", "784x10", "checkpoint saved", "most often", "✓ import"]

    async def steps(pilot):
        await until_seen(pilot, "● running")
        missing = set(words)
        for key in itertools.islice(itertools.cycle("123456789"), 90):
            await pilot.press(key)
            await until_seen(pilot, f"{key} {PANE_NAMES[int(key) - 1]}")
            await pilot.pause(0.3)
            missing = {word for word in missing if word not in seen(pilot)}
            if not missing:
                return
        raise AssertionError(f"never seen: {missing}")

    watch(live_run.run_directory, steps, size)


def test_more_panes_are_shown_where_there_is_more_room(finished_run):
    for size, count in (((80, 24), 1), ((120, 40), 4), ((200, 60), 9)):

        async def steps(pilot, count=count):
            await until_seen(pilot, "completed")
            await until(pilot, lambda: len(pilot.app.screen.query_one("Bench").shown) == count)

        watch(finished_run, steps, size)


def test_a_long_record_is_caught_up_with_bite_by_bite_without_a_wait_for_the_next_tick(finished_run, monkeypatch):
    monkeypatch.setattr(MonitorScreen, "TICK_SECONDS", 1_000.0)
    monkeypatch.setattr(monitor_module, "EAGER_SECONDS", 1_000.0)
    monkeypatch.setattr(monitor_module, "READ_SECONDS", 0.0)
    monkeypatch.setattr(EventTail.read, "__defaults__", (3_000,))

    async def steps(pilot):
        await until_seen(pilot, "completed")

    watch(finished_run, steps)


def test_a_run_is_looked_at_often_only_while_its_first_step_or_an_answer_is_waited_for(live_run, monkeypatch):
    looks = []
    monkeypatch.setattr(MonitorScreen, "TICK_SECONDS", 1_000.0)
    monkeypatch.setattr(Watch, "look", lambda self, seconds, look=Watch.look: looks.append(True) or look(self, seconds))

    async def steps(pilot):
        await until_seen(pilot, "● running")
        await until(pilot, lambda: not pilot.app.screen.is_eager)
        before = len(looks)
        await pilot.pause(5 * monitor_module.EAGER_SECONDS)
        assert len(looks) <= before + 1
        await pilot.press("p")
        await until_seen(pilot, "○ paused")

    watch(live_run.run_directory, steps)


def test_a_frame_that_is_not_due_is_not_asked_for_again_and_again(live_run):
    asked = []

    class CountingPace(FramePace):
        def is_due(self):
            asked.append(True)
            return super().is_due()

    async def steps(pilot):
        await until_seen(pilot, "● running")
        await pilot.pause(0.5)
        asked.clear()
        began = time.monotonic()
        await pilot.pause(1.0)
        await until(pilot, lambda: asked)
        assert len(asked) <= 20 * (time.monotonic() - began)

    drive(app_of(RunStore(live_run.run_directory.parent), attach=live_run.run_directory, pace=CountingPace(1)), steps)


def test_the_smallest_screen_has_room_for_a_whole_matrix(finished_run):
    async def steps(pilot):
        await pilot.press("4")
        await until_seen(pilot, "4 confusion")
        lines = seen(pilot).splitlines()
        assert [line.split()[0] for line in lines[5:15]] == list("0123456789")

    watch(finished_run, steps, (60, 16))


def test_arrows_pages_and_the_wheel_lead_to_rows_that_have_no_room(finished_run):
    async def steps(pilot):
        await pilot.press("5")
        await until_seen(pilot, "↑↓ 1 above")
        assert "epoch    train" in seen(pilot)
        await pilot.press("up")
        await until_seen(pilot, "↑↓ 1 below")
        await pilot.press("pagedown")
        await until_seen(pilot, "↑↓ 1 above")
        pane = pilot.app.screen.query_one("ResultsPane")
        pane.post_message(events.MouseScrollUp(pane, 4, 4, 0, -1, 0, shift=False, meta=False, ctrl=False))
        await until_seen(pilot, "↑↓ 1 below")
        await pilot.press("1", "up", "pageup", "down")
        assert pilot.app.screen.query_one("Bench").chosen == "accuracy"

    watch(finished_run, steps, (60, 17))


def test_tab_and_arrows_step_through_the_panes_and_a_second_press_enlarges_one(finished_run):
    async def steps(pilot):
        bench = pilot.app.screen.query_one("Bench")
        await pilot.press("tab")
        assert bench.chosen == "loss"
        await pilot.press("left", "shift+tab")
        assert bench.chosen == "log"
        await pilot.press("9")
        assert bench.shown == ("log",)
        await pilot.press("9")
        assert len(bench.shown) == 4

    watch(finished_run, steps, (120, 40))


def test_leaving_lets_the_run_go_on_and_says_how_to_come_back(live_run):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press("q")

    app = watch(live_run.run_directory, steps)
    assert f"attach {live_run.run_directory.name}" in app.farewell
    assert status_of(live_run.run_directory) == "running"


def test_a_killed_worker_is_told_of_with_the_way_on(live_run):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        live_run.process.kill()
        await until_seen(pilot, "✗ crashed")
        await until_seen(pilot, "--continue-from")

    watch(live_run.run_directory, steps)


def test_a_failed_run_shows_why_and_what_to_do_in_full(store):
    directory = store.create(spec_of())
    (directory / "worker.log").write_text("Traceback [/x] \x1b[31mred\x1b[0m\nValueError: [TODO] no\n")
    writer = EventWriter(directory / "events.jsonl")
    nothing = dict.fromkeys(
        ("train_accuracy", "train_loss", "test_accuracy", "test_loss", "best_epoch", "best_test_accuracy")
    )
    error = RunError(kind="dataset", message="train-images is an HTML page.", hint="Delete it and try again.")
    writer.write(RunFinished(state="failed", epochs=0, seconds=1.0, error=error, **nothing))
    writer.close()

    async def steps(pilot):
        await until_seen(pilot, "✗ failed")
        for words in ("train-images is an HTML page.", "Delete it and try again.", "Traceback [/x] red", "[TODO] no"):
            await until_seen(pilot, words)

    for size in SIZES:
        watch(directory, steps, size)


def test_images_step_through_their_styles(finished_run):
    async def steps(pilot):
        await pilot.press("3")
        await until_seen(pilot, "▀")
        await pilot.press("i")
        await until(pilot, lambda: any(0x2800 < ord(glyph) <= 0x28FF for glyph in seen(pilot)))
        await pilot.press("i")
        await until_seen(pilot, "@@")
        await pilot.press("i")
        await until_seen(pilot, "▀")

    watch(finished_run, steps)


def test_the_loss_may_be_seen_on_a_logarithmic_scale(finished_run):
    async def steps(pilot):
        await pilot.press("2")
        await until_seen(pilot, "2 loss")
        await pilot.press("l")
        await until_seen(pilot, "log scale")

    watch(finished_run, steps)


def test_a_pane_is_whole_in_the_first_frame_after_its_key_however_slow_the_pace(finished_run, monkeypatch):
    now, painted = [100.0], []
    monkeypatch.setattr(MnistTuiApp, "post_display_hook", lambda app: painted.append(seen(SimpleNamespace(app=app))))

    async def steps(pilot):
        await until_seen(pilot, "best: epoch")
        for key, words in (("3", "✓ 2"), ("2", "lowest"), ("6", "import")):
            painted.clear()
            now[0] += 60
            pilot.app.screen.refresh()
            # What is drawn unasked has its frame now, and no other while the clock stands.
            await until(pilot, lambda: painted and not pilot.app.screen._has_news)
            painted.clear()
            await pilot.press(key)
            await until(pilot, lambda: painted)
            assert f"[{key}{PANE_NAMES[int(key) - 1]}]" in painted[0]
            assert words in painted[0], painted[0]

    pace = FramePace(1, lambda: now[0])
    app = app_of(RunStore(finished_run.parent), attach=finished_run, pace=pace)
    drive(app, steps)
    assert app.crash is None


def test_what_another_screen_hides_is_not_laid_out(finished_run, monkeypatch):
    laid_out = []
    lay_out = LauncherScreen._refresh_layout

    def note(*arguments, **settings):
        laid_out.append(True)
        lay_out(*arguments, **settings)

    monkeypatch.setattr(LauncherScreen, "_refresh_layout", note)

    async def steps(pilot):
        await until_seen(pilot, "best: epoch")
        laid_out.clear()
        launcher = pilot.app.screen_stack[0]
        launcher.refresh(layout=True)
        await pilot.press("2", "3", "1")
        await pilot.pause(0.3)
        assert not laid_out
        await pilot.press("escape")
        await until_seen(pilot, "Enter: start")
        assert laid_out

    watch(finished_run, steps)


def test_a_pane_that_is_hidden_is_never_drawn(finished_run):
    async def steps(pilot):
        await until_seen(pilot, "● 8")
        panes = pilot.app.screen.query_one("Bench").panes
        assert [name for name, pane in panes.items() if pane._lines] == ["accuracy"]

    watch(finished_run, steps)


def test_w_shows_the_worst_mistakes_and_enter_the_images_of_a_cell(finished_run):
    counts = read_run(finished_run).state.epochs[-1].confusion

    async def steps(pilot):
        await pilot.press("3", "w")
        await until_seen(pilot, "worst of")
        assert seen(pilot).count("✗") >= 10
        await pilot.press("w")
        await until_seen(pilot, "of 20 right")
        await pilot.press("4")
        await until_seen(pilot, "rows true")
        await pilot.press("enter")
        await until_seen(pilot, " taken for ")
        label, predicted = pilot.app.screen._place()
        assert f"{label} taken for {predicted}  {counts[label][predicted]} of" in seen(pilot)
        await pilot.press("up", "right", "i")
        await until_seen(pilot, f"{(label - 1) % 10} taken for {(predicted + 1) % 10}  ")
        await pilot.press("escape")
        await until_seen(pilot, "rows true")
        await pilot.click("ConfusionPane", offset=(8, 5))
        await until_seen(pilot, "3 taken for 1  ")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))

    watch(finished_run, steps)


def test_the_curves_are_looked_at_more_closely_by_key_and_mouse(finished_run):
    async def steps(pilot):
        await until_seen(pilot, "● 8")
        await pilot.press("1")
        pane = pilot.app.screen.query_one(AccuracyPane)
        await pilot.press("k", "comma", "a", "z")
        await until_seen(pilot, "epoch 3 step")
        await until_seen(pilot, "zoomed  smoothed 0.6")
        at = pane.look.lens.cursor
        assert pilot.app.choices.smoothing == 0.6
        await pilot.press("less_than_sign", "Z", "v", "k")
        await until(pilot, lambda: pane.look.lens.cursor is None)
        await pilot.click(AccuracyPane, offset=(30, 5))
        await until(pilot, lambda: pane.look.lens.cursor not in {None, at})
        pane.post_message(events.MouseScrollUp(pane, 30, 5, 0, -1, 0, shift=False, meta=False, ctrl=False))
        await until(pilot, lambda: pane.look.lens.span is not None)
        await pilot.press("2")
        assert pilot.app.screen.query_one(LossPane).look.lens == pane.look.lens
        await pilot.press("g")
        await until_seen(pilot, "No run before this one")

    watch(finished_run, steps)


def test_the_run_before_is_a_ghost_behind_the_present_one(finished_run, live_run):
    async def steps(pilot):
        await until_seen(pilot, "● test")
        await pilot.press("g")
        await until_seen(pilot, "┄ before: nn")
        await pilot.press("g")
        await until(pilot, lambda: "┄" not in seen(pilot))

    watch(live_run.run_directory, steps)
