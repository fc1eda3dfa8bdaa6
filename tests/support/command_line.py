"""The command `mnist-tui` as a person runs it: a process with streams, signals and an exit code."""

import os
import subprocess
import sys
from pathlib import Path

import mishaps

COMMAND = str(Path(sys.executable).with_name("mnist-tui"))
PATIENCE_SECONDS = 120.0
TRAIN = ("--no-ui", "-f", "rehearsal", "-m", "nn", "-d", "digits")
FOREVER = (*TRAIN, "--epochs", "100000")


def run(*arguments, **settings):
    """Run a command to its end; what it wrote is text."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings
    return subprocess.run([COMMAND, *arguments], text=True, timeout=PATIENCE_SECONDS, check=False, **streams)


def start(*arguments, **settings):
    """Start a command whose streams are pipes."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings
    return subprocess.Popen([COMMAND, *arguments], text=True, **streams)


def run_unheard(*arguments):
    """Run a command whose stdout is a pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return run(*arguments, stdout=writer)
    finally:
        os.close(writer)


def run_refused(*arguments):
    """Run a command whose stdout takes nothing, as a file on a full disk."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        return run(*arguments, stdout=full)


def run_in_shell(line, **variables):
    """Run a line of shell in which `$T` is the command; gives the completed process."""
    return subprocess.run(
        ["bash", "-c", line],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        env=os.environ | {"T": COMMAND} | variables,
    )


def start_training(store, *more):
    """Start a run that lasts, and give the command and the run's directory once an epoch is done and saved."""
    front = start(*FOREVER, *more)
    directory = mishaps.wait_for(store.directories, "the run's directory")[0]
    mishaps.wait_for_epoch(directory, 2)
    return front, directory


def the_run(store):
    """Give the directory of the only run there is."""
    (directory,) = store.directories()
    return directory
