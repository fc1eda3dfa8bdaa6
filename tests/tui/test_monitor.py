from types import SimpleNamespace

import pytest
from piloted import SIZES, app_of, drive, seen, until, until_seen
from real_worker import ended, spec_of, start, wait_until
from textual import events

import tui.screens.monitor as monitor_module
from engines.event_tail import EventTail
from engines.event_writer import EventWriter
from engines.events import RunError, RunFinished
from engines.run_reader import RunReader
from engines.runs import RunStore
from tui.app import MnistTuiApp
from tui.frame_pace import FramePace
from tui.screens.confirm import ConfirmScreen
from tui.screens.curve_keys import CurveKeys
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.switcher import SwitcherScreen
from tui.widgets.bench import PANE_NAMES
from tui.widgets.curve_pane import AccuracyPane, LossPane

CURVE_KEYS = [binding.key for binding in CurveKeys.BINDINGS]


def watch(directory, steps, size=(80, 24)):
    """Have `steps` play a person before the live screen of the run in `directory`; gives the app."""

    async def play(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await steps(pilot)

    app = app_of(RunStore(directory.parent), attach=directory)
    drive(app, play, size)
    assert app.crash is None
    return app


async def pause(pilot):
    """Pause the run, so that what it says next stays in sight: its log is soon full of checkpoints otherwise."""
    await pilot.press("p")
    await until_seen(pilot, "○ paused")


def state_of(directory):
    return read(directory).state


def status_of(directory):
    return read(directory).status()


def read(directory):
    reader = RunReader(directory)
    reader.read_all()
    reader.close()
    return reader


@pytest.mark.parametrize("size", SIZES)
def test_every_pane_of_a_live_run_is_alive(live_run, size):
    words = ["● test", "rows true", "of 20 right", "CPU only", "784x10", "checkpoint saved", "most often", "✓ import"]

    async def steps(pilot):
        await until_seen(pilot, "● running")
        shown = ""
        for key in "123456789":
            await pilot.press(key)
            await until_seen(pilot, f"{key} {PANE_NAMES[int(key) - 1]}")
            await pilot.pause(0.3)
            shown += seen(pilot)
        missing = [word for word in words if word not in shown]
        assert not missing

    watch(live_run.run_directory, steps, size)


def test_more_panes_are_shown_where_there_is_more_room(finished_run):
    for size, count in (((80, 24), 1), ((120, 40), 4), ((200, 60), 9)):

        async def steps(pilot, count=count):
            await until_seen(pilot, "completed")
            await until(pilot, lambda: len(pilot.app.screen.query_one("Bench").shown) == count)

        watch(finished_run, steps, size)


def test_a_long_record_is_caught_up_with_bite_by_bite_without_a_wait_for_the_next_tick(finished_run, monkeypatch):
    monkeypatch.setattr(MonitorScreen, "TICK_SECONDS", 1_000.0)
    monkeypatch.setattr(monitor_module, "READ_SECONDS", 0.0)
    monkeypatch.setattr(EventTail.read, "__defaults__", (3_000,))

    async def steps(pilot):
        await until_seen(pilot, "completed")

    watch(finished_run, steps)


def test_the_smallest_screen_has_room_for_a_whole_matrix(finished_run):
    async def steps(pilot):
        await pilot.press("4")
        await until_seen(pilot, "4 confusion")
        lines = seen(pilot).splitlines()
        assert [line.split()[0] for line in lines[5:15]] == list("0123456789")

    watch(finished_run, steps, (60, 16))


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


def test_stopping_is_asked_first_and_saves_a_checkpoint(live_run):
    directory = live_run.run_directory

    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        assert status_of(directory) == "running"
        await pilot.press("s", "y")
        await until_seen(pilot, "stopped after")
        await until_seen(pilot, "--continue-from")

    watch(directory, steps)
    state = state_of(directory)
    assert state.finished.state == "stopped"
    assert state.checkpoints


def test_p_pauses_and_resumes_and_c_saves_a_checkpoint(live_run):
    directory = live_run.run_directory

    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pause(pilot)
        await pilot.press("c", "9")
        await until_seen(pilot, "checkpoint asked for")
        await pilot.press("p")
        await until_seen(pilot, "● running")

    watch(directory, steps)


def test_plus_doubles_and_minus_halves_the_learning_rate(live_run):
    directory = live_run.run_directory

    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pause(pilot)
        await pilot.press("plus", "9")
        await until_seen(pilot, "learning rate is now 0.002")
        await pilot.press("minus")
        await until_seen(pilot, "learning rate is now 0.001")

    watch(directory, steps)


def test_keys_in_one_breath_are_all_obeyed_each_on_top_of_those_before_it(live_run):
    directory = live_run.run_directory

    async def steps(pilot):
        await until_seen(pilot, "epoch")
        for key in ("p", "p", "p", "plus", "plus", "minus", "p"):
            pilot.app.simulate_key(key)
        await until(pilot, lambda: len(state_of(directory).controls) == 7)

    watch(directory, steps)
    asked = [(control.action, control.value) for control in state_of(directory).controls]
    assert asked == [
        ("pause", None),
        ("resume", None),
        ("pause", None),
        ("lr", 0.002),
        ("lr", 0.004),
        ("lr", 0.002),
        ("resume", None),
    ]


def test_e_asks_for_epochs_more_and_the_bars_follow(live_run):
    directory = live_run.run_directory
    before = state_of(directory).spec.epochs

    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pause(pilot)
        await pilot.press("E")
        await until_seen(pilot, f"How many epochs more than {before:,}?")
        await pilot.press("up", "enter")
        await until_seen(pilot, f" of {before + 6}")
        await pilot.press("E", "escape", "9")
        await until_seen(pilot, "6 epochs more, asked by")

    watch(directory, steps)


def test_a_run_with_a_budget_shows_the_time_that_is_left_and_takes_no_epochs_more(store):
    worker = start(store, epochs=None, budget=1_000)

    async def steps(pilot):
        await until_seen(pilot, "left 16:")
        await pilot.press("E")
        await until_seen(pilot, "Time alone ends this run")
        await pilot.press("s", "y")

    watch(worker.run_directory, steps)
    assert ended(worker).finished.state == "stopped"


def test_leaving_lets_the_run_go_on_and_says_how_to_come_back(live_run):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press("q")

    app = watch(live_run.run_directory, steps)
    assert f"attach {live_run.run_directory.name}" in app.farewell
    assert status_of(live_run.run_directory) == "running"


def test_switching_stops_the_run_with_a_checkpoint_and_starts_the_next(live_run, store):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, SwitcherScreen))
        assert "Rehearsal lenet on Digits" in seen(pilot)
        await pilot.press("m", "enter")
        await until_seen(pilot, "Rehearsal lenet1 on Digits")
        await until_seen(pilot, "epoch")
        await pilot.press("s", "y")
        await until_seen(pilot, "stopped after")

    watch(live_run.run_directory, steps)
    state = wait_until(live_run.run_directory, lambda state: state.finished)
    assert state.finished.state == "stopped"
    assert [directory.name.split("-")[3] for directory in store.directories()] == ["lenet1", "nn"]


