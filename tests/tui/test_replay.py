import os
import shutil

import pytest
from open_files import held_open
from piloted import app_of, drive, seen, until, until_seen
from views import text_of

from engines.event_line import encode_event
from engines.events import Telemetry
from engines.replay import Timeline
from engines.run_reader import RunReader
from tui.replay import Playhead, ReplayWatch
from tui.screens.monitor import MonitorScreen
from tui.screens.replay import ReplayScreen
from tui.screens.runs import RunsScreen
from tui.watch import Watch
from tui.widgets.scrubber import draw_scrubber


def head_at(moment, length=100.0, speed=10.0):
    head = Playhead(speed)
    head.length = length
    head.go_to(moment)
    return head


def test_a_playhead_goes_on_at_its_speed_and_stops_at_the_end():
    head = head_at(0.0)
    head.tick(50.0)
    head.tick(51.0)
    assert head.moment == 10.0
    head.tick(52.0, waits=True)
    assert head.moment == 10.0
    head.toggle()
    head.tick(53.0)
    assert head.moment == 10.0
    head.toggle()
    head.tick(1000.0)
    assert head.moment == 100.0
    head.toggle()
    assert (head.moment, head.is_playing) == (0.0, True)


def test_the_speed_is_between_1_and_100():
    head = head_at(0.0, speed=20.0)
    for _ in range(5):
        head.scale(1)
    assert head.speed == 100
    for _ in range(9):
        head.scale(-1)
    assert head.speed == 1
    head.speed = 33.0
    head.scale(1)
    assert head.speed == 50


@pytest.mark.parametrize("is_closed_first", [True, False])
def test_whoever_still_reads_a_replay_that_was_left_keeps_no_file_open(recorded_run, tmp_path, is_closed_first):
    run = shutil.copytree(recorded_run, tmp_path / "run")
    watch = ReplayWatch(run, Playhead(), ascii_only=False)
    watch.set_timeline(watch.measure())
    watch.playhead.go_to(1.0)
    assert held_open(run) > 0
    deeds = [watch.close, watch.read_again, watch.measure]
    for deed in deeds if is_closed_first else reversed(deeds):
        deed()
    assert held_open(run) == 0


def test_a_death_is_told_of_in_a_replay_as_on_the_live_screen(tmp_path):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    dying = Telemetry(seq=0, time=1.0, cpu_percent=1.0, memory=memory, gpus=[])
    (tmp_path / "events.jsonl").write_bytes(encode_event(dying))
    live, replayed = (
        Watch(RunReader(tmp_path), None, ascii_only=False),
        ReplayWatch(tmp_path, head_at(1.0), ascii_only=False),
    )
    deaths = [watch.look(60.0).death for watch in (live, replayed)]
    for watch in (live, replayed):
        watch.close()
    assert deaths[0].endswith("it looks as if memory ran out")
    assert deaths[1] == deaths[0]


@pytest.mark.parametrize("width", [58, 78, 118, 198])
def test_a_scrubber_says_where_the_run_is_and_where_its_epochs_end(width):
    timeline = Timeline(100.0, (50.0,), (25.0,))
    text = text_of([draw_scrubber(head_at(75.0), timeline, width)], width)
    assert text.startswith("replay ▶ 10x  1:15 ")
    assert text.endswith(" 1:40")
    assert text.index("◇") < text.index("┴") < text.index("●")
    assert text.count("━") > 2 * text.count("─")


def test_before_anything_is_known_of_a_run_a_scrubber_stands_at_its_start():
    assert "●" in text_of([draw_scrubber(head_at(3.0, length=0.0), Timeline(), 78)], 78)


def test_a_finished_run_is_played_from_its_live_screen_to_its_end_and_back(store, finished_run):
    async def steps(pilot):
        await until_seen(pilot, "completed")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReplayScreen))
        head = pilot.app.screen._playhead
        head.is_playing = False  # The run took less than a second.
        await until(pilot, lambda: head.length > 0)
        await pilot.press("end")
        await until_seen(pilot, "✓ completed")
        await pilot.press("home")
        await until_seen(pilot, "● running")
        await pilot.press("greater_than_sign", "plus", "full_stop", "comma", "minus", "minus", "c", "s")
        await until_seen(pilot, "epoch 1 of 3")
        await until_seen(pilot, "‖ 5x")
        await pilot.click("Scrubber", offset=(77, 0))
        await until_seen(pilot, "✓ completed")
        await pilot.press("home", "p")
        await until_seen(pilot, "✓ completed")
        assert head.is_playing
        await pilot.press("escape")
        assert type(pilot.app.screen) is MonitorScreen

    drive(app_of(store, attach=finished_run), steps, (80, 24))


def test_a_live_run_is_played_as_far_as_it_is(store, live_run):
    async def steps(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, ReplayScreen))
        head = pilot.app.screen._playhead
        await until(pilot, lambda: head.length > 0)
        await pilot.press("end")
        before = head.length
        await until(pilot, lambda: head.length > before)
        await until_seen(pilot, "● running")
        assert "100x" in seen(pilot)

    drive(app_of(store, replay=(live_run.run_directory, 100.0)), steps)


def test_a_run_is_played_from_the_table(store, finished_run):
    async def steps(pilot):
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen))
        await until_seen(pilot, "✓ completed")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReplayScreen))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RunsScreen)

    drive(app_of(store), steps)
