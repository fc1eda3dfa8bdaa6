"""What the screen costs, counted at a real pseudo-terminal while a real run trains beside it.

    MNIST_TUI_DATA_DIR=... python benchmarks/screen.py [--framework torch] [--model lenet] [--seconds 20] [--starts 7]

First frame: from the command to the launcher's start line, median of `--starts`. Key to paint: from a key to the frame
that answers it. Bytes a second, CPU and memory of the app alone, in a steady run. Prints a table and one JSON line.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import psutil
import pyte

COMMAND = str(Path(sys.executable).with_name("mnist-tui"))
SIZES = ((80, 24), (120, 40), (200, 60))
KEYS = "2131"
DEADLINE_SECONDS = 60.0


class Terminal:
    """A program in a terminal of its own, what it has painted, and how many bytes that took."""

    def __init__(self, columns: int, rows: int, arguments: list[str]) -> None:
        self.bytes = 0
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.began = time.perf_counter()
        self.child = pexpect.spawn(COMMAND, arguments, dimensions=(rows, columns), timeout=None, env=environment)

    def read(self, seconds: float) -> None:
        """Take in what the program writes within `seconds`."""
        try:
            data = self.child.read_nonblocking(1 << 16, seconds)
        except pexpect.TIMEOUT:
            return
        self.bytes += len(data)
        self._stream.feed(data)

    def run(self, seconds: float) -> None:
        """Let it go on for `seconds`."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.read(min(0.05, left))

    def wait(self, shown: Callable[[str], bool]) -> float:
        """Wait until the screen's text is as `shown` wants it; gives the seconds that took."""
        began = time.perf_counter()
        while not shown("\n".join(self.screen.display)):
            if time.perf_counter() - began > DEADLINE_SECONDS:
                raise TimeoutError("\n".join(self.screen.display))
            self.read(0.002)
        return time.perf_counter() - began


@contextmanager
def terminal(columns: int, rows: int, *arguments: str) -> Iterator[Terminal]:
    """Start the command with `arguments`, and end it."""
    opened = Terminal(columns, rows, list(arguments))
    try:
        yield opened
    finally:
        opened.child.close(force=True)


def first_frames(runs: str, starts: int) -> list[float]:
    """Give the seconds from the command to a launcher that can be used, for each start."""
    seconds = []
    for _ in range(starts):
        with terminal(120, 40, "--runs-dir", runs) as opened:
            opened.wait(lambda text: "Enter: start" in text)
            seconds.append(time.perf_counter() - opened.began)
    return seconds


def steady(runs: str, size: tuple[int, int], seconds: float) -> dict[str, float]:
    """Watch the newest run for `seconds` and give what that cost, after the first frames are out."""
    with terminal(*size, "attach", "--runs-dir", runs) as opened:
        opened.wait(lambda text: "images/s" in text)
        opened.run(5)
        process, before = psutil.Process(opened.child.pid), opened.bytes
        cpu = sum(process.cpu_times()[:2])
        opened.run(seconds)
        cpu = sum(process.cpu_times()[:2]) - cpu
        spent = {"bytes_per_second": (opened.bytes - before) / seconds, "cpu_percent": 100 * cpu / seconds}
        spent["memory_mb"] = process.memory_info().rss / 1e6
        answers = [key_to_paint(opened, KEYS[turn % len(KEYS)]) for turn in range(40)]
    spent["key_median_ms"] = 1000 * statistics.median(answers)
    spent["key_p99_ms"] = 1000 * statistics.quantiles(answers, n=100)[98]
    return spent


def key_to_paint(opened: Terminal, key: str) -> float:
    """Press the number of a pane; gives the seconds until its tab is painted as the chosen one."""
    opened.run(0.1)
    opened.child.send(key)
    return opened.wait(lambda text: f"[{key}" in text)


def main() -> None:
    """Measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", default="torch")
    parser.add_argument("--model", default="lenet")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--starts", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as runs:
        starts = first_frames(runs, options.starts)
        print(f"first frame: median {statistics.median(starts):.3f} s, {min(starts):.3f} to {max(starts):.3f} s")
        chosen = ["-f", options.framework, "-m", options.model, "--epochs", "1000"]
        pexpect.run(f"{COMMAND} --no-ui --detach --runs-dir {runs} {' '.join(chosen)}", timeout=60)
        print(f"{'size':10}{'bytes/s':>10}{'CPU %':>8}{'MB':>8}{'key ms':>9}{'p99 ms':>9}")
        rows = {}
        for size in SIZES:
            name = "x".join(map(str, size))
            rows[name] = row = steady(runs, size, options.seconds)
            print(f"{name:10}" + "{:10.0f}{:8.1f}{:8.1f}{:9.1f}{:9.1f}".format(*row.values()), flush=True)
        pexpect.run(f"{COMMAND} stop last --runs-dir {runs}", timeout=60)
    print(json.dumps({"benchmark": "screen", "first_frame_seconds": statistics.median(starts), "sizes": rows}))


if __name__ == "__main__":
    main()
