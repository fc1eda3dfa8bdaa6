"""What the live screen's keys ask of a run's worker, and of one that has ended."""

import pytest
from piloted import seen, until, until_seen, watch
from real_worker import ended, read_run, start, status_of, train

from tui.screens.confirm import ConfirmScreen
from tui.screens.monitor import MonitorScreen


async def pause(pilot):
    """Pause the run, so that what it says next stays in sight: its log is soon full of checkpoints otherwise."""
    await pilot.press("p")
    await until_seen(pilot, "○ paused")


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
    state = read_run(directory).state
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
        await until(pilot, lambda: len(read_run(directory).state.controls) == 7)

    watch(directory, steps)
    asked = [(control.action, control.value) for control in read_run(directory).state.controls]
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
    before = read_run(directory).state.spec.epochs

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


@pytest.mark.parametrize(
    ("key", "question", "answer"), [("E", "How many epochs more", "enter"), ("s", "Stop this", "y")]
)
def test_a_question_that_outlived_the_worker_is_answered_with_what_to_do(live_run, key, question, answer):
    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press(key)
        await until_seen(pilot, question)
        live_run.process.kill()
        live_run.process.wait()
        await pilot.press(answer)
        await until_seen(pilot, "No worker is there to ask")
        assert "goes on with c" in seen(pilot)

    watch(live_run.run_directory, steps)


def test_a_run_with_a_budget_shows_the_time_that_is_left_and_takes_no_epochs_more(store):
    worker = start(store, epochs=None, budget=1_000)

    async def steps(pilot):
        await until_seen(pilot, "left 16:")
        await pilot.press("E")
        await until_seen(pilot, "Time alone ends this run")
        await pilot.press("s", "y")

    watch(worker.run_directory, steps)
    assert ended(worker).finished.state == "stopped"


def test_e_continues_a_finished_run_for_as_many_epochs_as_are_chosen(finished_run):
    async def steps(pilot):
        await until_seen(pilot, "completed after 3 epochs")
        await pilot.press("E", "escape")
        await pilot.press("E")
        await until_seen(pilot, "How many epochs more than 3?")
        await pilot.press("down", "down", "down", "enter")
        await until_seen(pilot, "completed after 5 epochs")

    watch(finished_run, steps)


def test_a_finished_run_is_continued_for_epochs_more_once_that_is_confirmed(finished_run):
    async def steps(pilot):
        await until_seen(pilot, "completed after 3 epochs")
        assert "stop" not in seen(pilot).splitlines()[-1]
        await pilot.press("c")
        await until_seen(pilot, "5 epochs more?")
        await pilot.press("y")
        await until_seen(pilot, "completed after 8 epochs")

    watch(finished_run, steps)
    assert read_run(finished_run).state.started.attempt == 2


def test_a_run_that_failed_without_a_checkpoint_is_asked_whether_it_begins_again(store):
    async def steps(pilot):
        await until_seen(pilot, "failed: ")
        await pilot.press("c")
        await until_seen(pilot, "Continue this run from its start, as it has no checkpoint?")

    watch(train(store, lr=1e38).directory, steps, (120, 40))


def test_a_run_that_was_stopped_is_continued_from_its_last_checkpoint(live_run):
    directory = live_run.run_directory

    async def steps(pilot):
        await until_seen(pilot, "epoch")
        await pilot.press("s", "y")
        await until_seen(pilot, "stopped after")
        await pilot.press("c")
        await until_seen(pilot, "Continue this run from its last checkpoint?")

    watch(directory, steps)


def test_a_run_that_still_lacks_the_rest_of_its_last_epoch_goes_on_with_that(finished_run):
    events = finished_run / "events.jsonl"
    lines = events.read_text().replace('"state":"completed"', '"state":"stopped"').splitlines(keepends=True)
    part = ('{"type":"epoch",', '{"type":"epoch","part":0.5,')
    last = max(at for at, line in enumerate(lines) if line.startswith(part[0]))
    events.write_text("".join(line.replace(*part) if at == last else line for at, line in enumerate(lines)))

    async def steps(pilot):
        await until_seen(pilot, "stopped after")
        await pilot.press("c")
        await until_seen(pilot, "Continue this run from its last checkpoint?")

    watch(finished_run, steps)


def test_a_run_whose_folder_went_away_is_not_offered_to_go_on(live_run):
    directory = live_run.run_directory

    async def steps(pilot):
        await until_seen(pilot, "epoch")
        moved = directory.rename(directory.parent.with_name("elsewhere"))
        await until_seen(pilot, "its folder is gone from")
        await until(pilot, lambda: "stop" not in seen(pilot).splitlines()[-1])
        assert "continue" not in seen(pilot).splitlines()[-1]
        assert not pilot.app.screen.check_action("go_on", ())
        assert "--continue-from" not in seen(pilot)
        moved.rename(directory)
        await until_seen(pilot, "s stop")

    watch(directory, steps)
