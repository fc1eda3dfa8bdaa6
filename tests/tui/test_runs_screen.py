import os

import pytest
import real_worker
from piloted import SIZES, app_of, drive, seen, until, until_seen

from tui.screens.confirm import ConfirmScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.runs import RunsScreen


async def open_table(pilot):
    await pilot.press("r")
    await until(pilot, lambda: pilot.app.screen.query("DataTable"))


@pytest.mark.parametrize("size", SIZES)
def test_a_run_is_a_row_and_enter_opens_it(store, finished_run, size):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "✓ completed")
        for words in ("rehearsal nn digits", "3/3", "%", finished_run.name):
            assert words in seen(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RunsScreen)

    drive(app_of(store), steps, size)


def test_a_row_follows_its_run(store, live_run):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "▶ running")
        live_run.process.kill()
        live_run.process.wait()
        await until_seen(pilot, "✗ crashed")
        assert "0 alive" in seen(pilot)

    drive(app_of(store), steps)


def test_the_cursor_stays_on_its_run_when_a_newer_one_appears(store, finished_run):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "✓ completed")
        newer = finished_run.with_name("20990101" + finished_run.name[8:])
        newer.mkdir()
        newer.joinpath("events.jsonl").write_bytes(finished_run.joinpath("events.jsonl").read_bytes())
        await until_seen(pilot, "2 runs, 0 alive")
        assert finished_run.name in seen(pilot).splitlines()[-2]
        await pilot.press("up")
        assert newer.name in seen(pilot).splitlines()[-2]

    drive(app_of(store), steps)


def test_going_on_past_the_end_asks_first(store, finished_run):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "✓ completed")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        assert "Go on with rehearsal nn digits for 5 epochs more?" in seen(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RunsScreen)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))

    drive(app_of(store), steps)
    real_worker.wait_until(finished_run, lambda state: state.finished and len(state.epochs) == 8)


def test_a_run_that_is_alive_is_not_gone_on_with(store, live_run):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "▶ running")
        await pilot.press("c")
        await until_seen(pilot, "It is alive: Enter opens it.")

    drive(app_of(store), steps)


def test_names_that_look_like_markup_are_shown_as_they_are(store):
    directory = store.root / "20260101-000000-torch-nn-mnist-0000"
    directory.mkdir(parents=True)
    spec = '{"framework": "torch", "model": "[/red]x", "dataset": "[TODO]"}'
    directory.joinpath("spec.json").write_text(spec)
    os.utime(directory, (0, 0))

    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "torch [/red]x [TODO]")
        await pilot.press("c")
        await until_seen(pilot, "Go on with torch [/red]x [TODO]")

    drive(app_of(store), steps)
