import os
import shutil
import threading

import pytest
import real_worker
from piloted import PATIENCE_SECONDS, SIZES, app_of, drive, seen, until, until_seen

from engines.label import Label, read_label, write_label
from engines.run_queue import RunQueue
from engines.runs import RunStore
from tui.screens import runs
from tui.screens.confirm import ConfirmScreen
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.prompt import PromptScreen
from tui.screens.runs import RunsScreen


async def open_table(pilot):
    await pilot.press("r")
    await until(pilot, lambda: pilot.app.screen.query("RunTable"))


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


def test_while_only_the_newest_are_read_no_number_of_all_runs_is_said(store, finished_run, monkeypatch):
    for year in ("2098", "2099"):
        shutil.copytree(finished_run, finished_run.with_name(f"{year}0101{finished_run.name[8:]}"))
    may_look = threading.Event()
    monkeypatch.setattr(runs, "FIRST_RUNS", 2)
    app = app_of(store)
    look = app.index.look
    app.index.look = lambda *newest: (may_look.wait(PATIENCE_SECONDS), look(*newest))[1]

    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "The newest 2 runs, reading the others ...")
        may_look.set()
        await until_seen(pilot, "3 runs, 0 alive, in")

    drive(app, steps)


def test_from_a_live_screen_ctrl_r_shows_the_table_and_escape_leads_back_to_the_run(store, finished_run):
    other = finished_run.with_name("20990101" + finished_run.name[8:])
    shutil.copytree(finished_run, other)

    async def steps(pilot):
        for watched in (finished_run, other):
            await until(pilot, lambda watched=watched: getattr(pilot.app.screen, "directory", None) == watched)
            await pilot.press("ctrl+r")
            await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen))
            await until_seen(pilot, "2 runs, 0 alive")
            await pilot.press("ctrl+r", "escape")
            await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
            assert pilot.app.screen.directory == watched
            assert len(pilot.app.screen_stack) == 2
            await pilot.press("ctrl+r")
            await until_seen(pilot, "2 runs, 0 alive")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app_of(store, attach=finished_run), steps)


def test_escape_leads_to_no_run_that_was_deleted_in_the_table(store, finished_run):
    async def steps(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await pilot.press("ctrl+r")
        await until_seen(pilot, "✓ completed")
        shutil.rmtree(finished_run)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, LauncherScreen))

    drive(app_of(store, attach=finished_run), steps)


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


def test_going_on_without_a_checkpoint_is_said_to_begin_at_the_start(store):
    real_worker.train(store, lr=1e38)

    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "✗ failed")
        await pilot.press("c")
        await until_seen(pilot, "from its start, as it has no checkpoint?")

    drive(app_of(store), steps, (120, 40))


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


def test_words_hide_what_they_do_not_stand_in_and_escape_shows_it_again(store, finished_run):
    write_label(finished_run, Label(name="the good one", tags=("sweep",)))

    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "the good one #sweep")
        await pilot.press("slash", *"sweep nn")
        await until_seen(pilot, "1 run, 0 alive, 1 shown")
        await pilot.press(*" x")
        await until_seen(pilot, "No run has all these words: Escape shows all again")
        assert "the good one" not in seen(pilot)
        await pilot.press("enter", "escape")
        await until_seen(pilot, "the good one")
        assert isinstance(pilot.app.screen, RunsScreen)

    drive(app_of(store), steps, (120, 40))


def test_a_run_is_named_and_tagged(store, finished_run):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "✓ completed")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        await pilot.press(*"best", "enter")
        await until_seen(pilot, "best")
        await pilot.press("number_sign")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        await pilot.press(*"a, b", "enter")
        await until_seen(pilot, "best #a #b")

    drive(app_of(store), steps)
    assert read_label(finished_run) == Label(name="best", tags=("a", "b"))


def test_the_runs_folder_is_named_without_what_commands_a_terminal(tmp_path):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "No runs yet")
        assert f"{tmp_path.name}/x y" in seen(pilot)

    drive(app_of(RunStore(tmp_path / "x\x1b[31m\ny")), steps, (200, 40))


def test_a_long_name_of_the_runs_folder_hides_nothing_else_and_is_cut_with_a_mark(tmp_path):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "No runs yet: Escape, then Enter starts the first, in ")
        assert seen(pilot).splitlines()[0].rstrip().endswith("…")

    drive(app_of(RunStore(tmp_path / ("a-long-name/" + "y" * 99))), steps, (60, 16))


def test_deleting_asks_twice_by_name(store, finished_run):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "✓ completed")
        for answers in (("n",), ("y", "n"), ("y", "y")):
            assert finished_run.exists()
            await pilot.press("X")
            for answer in answers:
                await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
                assert finished_run.name in seen(pilot).replace("\n", "")
                await pilot.press(answer)
        await until_seen(pilot, "No runs yet")

    drive(app_of(store), steps, (120, 40))
    assert not finished_run.exists()


def test_a_run_that_is_alive_is_not_deleted(store, live_run):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "▶ running")
        await pilot.press("delete")
        await until_seen(pilot, "stop it first")

    drive(app_of(store), steps)
    assert live_run.run_directory.exists()


def test_a_run_that_waits_is_moved_up_and_taken_out(store, live_run):
    first, second = RunQueue(store).add([real_worker.spec_of(seed=seed) for seed in (1, 2)])

    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "1 alive, 2 waiting")
        await until_seen(pilot, second)
        await pilot.press("U")
        await until(pilot, lambda: [run.run_id for run in RunQueue(store).waiting()] == [second, first])
        await pilot.press("enter", "c", "n")
        await until_seen(pilot, "It waits for its turn.")
        await pilot.press("X")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until_seen(pilot, "1 alive, 1 waiting")

    drive(app_of(store), steps, (120, 40))
    assert [run.run_id for run in RunQueue(store).waiting()] == [first]
    RunQueue(store).remove(first)


def test_e_gives_a_sheet_to_draw_on_for_the_chosen_run(store, finished_run):
    async def steps(pilot):
        await open_table(pilot)
        await until_seen(pilot, "✓ completed")
        await pilot.press("e")
        await until_seen(pilot, "Draw a digit  for Rehearsal nn on Digits")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RunsScreen)

    drive(app_of(store), steps)
