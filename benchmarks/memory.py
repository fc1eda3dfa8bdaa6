"""Memory of a worker that trains MNIST: the most it ever has, beside a process that has only imported its framework.

    MNIST_TUI_DATA_DIR=... python benchmarks/memory.py [--frameworks torch,tensorflow] [--models nn,lenet,lenet1]

Resident memory, the libraries' pages included, over two epochs with evaluation and checkpoints. Prints a table and one
JSON line.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time

import psutil
from screen import COMMAND

LOOK_SECONDS = 0.1


def measure_import(framework: str) -> float:
    """Give the megabytes of a process once it has imported `framework` and nothing else."""
    code = f"import {framework}, psutil; print(psutil.Process().memory_info().rss)"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return int(printed.split()[-1]) / 1e6


def measure_worker(framework: str, model: str) -> float:
    """Give the most megabytes that the worker of a run of two epochs has."""
    most = 0
    with tempfile.TemporaryDirectory() as runs:
        chosen = ["-f", framework, "-m", model, "-d", "mnist", "--epochs", "2", "--runs-dir", runs]
        with subprocess.Popen([COMMAND, "--no-ui", *chosen], stdout=subprocess.DEVNULL) as command:
            while command.poll() is None:
                most = max([most, *map(resident, psutil.Process(command.pid).children())])
                time.sleep(LOOK_SECONDS)
    return most / 1e6


def resident(process: psutil.Process) -> int:
    """Give the bytes that `process` has in memory; none once it has ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    """Measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frameworks", default="torch,tensorflow")
    parser.add_argument("--models", default="nn,lenet,lenet1")
    options = parser.parse_args()
    megabytes: dict[str, float] = {}
    print(f"{'MB':24}{'whole':>8}{'above import':>14}")
    for framework in options.frameworks.split(","):
        imported = megabytes[f"import {framework}"] = measure_import(framework)
        print(f"{f'import {framework}':24}{imported:8.0f}", flush=True)
        for model in options.models.split(","):
            whole = megabytes[f"{framework} {model}"] = measure_worker(framework, model)
            print(f"{f'{framework} {model}':24}{whole:8.0f}{whole - imported:14.0f}", flush=True)
    print(json.dumps({"benchmark": "memory", "megabytes": megabytes}))


if __name__ == "__main__":
    main()
