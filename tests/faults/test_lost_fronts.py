"""Commands in front of a run that go away, or whose streams do: the run goes on without them, to its end."""

import os
import shutil
import signal
import subprocess

import aftermath
import command_line
import mishaps
import psutil
import pytest
import real_worker
from held_training import held
from real_terminal import RealTerminal


def the_run_of(store):
    directory = mishaps.wait_for(store.directories, "the run's directory")[0]
    mishaps.wait_for_epoch(directory, 1)
    return directory


def check_trains_to_its_end(directory):
    mishaps.wait_for(lambda: real_worker.status_of(directory) == "completed", "the end of the run")
    mishaps.wait_for(lambda: not mishaps.worker_of(directory), "the end of its worker")
    aftermath.check(directory, "completed", goes_on=False)
    aftermath.check_curve(directory)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGSEGV], ids=lambda number: number.name)
def test_a_run_outlives_the_command_in_front_of_it(store, number):
    with held(1):
        front = command_line.start(*command_line.TRAIN, "--epochs", "4")
        directory = the_run_of(store)
        front.send_signal(number)
        front.communicate()
    check_trains_to_its_end(directory)


def test_a_run_outlives_all_processes_of_the_group_and_session_that_started_it(store):
    with held(1):
        session = command_line.start(*command_line.TRAIN, "--epochs", "4", start_new_session=True)
        directory = the_run_of(store)
        os.killpg(session.pid, signal.SIGKILL)
        session.communicate()
    check_trains_to_its_end(directory)


def test_a_run_outlives_a_line_that_drops_under_plain_lines(store):
    with held(1):
        terminal = RealTerminal(command_line.COMMAND, *command_line.TRAIN, "--epochs", "4")
        directory = the_run_of(store)
        front = psutil.Process(terminal.child.pid)
        terminal.take_away()
        mishaps.wait_for(lambda: front.status() == psutil.STATUS_ZOMBIE, "the end of the command")
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.child.pid, 0)[1]) == 129
    check_trains_to_its_end(directory)


def test_a_run_outlives_tmux(store, tmp_path):
    if not shutil.which("tmux"):
        pytest.skip("tmux is missing")
    server = ["tmux", "-S", str(tmp_path / "tmux"), "-f", os.devnull]
    train = " ".join([command_line.COMMAND, *command_line.TRAIN[1:], "--epochs", "4", "--start"])
    with held(1):
        subprocess.run([*server, "new-session", "-d", "-x", "100", "-y", "30", train], check=True)
        directory = the_run_of(store)
        subprocess.run([*server, "kill-server"], check=True)
    check_trains_to_its_end(directory)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_run_is_trained_whatever_stream_is_closed(store, closed):
    ended = command_line.run_in_shell(f"$T {' '.join(command_line.TRAIN)} --epochs 2 {closed}")
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr
    check_trains_to_its_end(command_line.the_run(store))


@pytest.mark.parametrize(
    ("redirection", "codes"),
    [("| head -1", {0}), (">/dev/full", {8}), ("2>/dev/full", {0})],
    ids=["head", "full", "2full"],
)
def test_a_run_goes_on_where_nobody_takes_what_is_said_of_it(store, redirection, codes):
    line = f"$T {' '.join(command_line.TRAIN)} --epochs 5 {redirection}; exit ${{PIPESTATUS[0]}}"
    ended = command_line.run_in_shell(line)
    assert ended.returncode in codes
    assert "Traceback" not in ended.stderr
    check_trains_to_its_end(command_line.the_run(store))


@pytest.mark.parametrize("locale", ["C", "POSIX", "no-such-locale", ""])
def test_nothing_but_ascii_is_said_where_the_locale_has_no_more(store, locale):
    ended = command_line.run(*command_line.TRAIN, "--epochs", "1", env=os.environ | {"LC_ALL": locale, "LANG": locale})
    assert ended.returncode == 0
    assert (ended.stdout + ended.stderr).isascii()


def test_a_detached_run_outlives_whoever_detached_it(store):
    with held(1):
        ended = command_line.run(*command_line.TRAIN, "--epochs", "4", "--detach")
    assert ended.stdout.strip() == command_line.the_run(store).name
    check_trains_to_its_end(command_line.the_run(store))


def test_a_command_whose_worker_cannot_start_says_so_and_leaves_a_run_that_can_go_on(store, python_finds, monkeypatch):
    python_finds(
        "sitecustomize", "import sys\nif 'engines.worker' in ' '.join(sys.orig_argv): raise SystemExit('no worker')"
    )
    ended = command_line.run(*command_line.TRAIN, "--epochs", "2")
    assert ended.returncode == 12
    aftermath.check_words(ended.stderr)
    monkeypatch.delenv("PYTHONPATH")
    directory = command_line.the_run(store)
    assert real_worker.go_on(directory).exit_code == 0
    check_trains_to_its_end(directory)
