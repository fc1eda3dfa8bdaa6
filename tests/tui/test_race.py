"""A race: what each run reached and when, told in words, in curves and in a table; and the screens around it."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import real_worker
import views
from msgspec.structs import replace as replace_struct
from piloted import app_of, drive, seen, until, until_seen

from engines.run_queue import RunQueue
from engines.run_state import RunState
from engines.spec import RunSpec
from tui import cli, commands
from tui.lines import plain, width_of
from tui.race import Lane, common_words, names_of, results, seconds_to, training, training_seconds, verdict
from tui.race_lines import RaceLook, draw_race, draw_table
from tui.race_watch import MOST_RUNS, RaceWatch
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.race import RaceScreen
from tui.screens.race_choice import RaceChoiceScreen, draw_choice, races_of

TORCH, TENSORFLOW = RunSpec(), RunSpec(framework="tensorflow")


def lane(letter, accuracies, *, spec=TORCH, status="running", events=()):
    state = RunState()
    told = [views.started(), *events, *(views.epoch_ended(at + 1, test=one) for at, one in enumerate(accuracies))]
    for seq, event in enumerate(told):
        state.apply(views._stamped(event, seq))
    return Lane(letter, Path(f"/runs/20261124-144501-run-{letter * 4}"), spec, state, status)


A = lane("A", [0.91, 0.96, 0.981])
B = lane("B", [0.96, 0.979], spec=TENSORFLOW)


def test_the_clock_counts_training_alone():
    assert training_seconds(A.state) == [(1, 6.0), (2, 12.0), (3, 18.0)]
    assert results(A, "accuracy", "seconds") == [(6.0, 0.91), (12.0, 0.96), (18.0, 0.981)]
    assert [x for x, _ in results(A, "loss", "epochs")] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("accuracy", "seconds"), [(0.9, 6.0), (0.95, 12.0), (0.98, 18.0), (0.99, None)])
def test_a_milestone_is_reached_with_the_test_that_shows_it(accuracy, seconds):
    assert seconds_to(A, accuracy) == seconds


def test_a_test_without_a_figure_reaches_nothing_and_is_a_gap():
    gone = lane("A", [0.5, None, 0.9])
    assert seconds_to(gone, 0.9) == 18.0
    (_, first), (_, missing), (_, last) = results(gone, "accuracy", "epochs")
    assert (first, math.isnan(missing), last) == (0.5, True, 0.9)


def test_before_its_first_test_a_run_shows_its_training():
    young = lane("A", [], events=[views.batch(step=20, accuracy=0.4), views.batch(step=40, accuracy=0.7)])
    assert [y for _, y in training(young, "accuracy", "epochs")] == [0.4, 0.7]
    (_, _), (last, _) = training(young, "accuracy", "seconds")
    assert last == pytest.approx(0.4 * views.STEPS * 32 / 9481.0)
    assert [y for _, y in training(young, "loss", "epochs")] == [0.5, 0.5]
    assert [x for x, _ in training(young, "loss", "epochs")] == [0.2, 0.4]
    tested = lane("A", [0.9], events=[views.batch(step=20)])
    assert training(tested, "accuracy", "seconds") == []
    assert training(lane("A", []), "accuracy", "seconds") == []
    assert training(Lane("A", Path("/runs/a"), None, RunState(), "queued"), "loss", "epochs") == []


def test_a_run_whose_speed_is_not_known_stands_at_the_start_of_the_clock():
    young = lane("A", [], events=[views.batch(step=20, accuracy=0.4, rate=0.0)])
    assert training(young, "accuracy", "seconds") == [(0.0, 0.4)]


def test_runs_are_named_by_what_tells_them_apart():
    assert names_of([A, B]) == ["PyTorch", "TensorFlow"]
    assert common_words([A, B]) == "lenet, mnist, batch 32, lr 0.001, seed 0, 5 epochs"
    assert names_of([A, replace(A, letter="C")]) == ["AAAA", "AAAA"]
    assert names_of([A, lane("C", []), B]) == ["PyTorch AAAA", "PyTorch CCCC", "TensorFlow"]
    assert common_words([replace(A, spec=None)]) == ""
    seeds = [lane("A", [], spec=RunSpec(seed=seed)) for seed in (1, 2)]
    assert names_of(seeds) == ["seed 1", "seed 2"]


@pytest.mark.parametrize(
    ("specs", "names"),
    [
        ([RunSpec(), RunSpec(optimizer="sgd")], ["adam", "sgd"]),
        ([RunSpec(), RunSpec(flip=True, label_smoothing=0.1)], ["label smoothing 0", "label smoothing 0.1"]),
        ([RunSpec(), RunSpec(seed=1, flip=True)], ["seed 0", "seed 1"]),
        ([RunSpec(), RunSpec(seed=1), RunSpec(seed=1, flip=True)], ["seed 0 no flip", "seed 1 no flip", "seed 1 flip"]),
        ([RunSpec(data_dir="/a"), RunSpec(data_dir="/b")], ["AAAA", "BBBB"]),
        ([RunSpec(epochs=1), RunSpec(epochs=5000)], ["1 epoch", "5,000 epochs"]),
    ],
)
def test_what_is_seldom_asked_for_tells_runs_apart_that_are_alike_in_all_else(specs, names):
    assert names_of([lane(letter, [], spec=spec) for letter, spec in zip("ABC", specs, strict=False)]) == names


@pytest.mark.parametrize(
    ("lanes", "words"),
    [
        ([A, B], "98 % first by A PyTorch after 18.0 s; B not yet"),
        ([A, replace(B, status="completed")], "98 % first by A PyTorch after 18.0 s; B never"),
        ([lane("A", [0.91, 0.96]), B], "97 % first by B TensorFlow after 12.0 s; A not yet"),
        ([A, replace(B, state=A.state)], "98 % first by A PyTorch after 18.0 s; B after 18.0 s"),
        ([A], "98 % first by A AAAA after 18.0 s"),
        ([lane("A", [0.5]), lane("B", [])], "none is at 90 % yet"),
        ([lane("A", [0.5], status="completed")], "none reached 90 %"),
        (
            [lane("A", [], status="queued"), lane("B", [], status="queued")],
            "waiting for a turn: another run is at work",
        ),
    ],
)
def test_the_verdict_says_who_was_first(lanes, words):
    assert verdict(lanes) == words


@pytest.mark.parametrize(("width", "height"), [(78, 23), (118, 39), (198, 59), (58, 15)])
@pytest.mark.parametrize("look", [RaceLook(), RaceLook(clock="epochs", metric="loss", is_log=True, ascii_only=True)])
def test_a_race_fits_and_tells_its_lines_apart_without_colour(width, height, look):
    lines = draw_race([A, B], look, width, height)
    assert len(lines) <= height
    assert all(width_of(line) <= width for line in lines)
    text = "\n".join(map(plain, lines))
    assert "A PyTorch" in text
    assert "B TensorFlow" in text
    if height > 20:
        assert ("A 98.10 %" if look.metric == "accuracy" or width > 110 else "B 0.1500") in text


def test_what_has_no_room_in_a_line_of_a_race_ends_in_an_ellipsis():
    first, second = (plain(line).rstrip() for line in draw_race([A, B], RaceLook(), 40, 15)[:2])
    assert first == "race  len…  h clock: seconds of training"
    assert second == "98 % first by A PyTorch after 18.0 s; B…"


def test_names_get_what_the_other_columns_leave_and_no_other_is_cut():
    lanes = [lane(letter, [0.8], spec=RunSpec(model=letter * 40), status="completed") for letter in "AB"]
    for width, shown in ((58, "A" * 22 + "…"), (78, "A" * 32 + "…"), (138, "A" * 40 + " ")):
        head, first, _ = map(plain, draw_table(lanes, RaceLook(), width))
        assert "  state " in head
        assert first.startswith(f"▸ A {shown}")
        assert first.rstrip().endswith("✓ completed")


@pytest.mark.parametrize("size", [(58, 15), (58, 18), (78, 23)])
@pytest.mark.parametrize("is_log", [False, True])
def test_a_race_of_as_many_runs_as_there_may_be_is_drawn_on_a_small_screen(size, is_log):
    lanes = [lane(letter, [0.8, 0.9], spec=RunSpec(seed=at)) for at, letter in enumerate("ABCDEFGH"[:MOST_RUNS])]
    lines = draw_race(lanes, RaceLook(metric="loss", is_log=is_log), *size)
    assert len(lines) <= size[1]
    assert "H seed 7" in plain(lines[-1])


def test_a_race_that_has_not_begun_says_what_it_waits_for():
    lanes = [
        Lane("A", Path("/runs/a"), None, RunState(), "queued"),
        Lane("B", Path("/runs/b"), None, RunState(), "gone"),
    ]
    drawn = draw_race(lanes, RaceLook(), 80, 24)
    text = "\n".join(map(plain, drawn))
    for words in ("the curves begin", "… queued", "? gone"):
        assert words in text
    roles = {words.strip(): role for line in drawn for words, role in line}
    assert (roles["… queued"], roles["? gone"]) == ("muted", "warning")


def test_the_table_keeps_the_highest_milestones_where_there_is_little_room():
    head, first, second = map(plain, draw_table([A, B], RaceLook(chosen=1), 72))
    assert "to 98 %" in head
    assert "to 90 %" not in head
    assert "to 99 %" not in head
    assert "18.0 s" in first
    assert second.startswith("▸ B TensorFlow")
    assert "▶ running" in second


def test_an_epoch_that_held_out_images_chose_is_not_called_the_best():
    assert " best " in plain(draw_table([A, B], RaceLook(), 118)[0])
    ended = replace_struct(views.epoch_ended(4, test=0.97), validation_accuracy=0.99)
    held_out = lane("A", [0.981], events=[ended])
    head, line, _ = map(plain, draw_table([held_out, B], RaceLook(), 118))
    assert " chosen " in head
    assert " best " not in head
    assert "97.00 %" in line
    assert "12.0 s" in line


def test_the_form_leads_to_races_of_one_seed():
    spec = RunSpec(framework="tensorflow", model="nn", seed=7, epochs=2)
    (frameworks, first), (models, second) = races_of(spec)
    assert frameworks == "PyTorch against TensorFlow: nn"
    assert [one.framework for one in first] == ["torch", "tensorflow"]
    assert models == "nn against lenet against lenet1: TensorFlow"
    assert [one.model for one in second] == ["nn", "lenet", "lenet1"]
    assert {(one.seed, one.epochs) for one in (*first, *second)} == {(7, 2)}
    text = "\n".join(map(plain, draw_choice(spec, [frameworks, models], 1, 66)))
    assert "▸ nn against lenet" in text
    assert "seed 7" in text


def test_no_race_is_offered_with_a_model_that_one_of_the_frameworks_lacks():
    ((title, _),) = races_of(RunSpec(model="torchvision:resnet18"))
    assert title == "nn against lenet against lenet1: PyTorch"


def test_the_choice_of_a_race_is_whole_on_the_smallest_screen(store):
    async def steps(pilot):
        await until_seen(pilot, "Enter: start")
        await pilot.press("x")
        await until_seen(pilot, "and seconds compare.")
        picture = pilot.app.screen.query_one("Picture").region
        assert pilot.app.screen.region.contains_region(picture)
        assert "All at once, beside each other: livelier, and" in seen(pilot)
        assert "Esc   back" in seen(pilot)

    drive(app_of(store), steps, (60, 16))


def test_a_line_of_the_choice_that_is_too_long_says_that_it_goes_on():
    lines = draw_choice(RunSpec(dataset="fashion-mnist", budget=60, seed=10**9), ["one", "two"], 0, 56)
    assert plain(lines[0]).endswith("…")
    assert max(map(width_of, lines)) == 56


def test_a_run_is_followed_from_the_queue_to_its_end(store, monkeypatch):
    queue = RunQueue(store)
    monkeypatch.setattr(RunQueue, "see_to_it", lambda _: None)
    (run_id,) = queue.add([real_worker.spec_of(seed=5, epochs=1)])
    watch = RaceWatch(store, [store.root / run_id])
    assert (watch.lanes[0].status, watch.lanes[0].spec.seed) == ("queued", 5)
    queue.remove(run_id)
    watch.look(0.01)
    assert watch.lanes[0].status == "gone"
    store.create(real_worker.spec_of(seed=5, epochs=1), run_id)
    assert watch.look(0.01)
    assert watch.lanes[0].status == "running"
    watch.close()


def test_more_runs_than_can_be_told_apart_are_left_out(store):
    watch = RaceWatch(store, [store.root / str(at) for at in range(20)])
    assert [one.letter for one in watch.lanes] == [*"ABCDEFGH"][:MOST_RUNS]


@pytest.fixture
def twin(store, finished_run):
    """An older run that went as the finished one did."""
    twin = store.root / ("20200101-000000" + finished_run.name[15:])
    twin.mkdir()
    for name in ("spec.json", "events.jsonl"):
        (twin / name).write_bytes((finished_run / name).read_bytes())
    return twin


def test_runs_that_are_named_in_a_shell_race_at_once(store, finished_run, twin, monkeypatch):
    opened = {}
    monkeypatch.setattr(commands, "require_terminal", lambda _: None)
    monkeypatch.setattr(commands, "open_app", lambda *_, **settings: opened.update(settings) or 0)
    assert cli.run(["race", "2020", "last", twin.name]) == 0
    assert opened == {"race": [twin, finished_run]}

    async def steps(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, RaceScreen))
        await until_seen(pilot, "clock: seconds of training")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, LauncherScreen))

    drive(app_of(store, **opened), steps)


@pytest.mark.parametrize("named", [[], ["last"], ["last", "2"]])
def test_one_run_is_no_race(finished_run, capsys, named):
    assert cli.run(["race", *named]) == 2
    assert "takes 2 to 8 different runs" in capsys.readouterr().err


def test_more_runs_than_can_be_told_apart_do_not_race(store, finished_run):
    for at in range(MOST_RUNS):
        shutil.copytree(finished_run, finished_run.with_name(f"{finished_run.name[:-4]}000{at}"))

    async def steps(pilot):
        await pilot.press("r")
        await until_seen(pilot, f"{MOST_RUNS + 1} runs")
        await pilot.press(*["space"] * (MOST_RUNS + 1), "x")
        await until_seen(pilot, f"{MOST_RUNS} race at most")
        await pilot.press("home", "space", "x")
        await until(pilot, lambda: isinstance(pilot.app.screen, RaceScreen))

    drive(app_of(store), steps, (120, 40))


def test_marked_runs_race_and_enter_opens_one(store, twin):
    async def steps(pilot):
        await pilot.press("r", "x")
        await until_seen(pilot, "2 runs, 0 alive")
        await pilot.press("x")
        await until_seen(pilot, "mark two or more")
        await pilot.press("space", "space", "x")
        await until(pilot, lambda: isinstance(pilot.app.screen, RaceScreen))
        assert [screen.is_seen for screen in pilot.app.screen_stack[-2:]] == [False, True]
        await until_seen(pilot, "clock: seconds of training")
        await until_seen(pilot, "B 8")
        await pilot.press("h", "l", "tab", "2", "1", "down")
        await until_seen(pilot, "clock: epochs")
        assert "▸ B" in seen(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RaceScreen)

    drive(app_of(store), steps)


def test_x_and_enter_start_a_race_from_the_launcher(store):
    async def steps(pilot):
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, RaceChoiceScreen))
        assert pilot.app.screen_stack[-2].is_seen
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LauncherScreen)
        await pilot.press("x", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RaceScreen))
        await until_seen(pilot, "C lenet1")
        await until(pilot, lambda: seen(pilot).count("✓ completed") == 3)

    drive(app_of(store), steps, (120, 40))
    assert sorted(path.name.split("-")[3] for path in store.directories()) == ["lenet", "lenet1", "nn"]


def test_runs_that_end_by_epochs_and_by_time_are_told_apart_by_that():
    by_time = lane("B", [], spec=RunSpec(epochs=None, budget=60.0))
    assert names_of([A, by_time]) == ["5 epochs", "60 s"]
    assert "None" not in common_words([by_time, by_time])
