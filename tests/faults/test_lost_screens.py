"""Screens that go away, freeze, shrink or are lied to: the run goes on, and the screen ends or shows the truth."""

import contextlib
import json
import os
import re
import shutil
import signal
from pathlib import Path

import aftermath
import command_line
import mishaps
import pexpect
import psutil
import pytest
import real_worker
from real_terminal import RealTerminal

from engines import control

TRAIN = ("-f", "rehearsal", "-m", "nn", "-d", "digits", "--start", "--epochs")


def attach(*arguments, **settings):
    """Open the live screen of the newest run and wait until it shows something of it."""
    terminal = RealTerminal(command_line.COMMAND, "attach", "last", *arguments, **settings)
    terminal.wait_for(lambda: terminal.is_the_apps() and "digits" in terminal.text, "the run on the screen")
    return terminal


def leave(terminal):
    """Leave by the key for it: the terminal must be as it was."""
    terminal.child.send("q")
    assert terminal.end() == 0
    terminal.assert_as_before()


@pytest.fixture
def live(store):
    """A run that lasts, with two epochs done."""
    worker = mishaps.start(store, epochs=100_000)
    mishaps.wait_for_epoch(worker.run_directory, 2)
    return worker


def check_goes_on(directory):
    """The run trains on, whatever became of its screen."""
    done = real_worker.wait_until(directory, lambda state: state.epochs).epochs[-1].epoch
    mishaps.wait_for_epoch(directory, done + 2)
    assert real_worker.status_of(directory) == "running"


def test_a_screen_that_is_killed_leaves_its_run_and_no_spare(store):
    terminal = RealTerminal(command_line.COMMAND, *TRAIN, "100000")
    directory = mishaps.wait_for(store.directories, "the run")[0]
    terminal.wait_for(lambda: terminal.is_the_apps() and "epoch 1" in terminal.text, "the run on the screen")
    family = psutil.Process(terminal.child.pid).children(recursive=True)
    terminal.child.kill(signal.SIGKILL)
    assert terminal.end() == -signal.SIGKILL
    check_goes_on(directory)
    spares = [process for process in family if process.pid != mishaps.worker_of(directory)]
    mishaps.wait_for(lambda: not any(map(_is_alive, spares)), "the end of the spare")
    second = attach()
    second.wait_for(lambda: "epoch 1" in second.text, "the history")
    leave(second)
    check_goes_on(directory)


def _is_alive(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_line_that_drops_ends_the_screen_and_not_the_run(live):
    terminal = attach()
    app = psutil.Process(terminal.child.pid)
    terminal.take_away()
    mishaps.wait_for(lambda: not _is_alive(app), "the end of the screen")
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.child.pid, 0)[1]) == 129
    check_goes_on(live.run_directory)
    leave(attach())


def test_a_line_that_freezes_costs_the_run_nothing_and_the_screen_still_ends(store):
    worker = mishaps.start(store, epochs=40)
    terminal = attach(columns=200, rows=60)
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == 0  # Meanwhile nobody reads what the screen writes.
    os.kill(terminal.child.pid, signal.SIGTERM)
    app = psutil.Process(terminal.child.pid)
    mishaps.wait_for(lambda: not _is_alive(app), "the end of the screen")
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.child.pid, 0)[1]) == 143
    aftermath.check(worker.run_directory, "completed", goes_on=False)


def test_a_storm_of_resizes_is_weathered(live):
    terminal = attach()
    sizes = [(1, 1), (24, 80), (500, 1000), (2, 3), (60, 200), (1, 1000), (500, 1), (10, 40), (23, 79)]
    for turn in range(400):
        terminal.child.setwinsize(*sizes[turn % len(sizes)])
        with contextlib.suppress(pexpect.TIMEOUT):
            terminal.child.read_nonblocking(1 << 20, timeout=0.02)  # Thrown away: what it draws now is soon wrong.
    terminal.child.setwinsize(24, 80)
    terminal.wait_for(lambda: "digits" in terminal.text, "the run again")
    leave(terminal)
    check_goes_on(live.run_directory)


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (1, 80), (24, 1), (2, 2), (5, 200), (100, 20), (24, 80), (500, 1000)]
)
def test_a_screen_of_any_size_opens_and_ends(live, rows, columns):
    terminal = RealTerminal(command_line.COMMAND, "attach", "last", rows=rows, columns=columns)
    terminal.wait_for(terminal.is_the_apps, "the app")
    leave(terminal)


def test_a_worker_that_is_killed_is_seen_to_be(live):
    terminal = attach()
    mishaps.kill(live)
    terminal.wait_for(lambda: "crashed" in terminal.text, "the truth")
    leave(terminal)


