"""Make the README's pictures: the app's own SVG export of real runs on real data.

    MNIST_TUI_DATA_DIR=... python screenshots/make.py [--framework torch] [--model lenet] [--dataset mnist] [--epochs 3]

A run of `nn` is trained first, so that there is something to race. Writes launcher.svg, live.svg (in the last epoch),
narrow.svg (80x24), finished.svg, closely.svg (curves zoomed into, worst mistakes), drawing.svg, runs.svg, race.svg and
sweep.svg (three models on the digits, with three seeds) beside this file.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from textual.pilot import Pilot

from engines import launch
from engines.places import Places
from engines.run_reader import RunReader
from engines.run_state import RunState
from engines.runs import RunStore
from engines.spec import RunSpec
from engines.sweep import expand
from engines.sweep_driver import SweepDriver
from tui.app import MnistTuiApp
from tui.sweep_app import SweepApp

FOLDER = Path(__file__).parent
WIDE = (132, 40)
NARROW = (80, 24)
SEVEN = (*["left"] * 5, *["up"] * 8, "space", *["right"] * 10, *["down", "down", "left"] * 6, "space")
"""What draws a seven from the middle of the sheet."""

POLL_SECONDS = 0.2
LOOK_SECONDS = 1.0


async def picture_run(spec: RunSpec, store: RunStore) -> None:
    """Start `spec` from the launcher as a person would, and take the pictures on the way."""
    app = MnistTuiApp(store, spec)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause(LOOK_SECONDS)
        save(app, "launcher")
        await pilot.press("enter")
        last = spec.epochs - 1
        await wait_until(pilot, store, lambda state: state.position >= last)
        save(app, "live")
        await pilot.resize_terminal(*NARROW)
        await pilot.pause(LOOK_SECONDS)
        save(app, "narrow")
        await pilot.resize_terminal(*WIDE)
        await wait_until(pilot, store, lambda state: state.finished is not None)
        save(app, "finished")
        await picture_looks(app, pilot)


async def picture_looks(app: MnistTuiApp, pilot: Pilot[None]) -> None:
    """Look at the run that is shown and has ended, and at all runs."""
    await press(pilot, "z", "z", "k", *["comma"] * 12, "w")
    save(app, "closely")
    await press(pilot, "e", *SEVEN)
    save(app, "drawing")
    await press(pilot, "ctrl+r")
    save(app, "runs")
    await press(pilot, "space", "down", "space", "x")
    save(app, "race")


async def picture_sweep(framework: str, store: RunStore) -> None:
    """Take a picture of a sweep when two thirds of its runs are done, and let it come to its end."""
    axes = {"framework": [framework], "model": ["nn", "lenet", "airnet-s"], "dataset": ["digits"], "validation": [200]}
    driver = SweepDriver(store, expand(axes, range(3)), Places(jobs=1))
    app = SweepApp(store, driver)
    async with app.run_test(size=WIDE) as pilot:
        while driver.progress.completed < 6 or not any(run.epoch for run in driver.progress.training):
            await pilot.pause(POLL_SECONDS)
        await pilot.pause(LOOK_SECONDS)
        save(app, "sweep")
        while not driver.progress.is_over:
            await pilot.pause(POLL_SECONDS)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys as a person would, and wait for what comes of them."""
    for key in keys:
        await pilot.press(key)
    await pilot.pause(LOOK_SECONDS)


async def wait_until(pilot: Pilot[None], store: RunStore, reached: Callable[[RunState], bool]) -> None:
    """Let the app go on until the newest run has got that far; raises RuntimeError where the run ends before."""
    while not store.directories():
        await pilot.pause(POLL_SECONDS)
    reader = RunReader(store.directories()[0])
    while not reached(reader.read_all()):
        if reader.state.finished:
            raise RuntimeError(f"the run ended early: {reader.state.finished}")
        await pilot.pause(POLL_SECONDS)
    await pilot.pause(LOOK_SECONDS)


def save(app: MnistTuiApp, name: str) -> None:
    """Write what is on the screen to `name`.svg."""
    path = FOLDER / f"{name}.svg"
    path.write_text(app.export_screenshot(title="mnist-tui"), encoding="utf-8")
    print(path)


def main() -> None:
    """Take the pictures of the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", default="torch")
    parser.add_argument("--model", default="lenet")
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--epochs", type=int, default=3)
    chosen = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as runs:
        os.environ["MNIST_TUI_RUNS_DIR"] = runs  # Commands on the screen name no folder where runs lie as usual.
        spec, store = RunSpec(**chosen), RunStore(Path(runs))
        launch.start(store, replace(spec, model="nn")).process.wait()
        asyncio.run(picture_run(spec, store))
        asyncio.run(picture_sweep(spec.framework, RunStore(Path(runs) / "sweep")))


if __name__ == "__main__":
    main()
