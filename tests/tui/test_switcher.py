import re
import signal

import pytest
from piloted import seen, until, until_seen, watch
from real_worker import status_of, wait_until
from rows import row_of

from engines import control
from engines.problems import StorageProblem
from engines.spec import RunSpec
from tui.lines import plain, width_of
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.switcher import SwitcherScreen, draw_switcher, reached_lines, step_spec

PRESENT = RunSpec(framework="torch", model="lenet", dataset="mnist", epochs=7, lr=0.01)


@pytest.mark.parametrize(
    ("row", "by", "value"),
    [("framework", 1, "tensorflow"), ("model", 1, "lenet1"), ("model", -2, "airnet-m"), ("dataset", -1, "digits")],
)
def test_a_row_steps_round_and_leaves_the_rest(row, by, value):
    stepped = step_spec(PRESENT, row, by)
    assert getattr(stepped, row) == value
    assert (stepped.epochs, stepped.lr) == (7, 0.01)


def test_another_model_brings_the_recipe_that_is_its_own():
    stepped = step_spec(RunSpec(model="lenet1"), "model", 1)
    assert (stepped.model, stepped.recipe, stepped.optimizer) == ("airnet-s", "fast", "sgd")
    assert step_spec(stepped, "model", -1) == RunSpec(model="lenet1")


def test_what_is_not_offered_steps_to_what_is():
    assert step_spec(RunSpec(framework="rehearsal"), "framework", 1).framework == "torch"


def test_the_choice_is_in_brackets_and_the_keys_are_said():
    lines = draw_switcher(RunSpec(model="nn", dataset="fashion-mnist"), "model", is_alive=True)
    text = "\n".join(map(plain, lines))
    for words in ("PyTorch nn on Fashion-MNIST", "▸ model", "[nn]", "[fashion-mnist]", "stop this run", "b "):
        assert words in text
    assert max(map(width_of, lines)) <= 56


def test_nothing_is_stopped_where_nothing_is_alive():
    text = "\n".join(map(plain, draw_switcher(PRESENT, "model", is_alive=False)))
    assert "stop" not in text


def run_of(model, best, epoch_seconds):
    return row_of(spec=RunSpec(model=model), best_test_accuracy=best, epoch_seconds=epoch_seconds)


def test_each_choice_shows_what_it_reached_before():
    runs = [run_of("nn", 0.9712, 0.82), run_of("nn", 0.95, 0.5), run_of("lenet", 0.9856, 40.1)]
    text = "\n".join(map(plain, reached_lines(runs, RunSpec(model="lenet"), "model")))
    for words in (r"  nn +97\.12 % +0\.82 s", r"▸ lenet +98\.56 % +40\.1 s", r"  lenet1 +- +-"):
        assert re.search(words, text)
    assert "PyTorch" in "\n".join(map(plain, reached_lines(runs, RunSpec(), "framework")))


def test_the_chosen_value_is_among_those_that_there_is_room_for():
    lines = reached_lines([], RunSpec(model="airnet-m"), "model", 4)
    assert len(lines) == 5
    assert plain(lines[-1]).startswith("▸ airnet-m")


def test_the_switcher_is_whole_on_the_smallest_screen(live_run):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press("m", "left", "left")
        await until_seen(pilot, "▸ airnet-m")
        picture = pilot.app.screen.query_one("Picture").region
        assert pilot.app.screen.region.contains_region(picture)
        assert "[airnet-m]" in seen(pilot)
        assert "Esc back" in seen(pilot)
        await pilot.press("escape")

    watch(live_run.run_directory, steps, (60, 16))


def test_runs_that_are_still_being_read_are_no_runs():
    assert "reading the runs" in plain(reached_lines(None, RunSpec(), "dataset")[0])


def test_switching_stops_the_run_with_a_checkpoint_and_starts_the_next(live_run, store):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, SwitcherScreen))
        assert "Rehearsal lenet on Digits" in seen(pilot)
        live = pilot.app.screen_stack[-2]
        await pilot.press("m", "enter")
        await until(pilot, lambda: live not in pilot.app.screen_stack)
        await until_seen(pilot, "Rehearsal lenet1 on Digits")
        await until_seen(pilot, "epoch")
        assert "saved its" not in seen(pilot)
        await pilot.press("s", "y")
        await until_seen(pilot, "stopped after")

    watch(live_run.run_directory, steps)
    state = wait_until(live_run.run_directory, lambda state: state.finished)
    assert state.finished.state == "stopped"
    assert [directory.name.split("-")[3] for directory in store.directories()] == ["lenet1", "nn"]


def test_the_next_run_starts_also_where_the_screen_of_the_one_before_is_left(live_run, store):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        live_run.process.send_signal(signal.SIGSTOP)
        await pilot.press("m")
        await until_seen(pilot, "Rehearsal lenet on Digits")
        await pilot.press("enter", "escape")
        assert isinstance(pilot.app.screen, LauncherScreen)
        live_run.process.send_signal(signal.SIGCONT)
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await until_seen(pilot, "Rehearsal lenet on Digits")
        assert "saved its" not in seen(pilot)

    watch(live_run.run_directory, steps)
    assert len(store.directories()) == 2


def test_of_two_choices_while_the_run_ends_the_later_one_is_started_and_no_other(live_run, store):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        live_run.process.send_signal(signal.SIGSTOP)
        for keys in (("m", "enter"), ("m", "m", "enter")):
            await pilot.press(*keys)
            await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        live_run.process.send_signal(signal.SIGCONT)
        await until_seen(pilot, "Rehearsal lenet1 on Digits")
        await pilot.press("s", "y")
        await until_seen(pilot, "stopped after")

    watch(live_run.run_directory, steps)
    assert [directory.name.split("-")[3] for directory in store.directories()] == ["lenet1", "nn"]


def test_where_a_run_cannot_be_told_to_stop_no_worker_is_kept_for_the_next(live_run, monkeypatch):
    def refuse(*_):
        raise StorageProblem("the disk is full.")

    async def steps(pilot):
        spare = pilot.app.processes.spare
        await until_seen(pilot, "epoch")
        await pilot.press("m")
        await until(pilot, lambda: spare._spare)
        monkeypatch.setattr(control, "ask", refuse)
        await pilot.press("enter")
        await until_seen(pilot, "the disk is full.")
        await until(pilot, lambda: not spare._spare)

    watch(live_run.run_directory, steps)


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
