"""Seconds of training to an accuracy: our networks and recipes beside the article's, over several seeds.

    MNIST_TUI_DATA_DIR=... python benchmarks/time_to_accuracy.py [--dataset mnist] [--frameworks torch] [--seeds 10]

Each run goes through the command line, one after another. The accuracy is that of the whole test set, which nothing was
chosen on: every recipe was chosen on images of the training set. A run is judged at the ends of its epochs alone, and
import, loading and evaluation are told apart from training. Needs a machine that does nothing else. Prints a table and
one JSON line.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

TARGETS = {"mnist": (0.98, 0.99, 0.994, 0.9965), "fashion-mnist": (0.91, 0.92, 0.925, 0.93, 0.94)}
CONTENDERS: dict[str, tuple[str, ...]] = {
    "lenet, article": ("-m", "lenet"),
    "lenet1, article": ("-m", "lenet1"),
    "airnet-s, one epoch": ("-m", "airnet-s", "--epochs", "1"),
    "airnet-s, fast": ("-m", "airnet-s"),
    "airnet-m, fast": ("-m", "airnet-m"),
    "airnet-m, best": ("-m", "airnet-m", "--recipe", "best"),
}


@dataclass(frozen=True)
class Result:
    """One run: seconds of training to each target (None where it was not reached) and in all, and before training."""

    accuracy: float
    seconds: float
    before: float
    to_target: tuple[float | None, ...]


def measure(options: Sequence[str], targets: Sequence[float]) -> Result:
    """Train one run to its end."""
    command = [str(Path(sys.executable).with_name("mnist-tui")), "--no-ui", "--json", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    epochs = [event for event in events if event["type"] == "epoch"]
    phases = {event["name"]: event["seconds"] for event in events if event["type"] == "phase"}
    reached = list(zip(accumulate(epoch["train_seconds"] for epoch in epochs), epochs, strict=True))
    return Result(
        accuracy=events[-1]["test_accuracy"],
        seconds=reached[-1][0],
        before=phases["import"] + phases["data"] + phases["build"],
        to_target=tuple(
            next((seconds for seconds, epoch in reached if epoch["test_accuracy"] >= target), None)
            for target in targets
        ),
    )


def mean_and_spread(values: Sequence[float], digits: int, factor: float = 1.0) -> str:
    """Show the mean of at least one value, and the standard deviation of one run where there are two or more."""
    mean = f"{factor * statistics.fmean(values):.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {factor * statistics.stdev(values):.{digits}f}"


def row(name: str, results: Sequence[Result]) -> str:
    """Show one contender: accuracy, seconds in all, and seconds to each target with how many runs reached it."""
    cells = [
        name,
        mean_and_spread([r.accuracy for r in results], 2, 100),
        mean_and_spread([r.seconds for r in results], 1),
    ]
    for at in range(len(results[0].to_target)):
        reached = [seconds for result in results if (seconds := result.to_target[at]) is not None]
        cells.append(f"{mean_and_spread(reached, 1)} ({len(reached)}/{len(results)})" if reached else "-")
    cells.append(mean_and_spread([result.before for result in results], 1))
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure what the command line says, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=tuple(TARGETS), default="mnist")
    parser.add_argument("--frameworks", default="torch")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--contenders", default=",".join(str(place) for place in range(len(CONTENDERS))))
    options = parser.parse_args()
    targets = TARGETS[options.dataset]
    heads = ["", "test accuracy, %", "training, s", *(f"to {100 * target:g} %, s" for target in targets), "before, s"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    told = {}
    with tempfile.TemporaryDirectory() as runs:
        for framework in options.frameworks.split(","):
            for place in map(int, options.contenders.split(",")):
                name, asked = list(CONTENDERS.items())[place]
                common = ("-f", framework, "-d", options.dataset, "--runs-dir", runs)
                results = [measure((*asked, *common, "--seed", str(s)), targets) for s in range(options.seeds)]
                told[f"{framework}, {name}"] = [asdict(result) for result in results]
                print(row(f"{framework}, {name}", results), flush=True)
    print(
        json.dumps({"benchmark": "time to accuracy", "dataset": options.dataset, "targets": targets, "results": told})
    )


if __name__ == "__main__":
    main()
