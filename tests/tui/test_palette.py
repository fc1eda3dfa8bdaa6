import pytest
from piloted import app_of, drive, seen, until, until_seen

from engines.problems import StorageProblem
from tui import picture_file
from tui.palette import ActionPalette
from tui.screens.launcher import LauncherScreen
from tui.screens.replay import ReplayScreen
from tui.screens.runs import RunsScreen


def test_the_palette_lists_what_the_screen_under_it_does_with_its_keys(store):
    async def steps(pilot):
        await pilot.press("ctrl+p")
        await until_seen(pilot, "enter      start")
        for words in ("framework before", "ctrl+r     all runs", "f12        picture"):
            assert words in seen(pilot)
        await pilot.press(*"tablf", "backspace", "backspace", "backspace", "backspace", "backspace", *"table")
        await until_seen(pilot, "all runs: go to the table of runs")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen))
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(pilot.app.screen, LauncherScreen))

    drive(app_of(store), steps, (120, 40))


def test_over_a_field_it_offers_what_the_screen_does_and_no_way_to_edit(store):
    async def steps(pilot):
        await pilot.press("r", "slash", "ctrl+p")
        await until_seen(pilot, "esc        no filter")
        for words in ("Focus Next", "Scroll Up", "Move cursor", "Select all"):
            assert words not in seen(pilot)

    drive(app_of(store), steps, (120, 60))


def test_an_action_of_the_live_screen_is_done_from_the_palette(store, finished_run):
    async def steps(pilot):
        await until_seen(pilot, "completed")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(pilot.app.screen, ActionPalette))
        await pilot.press(*"replay")
        await until_seen(pilot, "play the run again")
        assert "stop the run" not in seen(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReplayScreen))

    drive(app_of(store, attach=finished_run), steps)


def test_f12_saves_a_picture_and_says_where(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def steps(pilot):
        await pilot.press("f12")
        await until_seen(pilot, "Picture saved")

    drive(app_of(store), steps, (120, 40))
    (picture,) = tmp_path.glob("mnist-tui-*.svg")
    assert "framework" in picture.read_text()


def test_pictures_of_the_same_second_are_all_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(picture_file.time, "strftime", lambda _: "mnist-tui-now")
    for words in ("one", "two", "three"):
        picture_file.write_picture(words)
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {"mnist-tui-now.svg": "one", "mnist-tui-now-2.svg": "two", "mnist-tui-now-3.svg": "three"}


def test_a_picture_goes_where_there_is_room_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_file.Path, "cwd", lambda: tmp_path / "gone")
    monkeypatch.setattr(picture_file.platformdirs, "user_pictures_dir", lambda: str(tmp_path))
    assert picture_file.write_picture("<svg/>").parent == tmp_path
    monkeypatch.setattr(picture_file.platformdirs, "user_pictures_dir", lambda: str(tmp_path / "gone too"))
    with pytest.raises(StorageProblem, match="cannot write mnist-tui-"):
        picture_file.write_picture("<svg/>")
