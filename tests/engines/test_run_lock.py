"""The lock that says whether a run is alive: held exactly as long as its worker lives, and it names the holder."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from engines import run_lock
from engines.problems import RunBusy, StorageProblem

HOLD = """
import subprocess, sys
from pathlib import Path
from engines import run_lock
run_lock.acquire(Path(sys.argv[1]))
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) if "child" in sys.argv else None
forked = __import__("os").fork() if "fork" in sys.argv else 1
if forked:
    print(child.pid if child else forked, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path):
    """Start a process that holds the lock until it is killed."""
    started = []

    def start(*how):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "lock"), *how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        process.child = int(process.stdout.readline())
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_lock_that_nobody_holds_or_made_has_no_holder(tmp_path):
    assert run_lock.holder(tmp_path / "lock") is None
    (tmp_path / "lock").touch()
    assert run_lock.holder(tmp_path / "lock") is None


def test_the_holder_is_named_by_its_process(tmp_path, hold):
    process = hold()
    assert run_lock.holder(tmp_path / "lock") == process.pid


def test_a_second_worker_is_refused_and_told_what_to_do(tmp_path, hold):
    hold()
    with pytest.raises(RunBusy, match="attach") as caught:
        run_lock.acquire(tmp_path / "lock")
    assert caught.value.exit_code == 7


def test_a_killed_holder_leaves_the_lock_free(tmp_path, hold):
    process = hold()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run_lock.holder(tmp_path / "lock") is None
    os.close(run_lock.acquire(tmp_path / "lock"))


def test_even_a_holder_that_nobody_waited_for_leaves_it_free(tmp_path, hold):
    process = hold()
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_alive(process.pid)  # a zombie answers
    assert run_lock.holder(tmp_path / "lock") is None


@pytest.mark.parametrize("how", ["child", "fork"])
def test_a_killed_workers_child_does_not_keep_the_lock(tmp_path, hold, how):
    process = hold(how)
    process.send_signal(signal.SIGKILL)
    process.wait()
    try:
        assert is_alive(process.child)
        assert run_lock.holder(tmp_path / "lock") is None
    finally:
        os.kill(process.child, signal.SIGKILL)


def test_asking_for_the_holder_does_not_take_the_lock_away(tmp_path, hold):
    process = hold()
    for _ in range(3):
        assert run_lock.holder(tmp_path / "lock") == process.pid


def test_the_lock_is_private_and_no_link_is_followed(tmp_path):
    os.close(run_lock.acquire(tmp_path / "lock"))
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "lock")
    with pytest.raises(StorageProblem):
        run_lock.acquire(tmp_path / "link")
    assert run_lock.holder(tmp_path / "link") is None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_has_no_holder_and_is_not_waited_for(tmp_path, make):
    make(tmp_path / "lock")
    assert run_lock.holder(tmp_path / "lock") is None


def test_a_folder_that_is_gone_is_a_problem_of_storage(tmp_path):
    with pytest.raises(StorageProblem) as caught:
        run_lock.acquire(tmp_path / "gone" / "lock")
    assert caught.value.exit_code == 8


def test_a_disk_that_knows_no_locks_is_not_taken_for_a_busy_run(tmp_path, monkeypatch):
    def refuse(fd, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    with pytest.raises(StorageProblem, match="No locks available"):
        run_lock.acquire(tmp_path / "lock")