def test_escape_from_the_switcher_changes_nothing(live_run, store):
    async def steps(pilot):
        await pilot.press("d")
        await until_seen(pilot, "Esc back")
        await pilot.press("f", "down", "right", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))

    watch(live_run.run_directory, steps)
    assert store.directories() == [live_run.run_directory]
    assert status_of(live_run.run_directory) == "running"


def test_the_next_run_may_start_beside_the_present_one(live_run, store):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press("m", "b")
        await until_seen(pilot, "Rehearsal lenet on Digits")
        assert status_of(live_run.run_directory) == "running"
        await until_seen(pilot, "epoch")
        await pilot.press("s", "y")
        await until_seen(pilot, "stopped after")

    watch(live_run.run_directory, steps)
    assert len(store.directories()) == 2


def test_a_finished_run_is_continued_for_epochs_more_once_that_is_confirmed(finished_run):
    async def steps(pilot):
        await until_seen(pilot, "completed after 3 epochs")
        assert "stop" not in seen(pilot).splitlines()[-1]
        await pilot.press("c")
        await until_seen(pilot, "5 epochs more?")
        await pilot.press("y")
        await until_seen(pilot, "completed after 8 epochs")

    watch(finished_run, steps)
    assert state_of(finished_run).started.attempt == 2


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
            now[0] += 60
            await pilot.pause(0.5)  # What is drawn unasked has its frame now, and no other while the clock stands.
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
    counts = state_of(finished_run).epochs[-1].confusion

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
