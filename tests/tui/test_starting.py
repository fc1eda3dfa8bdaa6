"""What Enter does in the launcher: it starts what can be trained, and says why where it cannot."""

import threading

import pytest
from piloted import PATIENCE_SECONDS, SIZES, app_of, chosen, drive, seen, until, until_seen

from engines.problems import StorageProblem
from engines.run_queue import RunQueue
from tui import surroundings
from tui.dataset_look import DatasetLook
from tui.machine import Machine
from tui.screens.launcher import LauncherScreen
from tui.screens.race_choice import RaceChoiceScreen
from tui.workers import Workers

UNREACHABLE = DatasetLook("mnist", "MNIST is neither on disk nor reachable", state="unreachable")


DIGITS = DatasetLook("digits", "part of scikit-learn")


@pytest.fixture
def looks(monkeypatch):
    """What a look at each dataset finds, for the test to say: MNIST cannot be had."""
    looks = {"mnist": UNREACHABLE, "digits": DIGITS}
    monkeypatch.setattr(surroundings, "look_at", lambda name, *_: looks[name])
    return looks


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


def test_digits_are_chosen_where_nobody_chose_and_mnist_cannot_be_had(store, looks):
    async def steps(pilot):
        await until_seen(pilot, "MNIST is neither on disk nor reachable: digits is chosen, it needs no download.")
        assert chosen(pilot, "dataset") == "digits"
        await pilot.press("d")
        await pilot.pause()
        assert chosen(pilot, "dataset") == "mnist"
        await until_seen(pilot, "MNIST is neither on disk nor reachable. Press d for another dataset.")
        await until(pilot, lambda: "digits is chosen" not in seen(pilot))

    drive(app_of(store, asked={"dataset": "mnist"}), steps)


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


def test_mnist_stays_where_it_was_asked_for_by_name(store, looks):
    async def steps(pilot):
        await until_seen(pilot, "MNIST is neither on disk nor reachable. Press d for another dataset.")
        assert chosen(pilot, "dataset") == "mnist"

    drive(app_of(store, asked={"dataset": "mnist"}, keeps_dataset=True), steps)


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


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, " Enter: start Rehearsal nn on Digits, 1 epoch, validation 100, one-cycle "),
        (60, " Enter: start Rehearsal nn on Digits, 1 epoch, validation 1…"),
    ],
)
def test_what_was_asked_and_has_no_row_in_sight_is_said(store, width, words):
    async def steps(pilot):
        await until_seen(pilot, words)

    drive(app_of(store, asked={"validation": 100, "schedule": "one-cycle"}), steps, (width, 24))


def test_what_speaks_against_a_start_stays_beside_what_is_asked(store, monkeypatch):
    monkeypatch.setattr(surroundings, "look_at_machine", lambda: Machine("EPYC", 2, (), is_slow_in_bfloat16=True))

    async def steps(pilot):
        await until_seen(pilot, "bfloat16 is slow here")
        assert "Rehearsal nn on Digits, 1 epoch, validation… bfloat16 is slow here" in seen(pilot)

    asked = {"validation": 100, "schedule": "one-cycle", "precision": "bfloat16"}
    drive(app_of(store, asked=asked), steps)


def test_u_queues_the_run_behind_those_that_are_alive(store, live_run):
    async def steps(pilot):
        await pilot.press("u")
        await until_seen(pilot, "1 run is alive, 1 waiting: a opens")
        assert isinstance(pilot.app.screen, LauncherScreen)

    drive(app_of(store, asked={"seed": 7}), steps, (120, 40))
    (order,) = RunQueue(store).waiting()
    assert order.spec.seed == 7
    RunQueue(store).remove(order.run_id)


@pytest.mark.parametrize("size", SIZES)
def test_why_a_damaged_dataset_does_not_start_is_said_in_full(store, looks, size):
    summary = f"/{'data/' * 30}train-images-idx3-ubyte is a web page, not data. Delete it."
    looks["mnist"] = DatasetLook("mnist", summary, state="damaged")

    async def steps(pilot):
        await pilot.press("d", "enter")
        await until_seen(pilot, "Press d for another dataset.")
        assert "is a web page, not data." in " ".join(seen(pilot).split())
        await pilot.press("D")
        await until_seen(pilot, "Enter: start Rehearsal")

    drive(app_of(store), steps, size)


def test_a_race_that_is_being_started_is_said_and_not_started_twice(store, monkeypatch):
    asked, may_start = [], threading.Event()

    def race(_, specs, *, beside):
        asked.append([spec.model for spec in specs])
        assert may_start.wait(PATIENCE_SECONDS)
        raise StorageProblem("The disk is full.", "Make room.")

    monkeypatch.setattr(Workers, "race", race)

    async def ask(pilot):
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, RaceChoiceScreen))
        await pilot.press("down", "enter")

    async def steps(pilot):
        await until_seen(pilot, "Enter: start")
        await ask(pilot)
        await until_seen(pilot, "Starting the race ...")
        await ask(pilot)
        may_start.set()
        await until_seen(pilot, "The disk is full.")
        await until_seen(pilot, "Enter: start")

    drive(app_of(store), steps)
    assert asked == [["nn", "lenet", "lenet1"]]
