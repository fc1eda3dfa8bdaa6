"""Kills the worker of one run at 200 random instants and goes on each time; it must end like a run that nobody killed.

`python tests/soak.py` takes some minutes and is no part of the suite. It ends with a line of JSON, or what differs.
"""

import json
import random
import signal
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("support")))

import aftermath
import real_worker

from engines import launch
from engines.event_tail import EventTail
from engines.events import Log, RunStarted
from engines.runs import RunStore

SIGNALS = [signal.SIGKILL] * 6 + [signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM, signal.SIGINT]


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background job would have workers ignore it.
    asked = read_arguments()
    rng = random.Random(asked.seed)
    spec = {"framework": asked.framework, "epochs": asked.epochs}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        expected = aftermath.learned(real_worker.train(RunStore(Path(folder) / "whole"), **spec).directory)
        directory = RunStore(Path(folder) / "soaked").create(real_worker.spec_of(**spec))
        ends = Counter()
        for number in range(1, asked.kills + 1):
            ends[live_and_die(directory, asked.framework, rng.uniform(0, asked.life), rng.choice(SIGNALS))] += 1
            if number % 20 == 0:
                aftermath.check_events(directory)
                say(f"{number} kills, {epochs_done(directory)} epochs, {time.monotonic() - began:.0f} s")
        killed_at = epochs_done(directory)
        assert killed_at < asked.epochs, "it was over before it was killed last: ask for more --epochs"
        aftermath.check_goes_on(directory)
        assert aftermath.learned(directory) == expected, "it learned something else"
        say(json.dumps({"ends": dict(ends), "epochs_when_killed_last": killed_at} | count_events(directory)))


def say(line):
    print(line, flush=True)  # noqa: T201 - a command


def read_arguments():
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=1000, help="more than are done when it is killed last")
    parser.add_argument("--life", type=float, default=2.0, help="the most seconds that a worker lives")
    parser.add_argument("--framework", default="rehearsal", choices=("rehearsal", "torch", "tensorflow"))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def live_and_die(directory, framework, seconds, number):
    """Start the next attempt, and kill its worker after `seconds` of whatever it does then; gives how that ended."""
    spare = launch.Spare(framework)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(launch.go_on, directory, spare=spare)
        time.sleep(seconds)
        spare.process.send_signal(number)
        spare.process.wait(real_worker.PATIENCE_SECONDS)
        came_up = answer.exception() is None
    return f"{number.name} {'after' if came_up else 'before'} it came up, {real_worker.status_of(directory)}"


def epochs_done(directory):
    """Count the epochs that the newest checkpoint holds."""
    names = [path.stem for path in (directory / "checkpoints").glob("last-*.json")]
    return max((int(name.split("-")[1]) for name in names), default=0)


def count_events(directory):
    """Count what a run went through: attempts, lines, those of them that a kill tore, checkpoints passed over."""
    with closing(EventTail(directory / "events.jsonl")) as tail:
        events = tail.read()
        while not tail.at_end:
            events += tail.read()
        passed_over = sum(isinstance(event, Log) and "passed over" in event.message for event in events)
        attempts = sum(isinstance(event, RunStarted) for event in events)
        return {"attempts": attempts, "lines": tail.lines, "torn_lines": tail.bad_lines, "passed_over": passed_over}


if __name__ == "__main__":
    main()
