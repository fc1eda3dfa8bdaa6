"""How soon the truth is told, how soon a lost screen ends, what a checkpoint costs, how soon a long history is shown.

    python benchmarks/reliability.py [--times 7]

A worker of the rehearsal engine is killed, and the time taken until a reader, and until a screen that polls, call it
crashed. A screen's terminal is closed, or left unread and the screen told to end. A checkpoint of each model's size
(weights and both moments of Adam) is written and synced. Prints a table and one JSON line; medians of `--times`.
"""

import argparse
import json
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import numpy as np
import psutil
from screen import Terminal, terminal

from engines import launch
from engines.checkpoints import CheckpointStore, Progress
from engines.event_line import encode_event
from engines.event_tail import EventTail
from engines.events import Batch, RunFinished
from engines.models import MODELS
from engines.run_reader import RunReader
from engines.runs import RunStore
from engines.spec import RunSpec

SPEC = RunSpec(framework="rehearsal", model="nn", dataset="digits", epochs=100_000)
HISTORIES = (50_000, 1_000_000)
"""Batch events: the most that a run of ours ever has, and twenty times that."""


@contextmanager
def live_run(store: RunStore) -> Iterator[launch.Worker]:
    """Train until the caller has had enough."""
    worker = launch.start(store, SPEC)
    with closing(RunReader(worker.run_directory)) as reader:
        while not reader.read_all().epochs:
            time.sleep(0.01)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()


def attached(store: RunStore) -> Terminal:
    """Open the newest run's screen, and wait until it shows the run."""
    opened = Terminal(80, 24, ["attach", "last", "--runs-dir", str(store.root)])
    opened.time_of(lambda text: "digits" in text.lower() and "step" in text)
    return opened


def kill_to_reader(store: RunStore) -> float:
    """Give the seconds from a kill until a reader says "crashed"."""
    with live_run(store) as worker, closing(RunReader(worker.run_directory)) as reader:
        reader.read_all()
        began = time.perf_counter()
        worker.process.kill()
        while reader.status() != "crashed":
            time.sleep(0.001)
        return time.perf_counter() - began


def kill_to_screen(store: RunStore) -> float:
    """Give the seconds from a kill until the screen shows "crashed"."""
    with live_run(store) as worker:
        opened = attached(store)
        began = time.perf_counter()
        worker.process.kill()
        seconds = opened.time_of(lambda text: "crashed" in text) - began
        opened.child.close(force=True)
        return seconds


def drop_to_end(store: RunStore) -> float:
    """Give the seconds from the end of a terminal until the screen's process is gone."""
    with live_run(store):
        opened = attached(store)
        return _seconds_to_end(opened, opened.child.ptyproc.fileobj.close)


def frozen_to_end(store: RunStore) -> float:
    """Give the seconds from TERM until a screen is gone whose terminal nobody has read for a while."""
    with live_run(store):
        opened = attached(store)
        time.sleep(3)
        return _seconds_to_end(opened, lambda: os.kill(opened.child.pid, signal.SIGTERM))


def _seconds_to_end(opened: Terminal, end: Callable[[], None]) -> float:
    process = psutil.Process(opened.child.pid)
    began = time.perf_counter()
    end()
    while process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    opened.child.closed = opened.child.ptyproc.closed = True
    os.waitpid(opened.child.pid, 0)
    return seconds


def checkpoint_seconds(folder: Path, model: str, times: int) -> float:
    """Give the seconds of saving what Adam needs of a model, synced."""
    count = MODELS[model].parameter_count()
    state = {name: np.zeros(count, np.float32) for name in ("weights", "first moment", "second moment")}
    store = CheckpointStore(folder, msgspec.structs.replace(SPEC, model=model))
    seconds = []
    for epoch in range(1, times + 4):
        began = time.perf_counter()
        store.save("last", Progress(epoch=epoch, step=1, lr=0.001), state)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[3:])


def long_run(store: RunStore, batches: int) -> Path:
    """Make a finished run with so many batch events."""
    worker = launch.start(store, msgspec.structs.replace(SPEC, epochs=3))
    worker.process.wait()
    path = worker.run_directory / "events.jsonl"
    with closing(EventTail(path)) as tail:
        events = tail.read()
        while not tail.at_end:
            events += tail.read()
    batch = next(event for event in events if isinstance(event, Batch))
    (finished,) = (event for event in events if isinstance(event, RunFinished))
    before = [event for event in events if event is not finished]
    with path.open("wb") as file:
        for at, event in enumerate([*before, *[batch] * batches, finished]):
            file.write(encode_event(msgspec.structs.replace(event, seq=at)))
    return worker.run_directory


def attach(store: RunStore) -> tuple[float, float]:
    """Give the seconds until all of the newest run's history is on the screen, and the screen's memory in MB then."""
    with terminal(120, 40, "attach", "last", "--runs-dir", str(store.root)) as opened:
        seconds = opened.time_of(lambda text: "completed" in text) - opened.began
        return seconds, psutil.Process(opened.child.pid).memory_info().rss / 1e6


def main() -> None:
    """Measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=7)
    times = parser.parse_args().times
    figures: dict[str, float] = {}

    def tell(name: str, seconds: float) -> None:
        figures[name] = seconds
        print(f"{name:48}{seconds:8.3f} s", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "runs")
        for name, measure in (
            ("kill to a reader's `crashed`", kill_to_reader),
            ("kill to the screen's `crashed`", kill_to_screen),
            ("terminal gone to the screen's end", drop_to_end),
            ("TERM to the end of a screen that nobody reads", frozen_to_end),
        ):
            tell(name, statistics.median(measure(store) for _ in range(times)))
        for model in MODELS:
            tell(f"checkpoint of {model}", checkpoint_seconds(Path(folder), model, times))
        for batches in HISTORIES:
            size = (long_run(store, batches) / "events.jsonl").stat().st_size
            seconds, memory = zip(*(attach(store) for _ in range(times)), strict=True)
            tell(f"attach to the whole of {batches:,} batches", statistics.median(seconds))
            print(f"    {size / 1e6:.0f} MB of events, {statistics.median(memory):.0f} MB of memory")
    print(json.dumps({"benchmark": "reliability", "seconds": figures}))


if __name__ == "__main__":
    main()
