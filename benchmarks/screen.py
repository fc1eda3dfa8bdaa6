"""What the screen costs, counted at a real pseudo-terminal while a real run trains beside it.

    MNIST_TUI_DATA_DIR=... python benchmarks/screen.py [--framework torch] [--model lenet] [--seconds 20] [--starts 7]

First frame: from the command to the launcher's start line, median of `--starts`. Key to paint: from a key to the frame
that answers it, while the run trains and while it pauses; what lies between is the wait for a processor. Bytes a
second, CPU and memory of the app alone, in a steady run; at the last size also over a line of 25 KB a second. Prints a
table and one JSON line.
"""

import argparse
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
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
KEY_COUNT = 100
TYPING_SECONDS = (0.05, 0.25)
"""From an answer to the next key, at least and at most."""

PAUSE_SECONDS = 2.0
DEADLINE_SECONDS = 60.0
LOOK_SECONDS = 0.005
CLOSE_SECONDS = 5.0
BITE_SECONDS = 0.02
SLOW_LINE = 25_000
SLOW_SETTLE_SECONDS = 20
"""The whole screen, once, is some 200 KB at 200x60."""


class Terminal:
    """A program in a terminal of its own, what it has painted, and how many bytes that took.

    Painting here is slower than in a real terminal: what arrives is kept with its time, and painted when asked for.
    """

    def __init__(self, columns: int, rows: int, arguments: list[str], command: str = COMMAND) -> None:
        self.bytes = 0
        self.bytes_per_second: int | None = None
        """What the line takes; None for everything at once."""

        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._arrived: list[tuple[float, bytes]] = []
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # A person has the modules compiled after the first start.
        self.began = time.perf_counter()
        self.child = pexpect.spawn(command, arguments, dimensions=(rows, columns), timeout=None, env=environment)
        self.child.delaybeforesend = None  # pexpect holds each key back for 50 ms otherwise.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def run(self, seconds: float) -> None:
        """Let it go on for `seconds`."""
        time.sleep(seconds)

    def close(self) -> None:
        """End it."""
        self.child.kill(signal.SIGKILL)
        self._reader.join(CLOSE_SECONDS)
        self.child.close(force=True)

    def _read(self) -> None:
        """Take what it writes at the moment at which it comes, whatever is being painted meanwhile."""
        while True:
            size = 1 << 16
            if self.bytes_per_second:
                time.sleep(BITE_SECONDS)
                size = int(self.bytes_per_second * BITE_SECONDS)
            try:
                data = os.read(self.child.child_fd, size)
            except OSError:
                return  # It has ended.
            self._arrived.append((time.perf_counter(), data))
            self.bytes += len(data)

    def press(self, key: str) -> float:
        """Send `key`, and give when."""
        moment = time.perf_counter()
        self.child.send(key)
        return moment

    def paint(self) -> None:
        """Paint what arrived by now, so that what comes later is not found in it."""
        while self._arrived:
            self._stream.feed(self._arrived.pop(0)[1])

    def time_of(self, shown: Callable[[str], bool]) -> float:
        """Give when the text was first as `shown` wants it; lets the program go on until it is."""
        began = time.perf_counter()
        while time.perf_counter() - began < DEADLINE_SECONDS:
            while self._arrived:
                moment, data = self._arrived.pop(0)
                self._stream.feed(data)
                if shown("\n".join(self._screen.display)):
                    return moment
            self.run(LOOK_SECONDS)
        raise TimeoutError("\n".join(self._screen.display))


@contextmanager
def terminal(columns: int, rows: int, *arguments: str, command: str = COMMAND) -> Iterator[Terminal]:
    """Start the command with `arguments`, and end it."""
    opened = Terminal(columns, rows, list(arguments), command)
    try:
        yield opened
    finally:
        opened.close()


def first_frames(runs: str, starts: int) -> list[float]:
    """Give the seconds from the command to a launcher that can be used, for each start."""
    seconds = []
    for _ in range(starts):
        with terminal(120, 40, "--runs-dir", runs) as opened:
            seconds.append(opened.time_of(lambda text: "Enter: start" in text) - opened.began)
    return seconds


def steady(runs: str, size: tuple[int, int], seconds: float, line: int | None = None) -> dict[str, float]:
    """Watch the newest run for `seconds` and give what that cost, after the first frames are out.

    The terminal is at the end of a line that takes `line` bytes a second, or everything at once.
    """
    with terminal(*size, "attach", "--runs-dir", runs) as opened:
        opened.bytes_per_second = line
        opened.time_of(lambda text: "images/s" in text)
        opened.run(SLOW_SETTLE_SECONDS if line else 5)
        process, before = psutil.Process(opened.child.pid), opened.bytes
        cpu = sum(process.cpu_times()[:2])
        opened.run(seconds)
        cpu = sum(process.cpu_times()[:2]) - cpu
        spent = {"bytes_per_second": (opened.bytes - before) / seconds, "cpu_percent": 100 * cpu / seconds}
        spent["memory_mb"] = process.memory_info().rss / 1e6
        spent |= answers(opened, "key")
        control(runs, "pause")
        opened.run(PAUSE_SECONDS)
        spent |= answers(opened, "paused_key")
        control(runs, "resume")
    return spent


def answers(opened: Terminal, name: str) -> dict[str, float]:
    """Press keys as a person does and give the median and the 99th percentile of the milliseconds to each answer."""
    chance, seconds = random.Random(0), []
    for turn in range(KEY_COUNT):
        opened.run(chance.uniform(*TYPING_SECONDS))
        opened.paint()
        seconds.append(key_to_paint(opened, KEYS[turn % len(KEYS)]))
    return {
        f"{name}_median_ms": 1000 * statistics.median(seconds),
        f"{name}_p99_ms": 1000 * statistics.quantiles(seconds, n=100)[98],
    }


def key_to_paint(opened: Terminal, key: str) -> float:
    """Press the number of a pane; gives the seconds until its tab is painted as the chosen one."""
    pressed = opened.press(key)
    return opened.time_of(lambda text: f"[{key}" in text) - pressed


def control(runs: str, action: str) -> None:
    """Have the newest run pause, resume or stop."""
    pexpect.run(f"{COMMAND} {action} last --runs-dir {runs}", timeout=60)


def print_row(name: str, row: dict[str, float]) -> None:
    """Print what one size cost."""
    print(f"{name:20}" + "{:10.0f}{:8.1f}{:8.1f}{:9.1f}{:9.1f}{:11.1f}{:9.1f}".format(*row.values()), flush=True)


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
        print(
            f"{'size':20}{'bytes/s':>10}{'CPU %':>8}{'MB':>8}{'key ms':>9}{'p99 ms':>9}{'paused ms':>11}{'p99 ms':>9}"
        )
        rows = {}
        for size in SIZES:
            name = "x".join(map(str, size))
            rows[name] = row = steady(runs, size, options.seconds)
            print_row(name, row)
        rows["200x60, slow line"] = row = steady(runs, SIZES[-1], options.seconds, SLOW_LINE)
        print_row(f"200x60 at {SLOW_LINE // 1000} KB/s", row)
        control(runs, "stop")
    print(json.dumps({"benchmark": "screen", "first_frame_seconds": statistics.median(starts), "sizes": rows}))


if __name__ == "__main__":
    main()
