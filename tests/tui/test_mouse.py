import real_worker
from piloted import app_of, drive, seen, until, until_seen

from engines.run_queue import RunQueue
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.runs import RunsScreen


def is_shown(pilot, screen):
    return lambda: isinstance(pilot.app.screen, screen)


def test_rows_runs_and_keys_of_the_launcher_can_be_clicked(store, finished_run):
    async def steps(pilot):
        form = pilot.app.screen.query_one("RunForm").form
        await pilot.click("RunForm", offset=(30, 3))
        assert form.texts["dataset"] == "digits"
        await pilot.click("RunForm", offset=(30, 3))
        assert form.texts["dataset"] == "mnist"
        await until_seen(pilot, "completed")
        await pilot.click("RecentRuns", offset=(5, 1))
        await until(pilot, is_shown(pilot, MonitorScreen))
        await pilot.press("escape")
        await pilot.click("RecentRuns", offset=(5, 0))
        await until(pilot, is_shown(pilot, RunsScreen))
        await pilot.press("escape", "D")
        await pilot.click("StartBar", offset=(5, 0))
        await until(pilot, is_shown(pilot, MonitorScreen))

    drive(app_of(store, asked={"framework": "rehearsal"}), steps, (200, 60))


def test_a_run_that_waits_is_not_opened_by_a_click(store, live_run):
    (run_id,) = RunQueue(store).add([real_worker.spec_of()])

    async def steps(pilot):
        await until_seen(pilot, "queued")
        await pilot.click("RecentRuns", offset=(5, 1))
        await until_seen(pilot, "It waits for its turn.")
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app_of(store), steps, (200, 60))
    RunQueue(store).remove(run_id)


def test_panes_are_chosen_by_their_names_and_enlarged_by_their_titles(store, finished_run):
    async def steps(pilot):
        await until_seen(pilot, "completed")
        names = next(line for line in seen(pilot).splitlines() if "network" in line)
        await pilot.click("TabsPane", offset=(names.index("network"), 0))
        bench = pilot.app.screen.query_one("Bench")
        assert bench.chosen == "network"
        await pilot.click("SamplesPane", offset=(2, 0))
        assert bench.chosen == "samples"
        assert len(bench.shown) == 4
        await pilot.click("SamplesPane", offset=(2, 0))
        assert bench.shown == ("samples",)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app_of(store, attach=finished_run), steps, (120, 40))
