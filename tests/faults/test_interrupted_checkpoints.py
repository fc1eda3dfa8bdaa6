"""Checkpoints that are cut short: the worker killed at each system call of one, or the disk refusing that call."""

import os
import shutil
import signal
import subprocess
import sys
from functools import cache

import aftermath
import mishaps
import pytest
import real_worker

from engines import launch
from engines.events import Log

# In an epoch's two checkpoints (last, best) a worker renames four files; the calls are counted from its start.
RENAMES = {"first weights": 1, "a first manifest": 2, "best weights": 3, "later weights": 5, "a later manifest": 6}
SYNCS = {"first weights": 2, "the folder": 3, "a first manifest": 4, "later weights": 12}
REMOVALS = {"an older manifest": 6, "what an older manifest was for": 8}


@cache
def _can_trace():
    command = ["strace", "-o", os.devnull, "true"]
    return bool(shutil.which("strace")) and subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def start_with(store, tmp_path):
    """Start a run whose worker's system calls meet faults, as strace's `inject` takes them."""
    if not _can_trace():
        pytest.skip("strace is missing, or may not trace here")
    wrapper = tmp_path / "python"

    def start(fault):
        calls = fault.partition(":")[0]
        trace = f"strace -f -o {os.devnull} -e trace={calls} -e inject={fault}"
        wrapper.write_text(f'#!/bin/sh\nexec {trace} {sys.executable} "$@"\n')
        wrapper.chmod(0o700)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(launch.sys, "executable", str(wrapper))
            return mishaps.start(store)

    return start


@pytest.mark.parametrize(
    ("calls", "count"),
    [pytest.param("rename,renameat,renameat2", count, id=f"renaming {what}") for what, count in RENAMES.items()]
    + [pytest.param("fsync", count, id=f"syncing {what}") for what, count in SYNCS.items()]
    + [pytest.param("unlink,unlinkat", count, id=f"removing {what}") for what, count in REMOVALS.items()],
)
def test_a_run_killed_in_a_checkpoint_ends_like_one_that_was_not(start_with, uninterrupted, calls, count):
    worker = start_with(f"{calls}:signal=KILL:when={count}")
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) in (-signal.SIGKILL, 128 + signal.SIGKILL)
    aftermath.check(worker.run_directory, "crashed")
    assert aftermath.learned(worker.run_directory) == aftermath.learned(uninterrupted)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC", "EROFS"])
@pytest.mark.parametrize("calls", ["rename,renameat,renameat2", "fsync"], ids=["renaming", "syncing"])
def test_a_disk_that_refuses_a_checkpoint_costs_that_checkpoint_only(start_with, uninterrupted, calls, error):
    worker = start_with(f"{calls}:error={error}:when=2..4")
    ended = real_worker.ended(worker)
    assert ended.exit_code == 0
    said = [event.message for event in ended.events if isinstance(event, Log) and event.level == "error"]
    assert said
    assert all("no checkpoint could be saved" in message for message in said)
    aftermath.check(ended.directory, "completed", goes_on=False)
    assert aftermath.learned(ended.directory) == aftermath.learned(uninterrupted)
