import threading

import pytest
from piloted import PATIENCE_SECONDS, SIZES, app_of, drive, seen, until, until_seen

import tui.screens.launcher as launcher_module
from engines.events import Gpu
from engines.run_queue import RunQueue
from engines.runs import RunStore
from tui import surroundings
from tui.dataset_look import DatasetLook
from tui.machine import GpuUser, Machine
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.runs import RunsScreen

UNREACHABLE = DatasetLook("mnist", "MNIST is neither on disk nor reachable", state="unreachable")
DIGITS = DatasetLook("digits", "part of scikit-learn")


@pytest.fixture
def looks(monkeypatch):
    """What a look at each dataset finds, for the test to say: MNIST cannot be had."""
    looks = {"mnist": UNREACHABLE, "digits": DIGITS}
    monkeypatch.setattr(surroundings, "look_at", lambda name, *_: looks[name])
    return looks


def chosen(pilot, row):
    return pilot.app.query_one("RunForm").form.texts[row]


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


def test_an_invalid_option_is_said_and_nothing_starts(store):
    async def steps(pilot):
        await pilot.press("down", "down", "down", "0")
        assert "epochs must be a whole number, 1 or more; it is 0." in seen(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LauncherScreen)
        assert store.directories() == []
        await pilot.press("backspace", "3")
        assert "Enter: start" in seen(pilot)

    drive(app_of(store), steps)


def test_a_framework_that_is_not_installed_is_said_and_not_started(store, monkeypatch):
    monkeypatch.setattr(surroundings, "installed_version", lambda name: None if name == "tensorflow" else "9.9")

    async def steps(pilot):
        await pilot.press("f", "f")
        await until_seen(pilot, "nn in TensorFlow (not installed)")
        assert "TensorFlow is not installed. pip install tensorflow, or press f for another." in seen(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert store.directories() == []
        await pilot.press("F")
        assert "nn in PyTorch 9.9" in seen(pilot)

    drive(app_of(store), steps)


def test_below_a_run_that_is_opened_at_once_nothing_is_looked_at_until_it_is_seen(store, finished_run, monkeypatch):
    looked_at = []
    monkeypatch.setattr(surroundings, "look_at", lambda name, *_: looked_at.append(name) or DIGITS)

    async def steps(pilot):
        await until_seen(pilot, "completed")
        await pilot.pause(0.1)
        assert looked_at == []
        await pilot.press("escape")
        await until(pilot, lambda: looked_at)
        assert "Enter: start" in seen(pilot)

    drive(app_of(store, attach=finished_run), steps)


def test_digits_are_chosen_where_nobody_chose_and_mnist_cannot_be_had(store, looks):
    async def steps(pilot):
        await until_seen(pilot, "MNIST is neither on disk nor reachable: digits is chosen, it needs no download.")
        assert chosen(pilot, "dataset") == "digits"
        await pilot.press("d")
        await pilot.pause()
        assert chosen(pilot, "dataset") == "mnist"
        assert "MNIST is neither on disk nor reachable" in seen(pilot)

    drive(app_of(store, asked={"dataset": "mnist"}), steps)


def asked_to_start(app):
    """Have `app` keep in a list what it is asked to start, and start nothing."""
    specs = []
    app.start_run = specs.append
    return specs


@pytest.fixture
def slow_looks(monkeypatch):
    """MNIST cannot be had, which is found out once the test allows it."""
    found = threading.Event()

    def look_at(name, *_):
        assert name != "mnist" or found.wait(PATIENCE_SECONDS)
        return {"mnist": UNREACHABLE, "digits": DIGITS}[name]

    monkeypatch.setattr(surroundings, "look_at", look_at)
    return found


def test_enter_waits_until_it_is_known_that_mnist_cannot_be_had_and_starts_digits(store, slow_looks):
    app = app_of(store, asked={"dataset": "mnist"})
    specs = asked_to_start(app)

    async def steps(pilot):
        await pilot.press("enter")
        await until_seen(pilot, "Looking for mnist ...")
        assert specs == []
        slow_looks.set()
        await until(pilot, lambda: specs)
        await until_seen(pilot, "digits in the place of mnist")

    drive(app, steps)
    assert [spec.dataset for spec in specs] == ["digits"]


def test_what_was_changed_while_enter_waited_does_not_start(store, slow_looks):
    app = app_of(store, asked={"dataset": "mnist"})
    specs = asked_to_start(app)

    async def steps(pilot):
        await pilot.press("enter")
        await until_seen(pilot, "Looking for mnist ...")
        await pilot.press("m")
        slow_looks.set()
        await until_seen(pilot, "Enter: start Rehearsal")

    drive(app, steps)
    assert specs == []


@pytest.mark.parametrize("key", ["enter", "u", "x"])
def test_a_dataset_that_was_chosen_and_cannot_be_had_is_not_asked_for(store, looks, key):
    app = app_of(store)
    specs = asked_to_start(app)

    async def steps(pilot):
        await pilot.press("d", key)
        await until_seen(pilot, "MNIST is neither on disk nor reachable. Press d for another dataset.")
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app, steps)
    assert specs == RunQueue(store).waiting() == []


def test_enter_looks_once_more_for_what_could_not_be_had(store, looks):
    app = app_of(store)
    specs = asked_to_start(app)

    async def steps(pilot):
        await pilot.press("d")
        await until_seen(pilot, "Press d for another dataset.")
        looks["mnist"] = DatasetLook("mnist", "not on disk yet: the run downloads it first", state="fetchable")
        await pilot.press("enter")
        await until(pilot, lambda: specs)

    drive(app, steps)
    assert [spec.dataset for spec in specs] == ["mnist"]


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
        await until_seen(pilot, "cuda:0  cuda:1  emptiest: cuda:0")
        await pilot.resize_terminal(120, 40)
        await until_seen(pilot, "GPU 0: H100, 2.0 of 64.0 GiB used, 25% busy: ann python 1.0 GiB")

    drive(app_of(store), steps, (120, 30))


def test_bfloat16_on_a_processor_without_units_for_it_is_said_to_be_slow(store, monkeypatch):
    machine = Machine("EPYC", 2, (), is_slow_in_bfloat16=True)
    monkeypatch.setattr(surroundings, "look_at_machine", lambda: machine)

    async def steps(pilot):
        await until_seen(pilot, "CPU only: EPYC")
        assert "slow" not in seen(pilot)
        await pilot.press(*["down"] * 10, "right")
        assert chosen(pilot, "precision") == "bfloat16"
        assert "bfloat16 is slow here" in seen(pilot)

    drive(app_of(store), steps)


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
        await until_seen(pilot, "No runs in")
        assert isinstance(pilot.app.screen, RunsScreen)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app_of(store), steps)


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


def test_u_queues_the_run_behind_those_that_are_alive(store, live_run):
    async def steps(pilot):
        await pilot.press("u")
        await until_seen(pilot, "1 run is alive, 1 waiting: a opens")
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app_of(store, asked={"seed": 7}), steps, (120, 40))
    (order,) = RunQueue(store).waiting()
    assert order.spec.seed == 7
    RunQueue(store).remove(order.run_id)
