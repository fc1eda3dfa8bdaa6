"""How soon: from the command to the first frame, from "start" and from a switch of models to the first training step.

    MNIST_TUI_DATA_DIR=... python benchmarks/startup.py [--starts 9] [--runs 3] [--settle 8]

First frame: from the command to the launcher's start line, in turn with the first frame of a Textual app that shows one
word, which is the floor. First step: from Enter to the first step's number on the screen; `cold` as soon as the
launcher is there, `warm` after it was left alone for `--settle` seconds, for a switch with `m` too. Through a real
pseudo-terminal of 120x40. The command's end: from the last event of a run with `--no-ui` until the shell has it back.
Prints a table and one JSON line.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from screen import COMMAND, Terminal, control, terminal

ONE_WORD = """
from textual.app import App
from textual.widgets import Static

class OneWord(App):
    def compose(self):
        yield Static("ready")

OneWord().run()
"""
FRAMEWORKS = ("torch", "tensorflow")
STEP = re.compile(r"step +([\d,]+) of")


def first_frames(runs: str, starts: int) -> dict[str, list[float]]:
    """Give the seconds to the launcher's start line and to the floor's only word, `starts` of each in turn."""
    seconds: dict[str, list[float]] = {"launcher": [], "one word in Textual": []}
    for _ in range(starts):
        with terminal(120, 40, "--runs-dir", runs) as opened:
            seconds["launcher"].append(opened.time_of(lambda text: "Enter: start" in text) - opened.began)
        with terminal(120, 40, "-c", ONE_WORD, command=sys.executable) as opened:
            seconds["one word in Textual"].append(opened.time_of(lambda text: "ready" in text) - opened.began)
    return seconds


def first_step(runs: str, framework: str, settle: float) -> float:
    """Give the seconds from Enter in the launcher to the first step, after `settle` seconds of choosing."""
    with terminal(120, 40, "-f", framework, "-m", "lenet", "-d", "mnist", "--runs-dir", runs) as opened:
        opened.time_of(lambda text: "Enter: start" in text)
        opened.run(settle)
        seconds = press_and_see(opened, "\r", lambda text: STEP.search(text) is not None)
    control(runs, "stop")
    return seconds


def switched_step(runs: str, framework: str, settle: float) -> float:
    """Give the seconds from Enter over the live screen, which stops the run first, to the next model's first step."""
    chosen = ["-f", framework, "-m", "nn", "-d", "mnist", "--epochs", "1000", "--start", "--runs-dir", runs]
    with terminal(120, 40, *chosen) as opened:
        opened.time_of(lambda text: STEP.search(text) is not None)
        opened.press("m")
        opened.time_of(lambda text: "[lenet]" in text)
        opened.run(settle)
        # The choice itself names the next model, too, but not in the first line.
        seconds = press_and_see(
            opened, "\r", lambda text: "lenet" in text.splitlines()[0] and STEP.search(text) is not None
        )
    control(runs, "stop")
    return seconds


def end_of_command(runs: str, framework: str) -> float:
    """Give the seconds from a run's last event to the end of the command that started it."""
    chosen = ["-f", framework, "-m", "nn", "-d", "digits", "--epochs", "1", "--runs-dir", runs]
    subprocess.run([COMMAND, "--no-ui", *chosen], check=True, capture_output=True)
    ended = time.time()
    newest = max(Path(runs).glob("*/events.jsonl"))
    return ended - float(json.loads(newest.read_bytes().splitlines()[-1])["time"])


def press_and_see(opened: Terminal, key: str, shown: Callable[[str], bool]) -> float:
    """Press `key`; gives the seconds until the text is as `shown` wants it."""
    opened.paint()
    pressed = opened.press(key)
    return opened.time_of(shown) - pressed


def main() -> None:
    """Measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=9)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--settle", type=float, default=8)
    options = parser.parse_args()
    print(f"{'seconds to':34}{'median':>8}{'least':>8}{'most':>8}")
    medians: dict[str, float] = {}

    def tell(what: str, seconds: list[float]) -> None:
        medians[what] = round(statistics.median(seconds), 3)
        print(f"{what:34}{medians[what]:8.3f}{min(seconds):8.3f}{max(seconds):8.3f}", flush=True)

    with tempfile.TemporaryDirectory() as runs:
        for what, seconds in first_frames(runs, options.starts).items():
            tell(f"first frame, {what}", seconds)
        for framework in FRAMEWORKS:
            tell(f"first step, {framework}, cold", [first_step(runs, framework, 0) for _ in range(options.runs)])
            warm = [first_step(runs, framework, options.settle) for _ in range(options.runs)]
            tell(f"first step, {framework}, warm", warm)
            switched = [switched_step(runs, framework, options.settle) for _ in range(options.runs)]
            tell(f"switched model, {framework}, warm", switched)
            tell(f"command's end, {framework}", [end_of_command(runs, framework) for _ in range(options.runs)])
    print(json.dumps({"benchmark": "startup", "median_seconds": medians}))


if __name__ == "__main__":
    main()
