"""The screen of a sweep: real runs train under it, keys open, stop and continue them, and it is left in many ways."""

import signal

import command_line
import mishaps
import pytest
import real_worker
from held_training import held
from piloted import drive, seen, until, until_seen
from real_terminal import RealTerminal

from engines.places import Places
from engines.run_queue import RunQueue
from engines.run_reader import RunReader
from engines.runs import summarise
from engines.sweep import expand
from engines.sweep_driver import SweepDriver
from tui.screens.confirm import ConfirmScreen
from tui.screens.help import HelpScreen
from tui.screens.leave_sweep import LeaveSweepScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.runs import RunsScreen
from tui.screens.sweep import SweepScreen
from tui.screens.too_small import TooSmallScreen
from tui.sweep_app import SweepApp

SWEEP = ("sweep", "-f", "rehearsal", "-m", "nn", "-d", "digits", "--seeds", "3", "--jobs", "2", "--epochs")


def app_of(store, *, epochs=1, seeds=2, jobs=1, rates=(0.001, 0.01)):
    axes = {"framework": ["rehearsal"], "model": ["nn"], "dataset": ["digits"], "epochs": [epochs], "lr": [*rates]}
    return SweepApp(store, SweepDriver(store, expand(axes, range(seeds)), Places(jobs=jobs)))


def driver_of(pilot):
    return pilot.app._sweep


def training(pilot, count):
    live = driver_of(pilot).progress.training
    return len(live) == count and all(run.epoch > 1 for run in live)


@pytest.fixture(autouse=True)
def nothing_trains_on(store):
    """What a test left training is killed."""
    yield
    mishaps.end_all(store.root)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_a_sweep_trains_to_its_end_and_stays_shown(store, size, monkeypatch):
    told = []
    monkeypatch.setattr(SweepApp, "on_run_ended", lambda _, message: told.append(message.words))

    async def steps(pilot):
        assert isinstance(pilot.app.screen, SweepScreen)
        assert "0/1" in seen(pilot)
        await until_seen(pilot, "2 of 2 runs")
        assert "✓ completed" in seen(pilot)
        assert "best: lr" in seen(pilot)
        assert seen(pilot).count("1/1") == 2
        assert "100 %" in seen(pilot)
        await until(pilot, lambda: told)
        assert pilot.app.title.startswith("✓ sweep")
        assert not pilot.app.screen.check_action("stop", ())
        assert not pilot.app.screen.check_action("go_on", ())
        await pilot.press("q")

    app = app_of(store, seeds=1)
    drive(app, steps, size)
    assert not app.return_code
    assert [words.partition(" lr ")[0] for words in told] == ["sweep: 2 of 2 runs, best:"]


def test_enter_opens_the_run_that_trains_and_escape_comes_back(store):
    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 1))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        assert pilot.app.screen.directory == driver_of(pilot).progress.training[0].directory
        before = driver_of(pilot).progress.training[0].epoch
        await until(pilot, lambda: driver_of(pilot).progress.training[0].epoch > before)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, SweepScreen)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen))
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen))
        await pilot.press("escape", "question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        await until_seen(pilot, "stop the sweep, each run with a checkpoint")

    drive(app_of(store, epochs=100_000), steps)


def test_arrows_and_the_mouse_choose_a_combination_and_a_run_of_it(store):
    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 1))
        await pilot.press("down")
        await until_seen(pilot, "runs of lr 0.01")
        await pilot.press("enter")
        await until_seen(pilot, "It waits for its turn.")
        await pilot.press("right")
        await until_seen(pilot, "▸ seed 1")
        await pilot.press("left", "left")
        await until_seen(pilot, "▸ seed 1")
        rows = seen(pilot).splitlines()
        await pilot.click(offset=(6, next(at for at, line in enumerate(rows) if line.startswith("    lr 0.001"))))
        await until_seen(pilot, "runs of lr 0.001")
        rows = seen(pilot).splitlines()
        await pilot.click(offset=(6, next(at for at, line in enumerate(rows) if line.startswith("   seed 1"))))
        await until_seen(pilot, "▸ seed 1")
        await pilot.press("down", "escape")
        await until_seen(pilot, "▸ seed 0")
        assert "runs of lr 0.001" in seen(pilot)

    drive(app_of(store, epochs=100_000), steps)


