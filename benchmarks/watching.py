"""What it costs to be watched: steps a second of training, bare, headless, and with the live screen attached.

    MNIST_TUI_DATA_DIR=... python benchmarks/watching.py [--framework torch] [--model lenet] [--sets 4] [--rounds 6]

`bare` drives our engine with no run around it; `headless` is a run whose progress bars a terminal shows, `attached` one
with a live screen of 120x40. In a set all are begun, and then take turns of `--seconds` for some rounds, the others
being stopped by a signal, so that what is compared is seconds apart. Of each turn the first second is left out, and
whatever is no step of training. Processes of the same code differ by up to 3 % for as long as they live, by where their
memory lies, hence the sets; headless and attached are one process. Prints a table of medians and of ratios with their
standard errors over all rounds, and one JSON line.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pexpect
import psutil
from epoch import engine_for, train_epoch
from screen import COMMAND, control, terminal

from engines import run_lock
from engines.event_tail import EventTail
from engines.events import Batch

SETTLE_SECONDS = 10.0
LEFT_OUT_SECONDS = 1.0

Progress = list[tuple[float, int, int]]
"""When (Unix seconds) training got to which step of which epoch."""


def train_bare(framework: str, model: str, path: Path) -> None:
    """Train with our engine until killed, and tell of the progress in `path`."""
    engine, order = engine_for(framework, model, "mnist")
    with path.open("w", buffering=1) as told:
        epoch = 0
        while True:
            epoch += 1
            for step in train_epoch(engine, order):
                print(time.time(), epoch, step, file=told)


def progress_of_bare(path: Path) -> Progress:
    """Give what `train_bare` told by now."""
    whole = path.read_text().rpartition("\n")[0].splitlines()
    return [(float(moment), int(epoch), int(step)) for moment, epoch, step in map(str.split, whole)]


def progress_of_run(directory: Path) -> Progress:
    """Give what the run told by now."""
    tail, progress = EventTail(directory / "events.jsonl"), []
    while not tail.at_end:
        progress += [(event.time, event.epoch, event.step) for event in tail.read() if isinstance(event, Batch)]
    tail.close()
    return progress


def rate(progress: Progress, began: float, ended: float) -> float:
    """Give the steps a second between two moments, of what lies within an epoch and between them."""
    within = [told for told in progress if began + LEFT_OUT_SECONDS <= told[0] <= ended]
    pairs = [(one, other) for one, other in pairwise(within) if one[1] == other[1]]
    seconds = sum(other[0] - one[0] for one, other in pairs)
    return sum(other[2] - one[2] for one, other in pairs) / seconds if seconds else float("nan")


@contextmanager
def turn(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Let `processes` go on, until they are stopped again."""
    for process in processes:
        process.resume()
    try:
        yield
    finally:
        for process in processes:
            process.suspend()


def measure(framework: str, model: str, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Give the steps a second of each contender in each round."""
    with ExitStack() as stack:
        runs = stack.enter_context(tempfile.TemporaryDirectory())
        told = Path(runs, "bare.txt")
        bare = subprocess.Popen([sys.executable, __file__, "--bare", str(told), "-f", framework, "-m", model])
        stack.callback(bare.kill)
        options = f"-f {framework} -m {model} -d mnist --epochs 100000 --runs-dir {runs}"
        pexpect.run(f"{COMMAND} --no-ui --detach {options}", timeout=None)
        stack.callback(control, runs, "stop")
        directory = next(path.parent for path in Path(runs).glob("*/spec.json"))
        printed = stack.enter_context(terminal(120, 40, "attach", "last", "--no-ui", "--runs-dir", runs))
        shown = stack.enter_context(terminal(120, 40, "attach", "last", "--runs-dir", runs))
        time.sleep(SETTLE_SECONDS)
        worker = run_lock.holder(directory / "lock")
        contenders = {
            "bare": [bare.pid],
            "headless": [worker, printed.child.pid],
            "attached": [worker, shown.child.pid],
        }
        parties = {name: [psutil.Process(pid) for pid in pids] for name, pids in contenders.items()}
        everyone = {process.pid: process for party in parties.values() for process in party}.values()
        stack.callback(lambda: [process.resume() for process in everyone])
        for process in everyone:
            process.suspend()
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in parties}
        for _ in range(rounds):
            for name, party in parties.items():
                began = time.time()
                with turn(party):
                    time.sleep(seconds)
                turns[name].append((began, time.time()))
        of_run = progress_of_run(directory)
        progress = {"bare": progress_of_bare(told), "headless": of_run, "attached": of_run}
        return {name: [rate(progress[name], *each) for each in turns[name]] for name in parties}


def print_table(title: str, rates: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Print the contenders' rates, and how many times as long as the others each took; gives these ratios' medians."""
    others = ("bare", "headless")
    print(f"{title:20}{'steps/s':>9}" + "".join(f"{'time / ' + other + ', error':>28}" for other in others))
    medians: dict[str, dict[str, float]] = {}
    for name, measured in rates.items():
        words, medians[name] = "", {}
        for other in others:
            ratios = [theirs / ours for ours, theirs in zip(measured, rates[other], strict=True)]
            medians[name][other] = statistics.median(ratios)
            error = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else float("nan")
            words += f"{medians[name][other]:20.3f}{error:8.3f}"
        print(f"{name:20}{statistics.median(measured):9.0f}{words}")
    return medians


def main() -> None:
    """Measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-f", "--framework", default="torch", choices=("torch", "tensorflow"))
    parser.add_argument("-m", "--model", default="lenet")
    parser.add_argument("--sets", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        train_bare(options.framework, options.model, options.bare)
    rates: dict[str, list[float]] = {}
    for _ in range(options.sets):
        for name, measured in measure(options.framework, options.model, options.rounds, options.seconds).items():
            rates.setdefault(name, []).extend(measured)
    ratios = print_table(f"{options.framework} {options.model}", rates)
    asked = {"framework": options.framework, "model": options.model, "sets": options.sets, "rounds": options.rounds}
    print(json.dumps({"benchmark": "watching", **asked, "steps_per_second": rates, "median_time_ratios": ratios}))


if __name__ == "__main__":
    main()
