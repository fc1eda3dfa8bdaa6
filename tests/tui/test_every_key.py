"""Every binding of every screen that keys lead to, pressed straight after the screen has opened."""

from collections import deque

import pytest
from piloted import app_of, drive
from real_worker import spec_of
from textual.screen import Screen

from tui.app import MnistTuiApp
from tui.screens.launcher import LauncherScreen
from tui.screens.replay import ReplayScreen
from tui.widgets.run_form import RunForm

LEAVES_THE_APP = {"q", "ctrl+c", "ctrl+q"}
STARTS_A_WORKER = {"start", "queue", "choose", "answer"}
"""Actions that tests of their own look at: a worker for each way to them would be too many."""


def keys_by_action(screen, pressed):
    """Give the keys of each action that has a meaning on `screen`, offered now or not, and was not pressed yet."""
    keys = {}
    for node, bindings in screen._modal_binding_chain:
        for key, found in bindings.key_to_bindings.items():
            for binding in () if key in LEAVES_THE_APP else found:
                action = (owner_of(node, binding), binding.action.partition("(")[0].removeprefix("app."))
                keys.setdefault(action, []).append(key)
    return {(owner, name): of for (owner, name), of in keys.items() if owner and not pressed & {(owner, name), owner}}


def owner_of(node, binding):
    """Give the class of ours that says so, None for Textual's: what a screen has from another was pressed there."""
    owners = (kind for kind in type(node).__mro__ if binding.action in map(action_of, vars(kind).get("BINDINGS", ())))
    owner = next(owners, None)
    return owner if owner and owner.__module__.startswith("tui.") else None


def action_of(declared):
    return declared[1] if isinstance(declared, tuple) else declared.action


async def press_everything(pilot, begin, pressed):
    """Press the keys of each action on a screen that was just opened, and so on each screen that this leads to.

    Gives the names of all screens that were seen.
    """
    app, screens = pilot.app, set()
    ways = deque([()])
    while ways:
        way = ways.popleft()
        await follow(pilot, begin, way)
        here = app.screen
        if type(here).__name__ in screens:
            continue
        screens.add(type(here).__name__)
        for action, keys in keys_by_action(here, pressed).items():
            pressed.add(action)
            if action[1] in STARTS_A_WORKER:
                continue
            for key in keys:  # One by one: the second to open a screen closes it again.
                if app.screen is not here:
                    await follow(pilot, begin, way)
                    here = app.screen
                await pilot.press(key)
                if app.screen is not here:
                    ways.append((*way, key))
    return screens


async def follow(pilot, begin, way):
    """Begin anew and press the keys that led somewhere."""
    while len(pilot.app.screen_stack) > 1:
        await pilot.app.pop_screen()
    begin(pilot.app)
    await pilot.pause()
    for key in way:
        await pilot.press(key)


@pytest.fixture
def crawl(store, tmp_path, monkeypatch):
    """Press everything from where `begin` leads, but for what belongs to the classes in `pressed`."""
    monkeypatch.chdir(tmp_path)  # Where pictures of the screen go.

    def crawl(begin, *pressed):
        screens = set()

        async def steps(pilot):
            screens.update(await press_everything(pilot, begin, set(pressed)))

        app = app_of(store)
        drive(app, steps, (60, 16))
        assert app.crash is None
        assert not app.return_code
        return screens

    return crawl


def test_on_the_first_screens_without_a_run(crawl):
    assert crawl(lambda app: None) >= {"LauncherScreen", "RunsScreen", "HelpScreen", "ActionPalette"}


def test_before_the_first_word_of_a_run(store, crawl):
    directory = store.create(spec_of())
    screens = crawl(lambda app: app.open_run(directory), MnistTuiApp, ReplayScreen)
    assert screens >= {"MonitorScreen", "ReplayScreen", "SwitcherScreen"}
    assert not (directory / "events.jsonl").exists()


def test_on_a_run_that_has_ended(crawl, finished_run):
    before = (finished_run / "events.jsonl").read_bytes()
    screens = crawl(lambda app: app.open_run(finished_run), LauncherScreen, RunForm)
    assert screens >= {"MonitorScreen", "ReplayScreen", "ConfirmScreen", "RunsScreen"}
    assert (finished_run / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize("keys", sorted(LEAVES_THE_APP))
def test_leaving_at_once_is_an_ordinary_end(store, keys):
    async def steps(pilot):
        await pilot.press(keys)
        assert isinstance(pilot.app.screen, Screen)

    app = app_of(store)
    drive(app, steps)
    assert app.crash is None
    assert not app.return_code