def test_pages_and_the_ends_lead_through_many_combinations_and_no_further(store):
    async def steps(pilot):
        chosen = []
        for key in ("pagedown", "pageup", "pageup", "end", "pagedown", "home"):
            await pilot.press(key)
            chosen.append(pilot.app.screen.look.group)
        page, *others = chosen
        assert 3 < page < 24
        assert others == [0, 0, 39, 39, 0]

    drive(app_of(store, epochs=100_000, rates=[0.001 * at for at in range(1, 41)]), steps)


def test_s_stops_with_checkpoints_once_that_is_confirmed_and_c_continues(store):
    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 2))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("n")
        await pilot.pause()
        assert not driver_of(pilot).progress.is_stopping
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until_seen(pilot, "c continue")
        assert seen(pilot).count("■ stopped") == 3
        assert [summarise(run).state for run in store.directories()] == ["stopped"] * 2
        await pilot.press("c")
        await until(pilot, lambda: len(driver_of(pilot).progress.training) == 2)
        for run in store.directories():
            await until(pilot, lambda run=run: RunReader(run).read_all().started.attempt == 2)
            assert RunReader(run).read_all().started.epochs_done >= 1

    drive(app_of(store, epochs=100_000, seeds=3, jobs=2, rates=(0.001,)), steps)
    assert len(store.directories()) == 2


def test_stopping_a_sweep_that_ended_while_that_was_asked_says_so(store):
    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 1))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        mishaps.end_all(store.root)
        await until(pilot, lambda: driver_of(pilot).progress.is_over)
        await pilot.press("y")
        await until_seen(pilot, "The sweep has ended meanwhile")
        assert not driver_of(pilot).progress.is_stopping

    drive(app_of(store, epochs=100_000, seeds=1, rates=(0.001,)), steps)


def test_a_run_that_failed_is_said_why_and_the_others_train(store):
    async def steps(pilot):
        await until_seen(pilot, "■ incomplete")
        assert "1 failed" in seen(pilot)
        assert "1 of 2 runs" in seen(pilot)
        while "runs of lr 1e+38" not in seen(pilot):
            await pilot.press("down")
            await pilot.pause(0.05)
        assert "the loss is nan" in seen(pilot)
        assert pilot.app.screen.check_action("go_on", ())

    drive(app_of(store, seeds=1, rates=(1e38, 0.001)), steps, (120, 30))


def test_what_fails_while_another_screen_is_shown_is_told_there(store):
    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 1))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        mishaps.end_all(store.root)
        await until_seen(pilot, "1 run of the sweep failed")

    drive(app_of(store, epochs=100_000), steps, (120, 30))


@pytest.mark.parametrize("over", ["the sweep", "a run"])
def test_q_asks_what_becomes_of_the_runs_and_escape_stays(store, over):
    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 1))
        if over == "a run":
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        here = type(pilot.app.screen)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveSweepScreen))
        await until_seen(pilot, "1 run in training, 3 to come")
        await pilot.press("q", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, here))
        await pilot.press("q", "s")

    app = app_of(store, epochs=100_000)
    drive(app, steps)
    assert not app.return_code
    assert app.queued is None
    driver = app._sweep
    while not driver.progress.is_over:
        driver.step()
    assert [row.state for row in driver.progress.rows.values()] == ["stopped"]


def test_ctrl_c_stops_and_leaves_also_while_that_is_asked(store):
    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 1))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveSweepScreen))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not pilot.app.is_running)

    app = app_of(store, epochs=100_000)
    drive(app, steps)
    assert app.return_code == 130