def test_a_worker_that_stands_still_is_seen_to_do_so(live):
    terminal = attach()
    live.process.send_signal(signal.SIGSTOP)
    terminal.wait_for(lambda: "stalled" in terminal.text, "the truth")
    live.process.send_signal(signal.SIGCONT)
    terminal.wait_for(lambda: "running" in terminal.text, "the truth again")
    leave(terminal)


@pytest.mark.parametrize("loss", ["removed", "events removed", "events cut", "events a folder", "events garbage"])
def test_a_run_that_loses_its_files_under_a_screen_does_not_end_it(live, loss):
    terminal = attach()
    events = live.run_directory / "events.jsonl"
    match loss:
        case "removed":
            mishaps.wait_for(lambda: _is_removed(live.run_directory), "the removal")
        case "events removed":
            events.unlink()
        case "events cut":
            os.truncate(events, 0)
        case "events a folder":
            events.unlink()
            events.mkdir()
        case "events garbage":
            with events.open("ab") as file:
                file.write(bytes(range(256)) * 10_000 + b"[" * 100_000 + b"\n")
    control.ask(live.run_directory, "stop") if loss != "removed" else None
    live.process.wait(real_worker.PATIENCE_SECONDS)
    terminal.child.send("?")
    terminal.wait_for(lambda: "Keys" in terminal.text, "the answer to a key")
    terminal.child.send("?")
    terminal.wait_for(lambda: "Keys" not in terminal.text, "the run again")
    leave(terminal)


def _is_removed(directory):
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()


ATTACK = "\x1b]7777;owned\x07\x1b[7777mno\x9b7777m\x9d7777;x\x9c\u202e\u2066[/x][bold]$(reboot)"


def test_no_byte_of_an_attack_reaches_the_terminal(crashed):
    events = crashed / "events.jsonl"
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    for line in lines:
        if line["type"] == "run_started":
            line["device"] += ATTACK
            line["class_names"] = [name + ATTACK for name in line["class_names"]]
            line["parameters"] = [parameter | {"name": ATTACK} for parameter in line["parameters"]]
            line["spec"]["model"] += ATTACK
        line["message"] = line.get("message", "") + ATTACK
    lines += [
        {"type": "log", "seq": 900, "time": lines[-1]["time"], "level": level, "message": f"{level} {ATTACK}"}
        for level in ("info", "warning", "error")
    ]
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    spec = json.loads((crashed / "spec.json").read_text())
    (crashed / "spec.json").write_text(json.dumps(spec | {"model": f"nn{ATTACK}"}))
    (crashed / "worker.log").write_text(ATTACK * 3 + "\n")
    (Path(crashed.parent) / f"20261124-000000-{ATTACK.replace('/', '')}").mkdir()
    terminal = attach(columns=200, rows=60)
    for key in ("\t", "1", "2", "3", "4", "5", "6", "l", "r", "?", "\x1b", "\x1b"):
        terminal.child.send(key)
        for _ in range(4):
            terminal._read()
    terminal.child.kill(signal.SIGTERM)
    assert terminal.end() == 143
    terminal.assert_as_before()
    for harm in (b"7777;", b"\x1b[7777", b"\xc2\x9b", b"\xc2\x9d", "\u202e".encode(), "\u2066".encode()):
        assert harm not in terminal.written


def test_a_loss_that_is_no_number_any_more_is_shown_to_its_end(store):
    worker = mishaps.start(store, lr=1e38)
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == 9
    terminal = attach()
    terminal.wait_for(lambda: "failed" in terminal.text, "the truth")
    leave(terminal)


def test_a_loss_that_goes_on_as_no_number_is_shown_too(store):
    worker = mishaps.start(store, lr=1e38, on_nan="continue")
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == 0
    terminal = attach()
    terminal.wait_for(lambda: "completed" in terminal.text, "the truth")
    leave(terminal)


def test_two_screens_of_one_run_both_show_what_a_third_asked(live):
    screens = [attach(), attach(columns=120, rows=40)]
    command_line.run("pause", "last")
    for terminal in screens:
        terminal.wait_for(lambda terminal=terminal: "paused" in terminal.text, "the pause")
        leave(terminal)


@pytest.mark.parametrize("term", ["xterm", "vt100", "linux", "screen", "tmux-256color", "no-such-terminal"])
def test_a_terminal_of_another_kind_is_drawn_on_and_given_back(live, term):
    leave(attach(TERM=term))


def test_without_colour_there_are_only_greys(live):
    terminal = attach(NO_COLOR="1")
    leave(terminal)
    colours = {int(number) for number in re.findall(rb"[34]8;5;(\d+)", terminal.written)}
    assert colours <= set(range(232, 256)), "there is more than greys"
