"""The app driven by keys without a terminal, and what a person would see of it."""

import asyncio
import time

from engines.runs import RunStore
from engines.spec import RunSpec
from tui.app import MnistTuiApp
from tui.screens.monitor import MonitorScreen

PATIENCE_SECONDS = 120.0
SIZES = ((80, 24), (200, 60))


def app_of(store, *, asked=None, **settings):
    """Give the app with its form on the rehearsal engine and the digits, unless `asked` says otherwise."""
    form = RunSpec(**{"framework": "rehearsal", "model": "nn", "dataset": "digits", "epochs": 1, **(asked or {})})
    return MnistTuiApp(store, form, **settings)


def drive(app, steps, size=(80, 24)):
    """Run `app` at `size` and have `steps`, an async function of its pilot, play a person."""

    async def play():
        async with app.run_test(size=size, notifications=True) as pilot:
            await steps(pilot)

    asyncio.run(play())


def seen(pilot):
    """Give the screen's text as a person sees it."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def until(pilot, holds):
    """Wait until `holds` gives something true, and give that."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (answer := holds()):
        assert time.monotonic() < end, f"it never came to that; the screen shows:\n{seen(pilot)}"
        await pilot.pause(0.02)
    return answer


async def until_seen(pilot, text):
    """Wait until `text` stands on the screen."""
    await until(pilot, lambda: text in seen(pilot))


def chosen(pilot, row):
    """Give what stands in a row of the launcher's form."""
    return pilot.app.query_one("RunForm").form.texts[row]


def watch(directory, steps, size=(80, 24)):
    """Have `steps` play a person before the live screen of the run in `directory`; gives the app."""

    async def play(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await steps(pilot)

    app = app_of(RunStore(directory.parent), attach=directory)
    drive(app, play, size)
    assert app.crash is None
    return app
