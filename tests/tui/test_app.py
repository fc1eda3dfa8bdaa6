import gc
import signal

import pytest
from piloted import SIZES, app_of, drive, seen, until, until_seen
from textual.strip import Strip

import tui.app
import tui.screens.launcher as launcher_module
from engines.problems import StorageProblem
from tui.screens.confirm import ConfirmScreen
from tui.screens.help import HelpScreen, keys_of
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.replay import ReplayScreen
from tui.screens.runs import RunsScreen
from tui.screens.too_small import TooSmallScreen
from tui.widgets.run_form import RunForm


def is_shown(pilot, screen):
    return lambda: isinstance(pilot.app.screen, screen)


@pytest.mark.parametrize("size", SIZES)
def test_enter_starts_a_real_run_and_shows_it_to_its_end(store, size):
    async def steps(pilot):
        await pilot.press("enter")
        await until(pilot, is_shown(pilot, MonitorScreen))
        await until_seen(pilot, "completed")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LauncherScreen)
        await pilot.press("q")

    app = app_of(store)
    drive(app, steps, size)
    (directory,) = store.directories()
    assert "rehearsal-nn-digits" in directory.name
    assert (app.return_code, app.farewell, app.crash) == (0, "", None)


def test_pressing_enter_again_while_a_run_starts_starts_no_other(store):
    async def steps(pilot):
        await pilot.press("enter", "enter", "enter")
        await until(pilot, is_shown(pilot, MonitorScreen))

    drive(app_of(store, asked={"epochs": 1}), steps)
    assert len(store.directories()) == 1


def test_start_begins_the_run_at_once_and_attach_shows_one(store, finished_run):
    async def steps(pilot):
        await until(pilot, is_shown(pilot, MonitorScreen))
        await until_seen(pilot, "completed")

    drive(app_of(store, start=True), steps)
    assert len(store.directories()) == 2
    drive(app_of(store, attach=finished_run), steps)


def test_leaving_says_that_the_run_goes_on_and_how_to_watch_it(store):
    async def steps(pilot):
        await until(pilot, is_shown(pilot, MonitorScreen))
        await pilot.press("q")

    app = app_of(store, asked={"epochs": 100_000}, start=True)
    drive(app, steps)
    (directory,) = store.alive()
    assert app.farewell.startswith(f"Run {directory.name} goes on; watch it with: mnist-tui")
    assert app.return_code == 0
    (worker,) = app.processes._running
    worker.process.kill()
    worker.process.wait()
    assert app.farewell == ""


def test_a_start_that_fails_is_said_and_the_form_stays(store, monkeypatch):
    def refuse(*_):
        raise StorageProblem("cannot make a run in [/here]: no space left.", "Name another folder.")

    monkeypatch.setattr("engines.launch.start", refuse)

    async def steps(pilot):
        await pilot.press("m", "enter")
        await until_seen(pilot, "cannot make a run in [/here]")
        assert isinstance(pilot.app.screen, LauncherScreen)
        assert "Enter: start Rehearsal lenet" in seen(pilot)

    drive(app_of(store), steps)


def test_a_spare_of_the_framework_that_one_stays_with_is_used(store, monkeypatch):
    monkeypatch.setattr(launcher_module, "SETTLED_SECONDS", 0.05)

    async def steps(pilot):
        spare = await until(pilot, lambda: pilot.app.processes.spare._spare)
        await pilot.press("enter")
        await until(pilot, is_shown(pilot, MonitorScreen))
        (worker,) = pilot.app.processes._running
        assert worker.process.pid == spare.process.pid
        await until_seen(pilot, "completed")

    drive(app_of(store), steps)


def test_a_spare_that_nobody_needs_is_ended(store, monkeypatch):
    monkeypatch.setattr(launcher_module, "SETTLED_SECONDS", 0.05)
    spares = []

    async def steps(pilot):
        spares.append(await until(pilot, lambda: pilot.app.processes.spare._spare))
        await pilot.press("r")
        await until(pilot, lambda: not spares[0].is_alive())
        await pilot.press("escape")
        spares.append(await until(pilot, lambda: pilot.app.processes.spare._spare))
        await pilot.press("q")

    drive(app_of(store), steps)
    assert [spare.process.returncode for spare in spares] == [-signal.SIGKILL] * 2


@pytest.mark.parametrize("key", ["question_mark", "f1"])
def test_help_names_every_key_that_has_a_meaning(store, key):
    async def steps(pilot):
        await pilot.press(key)
        await until(pilot, is_shown(pilot, HelpScreen))
        for words in ("start", "framework", "row above", "stop", "leave", "Live screen", "continue"):
            assert words in seen(pilot)
        await pilot.press(key)
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app_of(store), steps, (100, 300))


def test_the_keys_of_the_live_screen_come_first_over_it_and_none_touches_its_words(store, finished_run):
    async def steps(pilot):
        pilot.app.open_run(finished_run)
        await pilot.pause()
        await pilot.press("question_mark")
        await until(pilot, is_shown(pilot, HelpScreen))
        lines = [line.strip("│ ") for line in seen(pilot).splitlines()]
        places = [lines.index(heading) for heading in ("Live screen", "Curves", "Launcher", "Replay", "Everywhere")]
        assert places == sorted(places)
        assert any(line.startswith("tab → shift+tab ←  accuracy or loss") for line in lines)

    drive(app_of(store), steps, (60, 300))


