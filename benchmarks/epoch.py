"""Seconds an epoch: our engines beside the article's own loops and a bare loop of the same mathematics.

    python benchmarks/epoch.py [--models nn,lenet,lenet1] [--rounds 3] [--dataset mnist] [--schedule constant]

Every measurement is an epoch of training alone (no evaluation, no import) in a process of its own, after a warm-up of
a few steps where the framework compiles something; contenders take turns, so that a machine that drifts drifts for all.
With `--schedule`, as of `mnist-tui`, each step of our engines learns at a rate of its own. On a GPU two more contenders
can be named: `torch-by-operation`, whose steps are not recorded as a graph, and `tensorflow-compiled`, whose steps XLA
compiles, as those of a long run.
Prints a table of medians and ratios, and one JSON line.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from apart import measure_apart
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engines.engine import Engine
    from engines.spec import Schedule

BATCH_SIZE, LEARNING_RATE = 32, 0.001
_MANY_EPOCHS = 1_000
CONTENDERS = ("article-torch", "bare-torch", "torch", "article-tensorflow", "tensorflow")


def engine_for(contender: str, model: str, dataset: str) -> "tuple[Engine, NDArray[np.int64]]":
    """Give our engine with its data on the device, warm, and an order of the images for its epochs."""
    from engines import datasets
    from engines.spec import RunSpec

    framework, _, way = contender.partition("-")
    epochs = _MANY_EPOCHS if way == "compiled" else 1
    spec = RunSpec(framework=framework, model=model, dataset=dataset, epochs=epochs)  # type: ignore[arg-type]
    engine: Any = import_module(f"engines.{framework}_engine").create(spec)
    if way == "by-operation":
        engine.record = None
    data = datasets.load(dataset, None, lambda *_: None)
    engine.load_data(data)
    order = np.random.default_rng(0).permutation(len(data.train_labels))
    engine.begin_epoch(order)
    engine.train(0, 3)  # Tracing and first allocations are no part of an epoch.
    engine.read_steps(0, 3)
    return engine, order


def train_epoch(engine: "Engine", order: NDArray[np.int64], schedule: "Schedule" = "constant") -> Iterator[int]:
    """Train an epoch as the training loop does, in calls of about a tenth of a second; gives the steps done by each."""
    from engines.pace import ChunkPace
    from engines.schedule import rate_factor

    engine.begin_epoch(order)
    steps, pace, done = -(-len(order) // BATCH_SIZE), ChunkPace(), 0
    while done < steps:
        count, started = min(pace.steps, steps - done), time.perf_counter()
        parts = [rate_factor(schedule, 0.0, (step + 0.5) / steps) for step in range(done, done + count)]
        engine.train(done, count, LEARNING_RATE * np.array(parts))
        engine.read_steps(done, count)
        pace.learn(count, time.perf_counter() - started)
        done += count
        yield done


def measure_engine(contender: str, model: str, dataset: str, schedule: "Schedule" = "constant") -> float:
    """Give the seconds of one epoch with our engine."""
    engine, order = engine_for(contender, model, dataset)
    began = time.perf_counter()
    for _ in train_epoch(engine, order, schedule):
        pass
    return time.perf_counter() - began


def measure(contender: str, model: str, dataset: str, schedule: "Schedule") -> float:
    """Give the seconds of one epoch, measured in this process."""
    match contender:
        case "bare-torch" | "article-torch" | "article-tensorflow":
            run_epoch = import_module(contender.replace("-", "_")).run_epoch
            return float(run_epoch(model, dataset, None))
        case _:
            return measure_engine(contender, model, dataset, schedule)


def measure_epoch(contender: str, model: str, dataset: str, schedule: str) -> float:
    """Give the seconds of one epoch, measured in a process of its own."""
    shared = ("--models", model, "--dataset", dataset, "--schedule", schedule)
    return measure_apart(__file__, "--one", contender, *shared)


def main() -> None:
    """Measure what the command line says, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="nn,lenet,lenet1")
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--schedule", default="constant")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(measure(options.one, options.models, options.dataset, options.schedule))
        return
    medians = {}
    for model in options.models.split(","):
        seconds: dict[str, list[float]] = {contender: [] for contender in options.contenders.split(",")}
        for _ in range(options.rounds):
            for contender, measured in seconds.items():
                measured.append(measure_epoch(contender, model, options.dataset, options.schedule))
        medians[model] = {contender: statistics.median(measured) for contender, measured in seconds.items()}
        print_table(model, seconds)
    asked = {"dataset": options.dataset, "schedule": options.schedule, "rounds": options.rounds}
    print(json.dumps({"benchmark": "epoch", **asked, "seconds": medians}))


def print_table(model: str, seconds: dict[str, list[float]]) -> None:
    """Print the contenders of one model, each beside how many times faster our engines are."""
    ours = {name: statistics.median(seconds[name]) for name in ("torch", "tensorflow") if name in seconds}
    print(f"\n{model:20}{'median':>9}{'min':>9}{'max':>9}" + "".join(f"{'/ our ' + name:>19}" for name in ours))
    for contender, measured in seconds.items():
        median = statistics.median(measured)
        ratios = "".join(f"{median / our:19.2f}" for our in ours.values())
        print(f"{contender:20}{median:9.2f}{min(measured):9.2f}{max(measured):9.2f}{ratios}", flush=True)


if __name__ == "__main__":
    main()
