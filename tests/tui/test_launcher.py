import pytest
from piloted import SIZES, app_of, chosen, drive, seen, until, until_seen
from textual import events

import tui.screens.launcher as launcher_module
from engines.events import Gpu
from engines.runs import RunStore
from tui import surroundings
from tui.dataset_look import DatasetLook
from tui.machine import GpuUser, Machine
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.runs import RunsScreen


@pytest.mark.parametrize("size", SIZES)
def test_the_first_screen_shows_the_choice_and_all_that_goes_with_it(store, size):
    async def steps(pilot):
        await until_seen(pilot, "part of scikit-learn")
        await until_seen(pilot, "cores")
        for words in (
            "nn",
            "[digits]",
            "dense, relu",
            "101,770",
            "1,437 + 360 images",
            "▀▀",
            "Enter: start Rehearsal",
        ):
            assert words in seen(pilot)

    drive(app_of(store), steps, size)


@pytest.mark.parametrize("size", SIZES)
def test_f_m_and_d_step_through_the_choices_and_back(store, size):
    async def steps(pilot):
        await pilot.press("m", "d")
        assert (chosen(pilot, "model"), chosen(pilot, "dataset")) == ("lenet", "mnist")
        assert "61,706" in seen(pilot)
        assert "60,000 + 10,000 images" in seen(pilot)
        await pilot.press("M", "D", "f")
        assert [chosen(pilot, row) for row in ("framework", "model", "dataset")] == ["torch", "nn", "digits"]
        await pilot.press("F")
        assert chosen(pilot, "framework") == "rehearsal"

    drive(app_of(store), steps, size)


def test_where_not_all_rows_are_shown_the_heading_says_which_are(store):
    async def steps(pilot):
        await until_seen(pilot, "Run 1 to 11 of 16 rows")
        await pilot.press("pagedown")
        await until_seen(pilot, "Run 6 to 16 of 16 rows")
        assert "▸  on nan" in seen(pilot)
        await pilot.press("pageup")
        await until_seen(pilot, "▸f framework")
        await pilot.resize_terminal(80, 36)
        await until(pilot, lambda: "on nan" in seen(pilot) and "of 16" not in seen(pilot))

    drive(app_of(store), steps)


def test_a_number_that_is_pasted_is_taken_and_other_words_are_not(store):
    async def steps(pilot):
        await pilot.press(*["down"] * 6)
        for text in ("rm -rf /", "0.0003\n", ""):
            pilot.app.post_message(events.Paste(text))
        await until(pilot, lambda: chosen(pilot, "lr") == "0.0003")
        await pilot.press("5")
        assert chosen(pilot, "lr") == "0.00035"
        await pilot.press("home")
        pilot.app.post_message(events.Paste("7"))
        await pilot.press("down")
        assert (chosen(pilot, "framework"), chosen(pilot, "lr")) == ("rehearsal", "0.00035")

    drive(app_of(store), steps)


def test_arrows_walk_the_rows_and_change_their_values(store):
    async def steps(pilot):
        await pilot.press("down", "right", "down", "down", "right", "right", "left")
        assert (chosen(pilot, "model"), chosen(pilot, "epochs")) == ("lenet", "2")
        await pilot.press("end", "space")
        assert chosen(pilot, "on_nan") == "continue"
        await pilot.press("home", "tab", "shift+tab", "up")
        assert "▸f framework" in seen(pilot)

    drive(app_of(store), steps)


def test_numbers_are_typed_over_what_stood_there(store):
    async def steps(pilot):
        await pilot.press("down", "down", "down", "1", "2", "backspace", "5")
        assert chosen(pilot, "epochs") == "15"
        await pilot.press("down", "down", "down", "3", "e", "minus", "4")
        assert chosen(pilot, "lr") == "3e-4"
        await pilot.press("delete", *"12345678901234567890")
        assert chosen(pilot, "lr") == "123456789012"

    drive(app_of(store), steps)


def test_letters_and_erasing_leave_a_choice_alone(store):
    async def steps(pilot):
        await pilot.press("down", "backspace", "delete", "7", "x", "e")
        assert chosen(pilot, "model") == "nn"

    drive(app_of(store), steps)


def test_below_a_run_that_is_opened_at_once_nothing_is_looked_at_until_it_is_seen(store, finished_run, monkeypatch):
    looked_at = []
    monkeypatch.setattr(surroundings, "look_at", lambda name, *_: looked_at.append(name) or DatasetLook(name, "found"))

    async def steps(pilot):
        await until_seen(pilot, "completed")
        await pilot.pause(0.1)
        assert looked_at == []
        await pilot.press("escape")
        await until(pilot, lambda: looked_at)
        assert "Enter: start" in seen(pilot)

    drive(app_of(store, attach=finished_run), steps)


def test_what_the_command_line_has_to_say_stands_on_top(store):
    async def steps(pilot):
        assert seen(pilot).splitlines()[1].strip() == "MNIST [is] not here"

    drive(app_of(store, notice="MNIST [is] not here"), steps)


def test_gpus_are_named_with_their_use_and_can_be_chosen(store, monkeypatch):
    gpu = Gpu(name="H100", utilization=0.25, memory_used=2**31, memory_total=2**36, temperature=None, power=None)
    users = ((GpuUser("ann", "python", 2**30),), ())
    monkeypatch.setattr(surroundings, "look_at_machine", lambda: Machine("EPYC", 2, (gpu, gpu), users))

    async def steps(pilot):
        await until_seen(pilot, "2 GPUs, the emptiest is GPU 0: H100, 2.0 of 64.0 GiB used, 25% busy")
        await until_seen(pilot, "cuda:0  cuda:1 · emptiest: cuda:0")
        await pilot.resize_terminal(120, 40)
        await until_seen(pilot, "GPU 0: H100, 2.0 of 64.0 GiB used, 25% busy: ann python 1.0 GiB")

    drive(app_of(store), steps, (120, 30))


def test_past_runs_are_listed_and_the_best_of_this_choice_named(store, finished_run):
    async def steps(pilot):
        await until_seen(pilot, "best so far")
        assert "completed" in seen(pilot)
        await pilot.press("m")
        assert "best so far" not in seen(pilot)

    drive(app_of(store), steps, (200, 60))


def test_without_runs_a_says_nothing_and_r_shows_an_empty_table(store):
    async def steps(pilot):
        await pilot.press("a")
        assert isinstance(pilot.app.screen, LauncherScreen)
        await pilot.press("r")
        await until_seen(pilot, "No runs yet: Escape")
        assert isinstance(pilot.app.screen, RunsScreen)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app_of(store), steps)


def test_runs_that_cannot_be_read_are_not_said_to_be_none(store):
    store.root.write_text("mine", encoding="utf-8")

    async def steps(pilot):
        await until_seen(pilot, "cannot read")
        assert "No runs" not in seen(pilot)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen))
        await until_seen(pilot, "cannot read")
        assert "No runs" not in seen(pilot)

    drive(app_of(store), steps, (200, 60))


def test_a_run_that_is_alive_is_said_on_top_and_opened_with_a(store, live_run):
    async def steps(pilot):
        await until_seen(pilot, "1 run is alive: a opens")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))

    app = app_of(store)
    drive(app, steps)
    assert f"attach {live_run.run_directory.name}" in app.farewell


def test_a_folder_of_runs_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "runs").mkdir()
    store = RunStore(tmp_path / "runs")
    store.directories = lambda: (_ for _ in ()).throw(launcher_module.StorageProblem("cannot read it.", "Look."))

    async def steps(pilot):
        await until_seen(pilot, "cannot read it. Look.")

    drive(app_of(store), steps)