@pytest.mark.parametrize(
    "keys",
    [["question_mark"], ["ctrl+p"], ["f"], ["c"], ["ctrl+r", "n"], ["ctrl+r", "slash"], ["ctrl+r", "X"]],
    ids=["help", "palette", "switcher", "question", "prompt", "filter", "deletion"],
)
def test_ctrl_c_leaves_from_whatever_is_asked(store, finished_run, keys):
    async def steps(pilot):
        await until_seen(pilot, "completed")
        for key in keys:
            before = pilot.app.screen
            await pilot.press(key)
            await until(pilot, lambda before=before: pilot.app.screen is not before or "filter" in seen(pilot))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not pilot.app.is_running)

    app = app_of(store, attach=finished_run)
    drive(app, steps)
    assert not app.return_code


def test_every_binding_that_is_described_is_in_the_help():
    assert ("?", "help") in keys_of(tui.app.MnistTuiApp)
    assert ("esc r", "back") in keys_of(RunsScreen)
    assert len(keys_of(RunForm)) == len(RunForm.BINDINGS)


def test_t_changes_between_dark_and_light(store):
    async def steps(pilot):
        before = pilot.app.current_theme.dark
        await pilot.press("t")
        assert pilot.app.current_theme.dark is not before
        await pilot.press("t")
        assert pilot.app.current_theme.dark is before

    drive(app_of(store), steps)


@pytest.mark.parametrize("size", [(59, 24), (80, 15), (1, 1)])
def test_too_small_a_terminal_is_told_what_is_needed(store, size):
    async def steps(pilot):
        await until(pilot, is_shown(pilot, TooSmallScreen))
        await pilot.press("escape", "r")
        assert isinstance(pilot.app.screen, TooSmallScreen)
        await pilot.resize_terminal(60, 16)
        await until(pilot, is_shown(pilot, LauncherScreen))
        await pilot.resize_terminal(40, 10)
        await until_seen(pilot, "mnist-tui needs 60x16")
        await pilot.press("q")

    drive(app_of(store), steps, size)


def test_a_run_that_starts_in_too_small_a_terminal_is_there_once_it_grows(store):
    async def steps(pilot):
        await until(pilot, lambda: any(isinstance(screen, MonitorScreen) for screen in pilot.app.screen_stack))
        assert isinstance(pilot.app.screen, TooSmallScreen)
        await pilot.resize_terminal(80, 24)
        await until(pilot, is_shown(pilot, MonitorScreen))

    drive(app_of(store, start=True), steps, (40, 10))


def test_what_is_opened_in_too_small_a_terminal_leads_back_to_where_there_is_room(store, finished_run):
    async def steps(pilot):
        await until(pilot, is_shown(pilot, TooSmallScreen))
        pilot.app.open_replay(finished_run)
        await until_seen(pilot, "mnist-tui needs 60x16")
        await pilot.resize_terminal(80, 24)
        await until(pilot, is_shown(pilot, ReplayScreen))
        await pilot.press("escape")
        await until(pilot, is_shown(pilot, LauncherScreen))

    drive(app_of(store), steps, (40, 10))


@pytest.mark.parametrize(
    ("keys", "answer"), [("y", True), ("n", False), ("escape", False), ("enter", True), ("right enter", False)]
)
def test_a_question_is_answered_with_letters_or_arrows(store, keys, answer):
    answers = []

    async def steps(pilot):
        pilot.app.push_screen(ConfirmScreen("Really [/red]?"), answers.append)
        await until_seen(pilot, "Really [/red]?")
        await pilot.press(*keys.split())

    drive(app_of(store), steps)
    assert answers == [answer]


def test_an_exception_in_the_app_is_one_line_and_exit_code_1(store, capfd):
    async def steps(pilot):
        def fail():
            raise ZeroDivisionError("secret [/x]")

        pilot.app.call_later(fail)
        await pilot.pause()

    app = app_of(store)
    with pytest.raises(ZeroDivisionError):
        drive(app, steps)
    assert app.return_code == 1
    assert "ui.log" in str(app.crash)
    assert "Traceback" not in "".join(capfd.readouterr())


def count_strips():
    gc.collect()
    return sum(type(kept) is Strip for kept in gc.get_objects())  # `isinstance` asks objects, and some complain.


@pytest.mark.parametrize(("key", "words"), [("question_mark", "Escape: back"), ("ctrl+p", "what to do, or where")])
def test_what_was_looked_up_is_not_held_on_to(store, key, words):
    async def steps(pilot):
        launcher = pilot.app.screen

        async def open_and_leave():
            await pilot.press(key)
            await until(pilot, lambda: pilot.app.screen is not launcher)
            await until_seen(pilot, words)
            await pilot.press("escape")
            await until(pilot, lambda: pilot.app.screen is launcher)

        await open_and_leave()
        before = count_strips()
        for _ in range(8):
            await open_and_leave()
        await until(pilot, lambda: count_strips() - before < 150)

    drive(app_of(store), steps, (120, 40))


def test_a_screen_that_was_left_is_not_held_on_to(store, finished_run):
    async def steps(pilot):
        async def open_and_leave():
            pilot.app.open_run(finished_run)
            await until(pilot, is_shown(pilot, MonitorScreen))
            await until_seen(pilot, "completed after")
            await pilot.press("escape")
            await until(pilot, is_shown(pilot, LauncherScreen))

        before = count_strips()
        for _ in range(4):
            await open_and_leave()
        await until(pilot, lambda: count_strips() - before < 300)

    drive(app_of(store), steps, (120, 40))
