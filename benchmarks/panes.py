"""Milliseconds that each pane of the live screen takes to be drawn anew, at 80x24 and at 200x60.

    python benchmarks/panes.py [--framework torch] [--model lenet] [--dataset digits] [--epochs 5] [--times 20]

Trains a run first, opens the app on it at each size, and draws every pane at the size that it has there; at 80x24 one
is shown at a time. Prints a table of medians and one JSON line.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

from engines import launch
from engines.run_reader import RunReader
from engines.runs import RunStore
from engines.spec import RunSpec
from tui.app import MnistTuiApp
from tui.screens.monitor import MonitorScreen
from tui.view import View
from tui.widgets.bench import PANE_NAMES, Bench

SIZES = ((80, 24), (200, 60))
SETTLE_SECONDS = 1.5


async def measure(store: RunStore, directory: Path, size: tuple[int, int], times: int) -> dict[str, float]:
    """Give the median milliseconds of each pane."""
    milliseconds: dict[str, float] = {}
    app = MnistTuiApp(store, RunSpec(), attach=directory)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(SETTLE_SECONDS)
        assert isinstance(app.screen, MonitorScreen)
        view = app.screen.view
        assert view is not None
        for at, name in enumerate(PANE_NAMES, 1):
            await pilot.press(str(at))
            await pilot.pause()
            milliseconds[name] = draw(app.screen.query_one(Bench), name, view, times)
    return milliseconds


def draw(bench: Bench, name: str, view: View, times: int) -> float:
    """Draw a pane at the size that it has, and give the median milliseconds."""
    pane, seconds = bench.panes[name], []
    for _ in range(times):
        began = time.perf_counter()
        pane.draw_view(view, pane.size.width, pane.size.height)
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds)


def main() -> None:
    """Train, measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", default="torch")
    parser.add_argument("--model", default="lenet")
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--times", type=int, default=20)
    asked = vars(parser.parse_args())
    times = asked.pop("times")
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "runs")
        worker = launch.start(store, RunSpec(**asked))
        worker.process.wait()
        with closing(RunReader(worker.run_directory)) as reader:
            batches = reader.read_all().batch_count
        figures = {
            f"{size[0]}x{size[1]}": asyncio.run(measure(store, worker.run_directory, size, times)) for size in SIZES
        }
    print(f"{'pane':14}" + "".join(f"{size:>10}" for size in figures) + "   ms")
    for name in PANE_NAMES:
        print(f"{name:14}" + "".join(f"{of[name]:10.2f}" for of in figures.values()))
    print(json.dumps({"benchmark": "panes", "batches": batches, "milliseconds": figures}))


if __name__ == "__main__":
    main()