@pytest.mark.parametrize("key", ["s", "w"])
def test_leaving_a_sweep_that_ended_while_that_was_asked_is_as_after_its_end(store, key):
    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 1))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveSweepScreen))
        mishaps.end_all(store.root)
        await until(pilot, lambda: driver_of(pilot).progress.is_over)
        await pilot.press(key)
        await until(pilot, lambda: not pilot.app.is_running)

    app = app_of(store, epochs=100_000, seeds=1, rates=(0.001,))
    drive(app, steps)
    assert app.queued is None
    assert not app._sweep.progress.is_stopping


def test_without_me_the_runs_go_on_and_the_rest_waits_in_the_queue(store, monkeypatch):
    monkeypatch.setattr(RunQueue, "see_to_it", lambda _: None)

    async def steps(pilot):
        await until(pilot, lambda: training(pilot, 1))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveSweepScreen))
        await pilot.press("w")
        await until(pilot, lambda: pilot.app.queued is not None)

    app = app_of(store, epochs=100_000)
    drive(app, steps)
    assert app.queued == len(RunQueue(store).orders()) == 3
    assert summarise(store.directories()[0]).state == "running"


def test_too_small_a_terminal_trains_all_the_same(store):
    async def steps(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, TooSmallScreen))
        await until(pilot, lambda: driver_of(pilot).progress.completed == 1)
        await pilot.resize_terminal(60, 16)
        await until_seen(pilot, "✓ completed")

    drive(app_of(store, seeds=1, rates=(0.001,)), steps, (40, 10))


def open_sweep(epochs):
    terminal = RealTerminal(command_line.COMMAND, *SWEEP, str(epochs))
    terminal.wait_for(lambda: terminal.is_the_apps() and "2 in training" in terminal.text, "two runs in training")
    return terminal


def wait_for_two(store):
    for directory in store.directories():
        mishaps.wait_for_epoch(directory, 2)


@pytest.mark.parametrize("how", ["key", "signal"])
def test_on_a_real_terminal_ctrl_c_stops_with_checkpoints_and_the_same_command_goes_on(store, how):
    with held(2):
        terminal = open_sweep(3)
        wait_for_two(store)
        if how == "key":
            terminal.child.send("\x03")
        else:
            terminal.child.kill(signal.SIGTERM)
        assert terminal.end() == (130 if how == "key" else 143)
    terminal.assert_as_before()
    assert "the same command goes on where this one was." in terminal.text
    stopped = store.directories()
    assert [summarise(run).state for run in stopped] == ["stopped"] * 2

    again = RealTerminal(command_line.COMMAND, *SWEEP, "3")
    again.wait_for(lambda: "3 of 3 runs" in again.text, "the end of the sweep")
    again.child.send("q")
    assert again.end() == 0
    again.assert_as_before()
    assert "3/3" in again.text
    states = [RunReader(run).read_all() for run in stopped]
    assert [(state.started.attempt, state.started.epochs_done >= 1) for state in states] == [(2, True)] * 2
    assert len(store.directories()) == 3


def test_after_a_line_that_dropped_the_runs_go_on(store):
    terminal = open_sweep(100_000)
    wait_for_two(store)
    terminal.take_away()
    runs = store.directories()
    for run in runs:
        done = RunReader(run).read_all().epochs[-1].epoch
        mishaps.wait_for_epoch(run, done + 3)
    assert [summarise(run).state for run in runs] == ["running"] * 2


def test_with_no_ui_a_terminal_gets_plain_lines(store):
    terminal = RealTerminal(command_line.COMMAND, *SWEEP, "1", "--no-ui")
    assert terminal.end() == 0
    assert b"\x1b[?1049h" not in terminal.written
    assert "3/3" in terminal.text
    assert real_worker.read_events(store.directories()[0])
