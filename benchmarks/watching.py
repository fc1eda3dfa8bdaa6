"""What it costs to be watched: seconds of training an epoch, bare, headless, and with the live screen attached.

    MNIST_TUI_DATA_DIR=... python benchmarks/watching.py [--framework torch] [--model nn] [--rounds 5]

`bare` drives our engine for an epoch with no run around it; `headless` is a worker that nobody looks at, in its second
epoch; `attached` is the same with a live screen of 120x40 drawn beside it, to a terminal that takes everything at once.
The three take turns, each in processes of its own, and ratios are of the same round. Prints a table of medians and
ratios, and one JSON line.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import pexpect
from epoch import measure_epoch
from screen import COMMAND, terminal

from engines.run_reader import ALIVE, RunReader

EPOCHS = 2


def measure_headless(framework: str, model: str) -> float:
    """Give the seconds of training in the second epoch of a run that nobody watches."""
    with tempfile.TemporaryDirectory() as runs:
        pexpect.run(f"{COMMAND} --no-ui {_options(framework, model, runs)}", timeout=None)
        return _train_seconds(runs)


def measure_attached(framework: str, model: str) -> float:
    """Give the seconds of training in the second epoch of a run whose live screen is drawn."""
    with tempfile.TemporaryDirectory() as runs:
        pexpect.run(f"{COMMAND} --no-ui --detach {_options(framework, model, runs)}", timeout=None)
        with terminal(120, 40, "attach", "last", "--runs-dir", runs) as opened:
            reader = _reader(runs)
            while reader.status() in ALIVE:
                opened.run(1)
                reader.advance()
            reader.close()
        return _train_seconds(runs)


def _options(framework: str, model: str, runs: str) -> str:
    return f"-f {framework} -m {model} -d mnist --epochs {EPOCHS} --runs-dir {runs}"


def _reader(runs: str) -> RunReader:
    return RunReader(next(path.parent for path in Path(runs).glob("*/spec.json")))


def _train_seconds(runs: str) -> float:
    reader = _reader(runs)
    seconds = reader.read_all().epochs[-1].train_seconds
    reader.close()
    return seconds


def main() -> None:
    """Measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", default="torch", choices=("torch", "tensorflow"))
    parser.add_argument("--model", default="nn")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    contenders: dict[str, Callable[[], float]] = {
        "bare": lambda: measure_epoch(options.framework, options.model, "mnist"),
        "headless": lambda: measure_headless(options.framework, options.model),
        "attached": lambda: measure_attached(options.framework, options.model),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(options.rounds):
        for name, measure in contenders.items():
            seconds[name].append(measure())
    print(f"{options.framework} {options.model:12}{'median':>9}{'least':>9}{'/ bare':>9}{'/ headless':>12}")
    ratios = {}
    for name, measured in seconds.items():
        ratios[name] = {other: _ratio(measured, seconds[other]) for other in ("bare", "headless")}
        paired = "{bare:9.3f}{headless:12.3f}".format(**ratios[name])
        print(f"{name:18}{statistics.median(measured):9.2f}{min(measured):9.2f}{paired}")
    asked = {"framework": options.framework, "model": options.model, "rounds": options.rounds}
    print(json.dumps({"benchmark": "watching", **asked, "seconds": seconds, "median_ratios": ratios}))


def _ratio(measured: list[float], others: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(measured, others, strict=True))


if __name__ == "__main__":
    main()
