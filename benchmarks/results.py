"""The article's twelve results: five epochs of each network, in both frameworks, on both datasets, and their times.

    MNIST_TUI_DATA_DIR=... python benchmarks/results.py [--epochs 5] [--seed 0]

Trains each through the command line, one after another; prints the README's table and one JSON line.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

FRAMEWORKS = {"torch": "PyTorch", "tensorflow": "TensorFlow"}
DATASETS = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
MODELS = ("nn", "lenet", "lenet1")


def train(*options: str) -> dict[str, float]:
    """Train one combination to its end; gives its test accuracy and the median seconds of training an epoch."""
    command = Path(sys.executable).with_name("mnist-tui")
    done = subprocess.run([command, "--no-ui", "--json", *options], check=True, capture_output=True, text=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    seconds = [event["train_seconds"] for event in events if event["type"] == "epoch"]
    return {"test_accuracy": events[-1]["test_accuracy"], "train_seconds": statistics.median(seconds)}


def main() -> None:
    """Train all twelve, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    results = {}
    print("| | " + " | ".join(MODELS) + " |\n|---|" + "---|" * len(MODELS))
    with tempfile.TemporaryDirectory() as runs:
        common = ["--epochs", str(options.epochs), "--seed", str(options.seed), "--runs-dir", runs]
        for dataset, framework in product(DATASETS, FRAMEWORKS):
            cells = []
            for model in MODELS:
                result = train("-f", framework, "-m", model, "-d", dataset, *common)
                results[f"{dataset} {framework} {model}"] = result
                cells.append(f"{100 * result['test_accuracy']:.2f} % ({result['train_seconds']:.1f} s)")
            print(f"| {DATASETS[dataset]}, {FRAMEWORKS[framework]} | " + " | ".join(cells) + " |", flush=True)
    print(json.dumps({"benchmark": "results", "epochs": options.epochs, "seed": options.seed, "results": results}))


if __name__ == "__main__":
    main()
