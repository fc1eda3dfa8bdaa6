import json
import os
import re
import resource
import select
import signal
import subprocess
import time
from contextlib import closing
from types import SimpleNamespace

import command_line
import mishaps
import pytest
import real_worker
from aftermath import check_words
from real_worker import status_of

from engines import launch
from engines.event_tail import EventTail
from engines.run_queue import RunQueue
from engines.run_state import RunState
from tui import headless
from tui.catch_up import catch_up
from tui.interrupts import Interrupts


def test_in_a_pipe_a_run_is_plain_lines_one_an_epoch(store):
    trained = command_line.run(*command_line.TRAIN, "--epochs", "3")

    assert trained.returncode == 0
    assert not trained.stderr
    assert trained.stdout.isascii()
    assert all(line.isprintable() for line in trained.stdout.splitlines())
    assert re.findall(r"^epoch (\d)/3 ", trained.stdout, re.MULTILINE) == ["1", "2", "3"]
    finished = real_worker.read_events(command_line.the_run(store))[-1]
    assert f"test accuracy {100 * finished.test_accuracy:.2f} %" in trained.stdout
    assert f"mnist-tui attach {command_line.the_run(store).name}" in trained.stdout


def test_verbose_adds_phase_times_and_the_table_of_parameters():
    trained = command_line.run(*command_line.TRAIN, "--epochs", "1", "-v")

    for line in (r"import +\S+ m?s", r"evaluate +\S+ m?s", r"weight +784x10 +7,840", r"total +7,850"):
        assert re.search(f"^{line}$", trained.stdout, re.MULTILINE), line


def test_json_is_the_lines_of_the_file_and_nothing_else(store):
    trained = command_line.run(*command_line.TRAIN, "--epochs", "2", "--json")

    directory = command_line.the_run(store)
    assert trained.returncode == 0
    assert trained.stdout == (directory / "events.jsonl").read_text(encoding="utf-8")
    assert directory.name in trained.stderr


def test_an_attempt_prints_its_own_events_only(finished_run):
    before = (finished_run / "events.jsonl").stat().st_size

    trained = command_line.run("--no-ui", "--json", "--continue-from", "last", "--epochs", "2")

    assert trained.returncode == 0
    assert trained.stdout.encode() == (finished_run / "events.jsonl").read_bytes()[before:]
    events = [json.loads(line) for line in trained.stdout.splitlines()]
    assert [event["epoch"] for event in events if event["type"] == "epoch"] == [4, 5]


def test_going_on_with_what_is_done_is_wrong_usage_and_with_a_live_run_is_busy(finished_run, store):
    done = command_line.run("--no-ui", "--continue-from", finished_run.name)
    worker = real_worker.start(store, epochs=100_000)
    busy = command_line.run("--no-ui", "--continue-from", worker.run_directory.name)

    assert (done.returncode, busy.returncode) == (2, 7)
    check_words(done.stderr)
    check_words(busy.stderr)
    worker.process.kill()
    worker.process.wait()


def test_detached_it_prints_the_id_and_leaves_while_the_run_goes_on(store):
    started = command_line.run(*command_line.FOREVER, "--detach")

    directory = command_line.the_run(store)
    assert (started.returncode, started.stdout) == (0, f"{directory.name}\n")
    assert mishaps.worker_of(directory)


def test_a_killed_worker_is_exit_12_with_the_signal_and_the_way_on(store):
    front, directory = command_line.start_training(store)
    os.kill(mishaps.worker_of(directory), signal.SIGKILL)
    _, err = front.communicate(timeout=command_line.PATIENCE_SECONDS)

    assert front.returncode == 12
    check_words(err)
    assert "SIGKILL" in err
    assert "memory" in err
    assert f"--continue-from {directory.name}" in err


class Silence:
    def begin(self, directory): ...
    def show(self, event): ...
    def refresh(self, state): ...
    def close(self): ...


@pytest.mark.parametrize("why", ["it is done", "it was told twice"])
def test_a_worker_that_does_not_leave_is_killed(why, finished_run, tmp_path, monkeypatch):
    is_done = why == "it is done"
    monkeypatch.setattr(launch, "LEAVE_SECONDS" if is_done else "AT_ONCE_SECONDS", 0.05)
    with subprocess.Popen(["sleep", "100"]) as process, Interrupts() as interrupts:
        interrupts.count = 0 if is_done else 2
        worker = launch.Worker(finished_run if is_done else tmp_path, process, 1, 0)
        assert headless.train(worker, Silence(), interrupts) == (0 if is_done else 12)
    assert process.returncode == -signal.SIGKILL


def test_an_interrupt_that_came_when_the_run_was_done_changes_nothing(finished_run):
    with subprocess.Popen(["true"]) as process, Interrupts() as interrupts:
        interrupts.first = signal.SIGINT
        assert headless.train(launch.Worker(finished_run, process, 1, 0), Silence(), interrupts) == 0


def test_attached_to_a_run_whose_worker_is_about_to_come_up_it_waits(store, monkeypatch):
    directory = store.create(real_worker.spec_of(epochs=1))
    naps = iter([lambda: launch.begin(directory)])
    monkeypatch.setattr(headless, "time", SimpleNamespace(sleep=lambda _: next(naps, lambda: time.sleep(0.01))()))
    with Interrupts() as interrupts:
        assert headless.watch(directory, Silence(), interrupts, every_event=False) == 0
    os.utime(dead := store.create(real_worker.spec_of()), (0, 0))
    with Interrupts() as interrupts:
        assert headless.watch(dead, Silence(), interrupts, every_event=False) == 12


def test_a_run_that_somebody_else_stopped_is_exit_10(store):
    front, directory = command_line.start_training(store)
    stopped = command_line.run("stop", "last")
    front.communicate(timeout=command_line.PATIENCE_SECONDS)

    assert (stopped.returncode, front.returncode) == (0, 10)
    assert status_of(directory) == "stopped"


@pytest.mark.parametrize("mode", ["", "--json"])
def test_a_reader_that_has_enough_is_no_error_and_the_run_goes_on(store, mode):
    line = f"$T {' '.join(command_line.FOREVER)} {mode} | head -1; echo ${{PIPESTATUS[0]}}"
    shell = command_line.run_in_shell(line)

    assert shell.stdout.splitlines()[-1] == "0"
    check_words(shell.stderr)
    assert mishaps.worker_of(command_line.the_run(store))


@pytest.mark.parametrize("mode", ["", "--json"])
def test_a_full_stdout_is_exit_8_and_the_run_goes_on(store, mode):
    shell = command_line.run_in_shell(f"$T {' '.join(command_line.FOREVER)} {mode} >/dev/full; echo $?")

    assert shell.stdout == "8\n"
    check_words(shell.stderr)
    assert mishaps.worker_of(command_line.the_run(store))


def test_of_a_run_that_has_ended_nothing_goes_on_where_nobody_reads(finished_run):
    unheard = command_line.run_unheard("attach", finished_run.name, "--no-ui")
    assert (unheard.returncode, unheard.stderr) == (0, "")

    refused = command_line.run_refused("attach", finished_run.name, "--no-ui")
    assert refused.returncode == 8
    check_words(refused.stderr)
    assert "goes on" not in refused.stderr


def test_a_run_whose_id_nobody_takes_is_named_on_stderr(store):
    unheard = command_line.run_unheard(*command_line.FOREVER, "--detach")
    first = command_line.the_run(store)
    assert unheard.returncode == 0
    assert f"run {first.name} goes on" in unheard.stderr

    refused = command_line.run_refused(*command_line.FOREVER, "--detach")
    queued = command_line.run_refused(*command_line.FOREVER, "--queue")
    (second,) = set(store.directories()) - {first}
    (order,) = RunQueue(store).orders()
    assert (refused.returncode, queued.returncode) == (8, 8)
    assert f"Run {second.name} goes on" in refused.stderr
    assert f"Run {order.run_id} is queued" in queued.stderr
    for words in (unheard.stderr, refused.stderr, queued.stderr):
        check_words(words)


def test_nobody_hearing_stderr_changes_nothing():
    shell = command_line.run_in_shell(f"$T {' '.join(command_line.TRAIN)} --epochs 1 --json 2>/dev/full | wc -l")

    assert int(shell.stdout) > 5


@pytest.mark.parametrize(("target", "code"), [("0.5", 0), ("1", 13)])
def test_a_target_that_is_not_reached_is_exit_13(target, code):
    trained = command_line.run(*command_line.TRAIN, "--epochs", "2", "--target-accuracy", target)

    assert trained.returncode == code
    assert ("was not reached" in trained.stderr) == (code == 13)


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--lr", "1e300"], 9, "--lr"),
        (["--device", "cuda"], 6, "--device"),
        (["-d", "mnist", "--data-dir", "nowhere"], 4, "nowhere"),
        (["--runs-dir", "/dev/null"], 8, "/dev/null"),
        (["--continue-from", "nope"], 3, "no runs"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_fails_has_its_exit_code_and_its_line_last_on_stderr(more, code, said, monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MNIST_TUI_DATA_DIR", raising=False)
    options = [*command_line.TRAIN[:-2], *([] if "-d" in more else ["-d", "digits"])]
    arguments = ["--no-ui", *more] if "--continue-from" in more else [*options, *more]

    trained = command_line.run(*arguments, cwd=tmp_path)

    assert trained.returncode == code
    check_words(trained.stderr)
    assert said in trained.stderr.splitlines()[-1]


def test_attached_without_a_screen_it_follows_to_the_end_and_ends_as_the_run_does(store):
    worker = real_worker.start(store, epochs=100_000)
    follower = command_line.start("attach", "--no-ui", "--json")
    assert select.select([follower.stdout], [], [], command_line.PATIENCE_SECONDS)[0]
    mishaps.wait_for_epoch(worker.run_directory, 2)
    command_line.run("stop", "last")
    out, _ = follower.communicate(timeout=command_line.PATIENCE_SECONDS)
    worker.process.wait()

    assert follower.returncode == 10
    assert out == (worker.run_directory / "events.jsonl").read_text(encoding="utf-8")


@pytest.fixture
def gone_on(finished_run):
    """A run of three epochs that lost its last one, and went on after the second for two more."""
    for path in (finished_run / "checkpoints").glob("*-00003-*"):
        path.unlink()
    assert real_worker.go_on(finished_run, more_epochs=2).finished.epochs == 4
    return finished_run


def test_a_run_whose_disk_takes_no_more_events_ends_with_the_code_of_the_disk(store):
    def no_large_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, resource.RLIM_INFINITY))

    trained = command_line.run(*command_line.TRAIN, "--epochs", "30", preexec_fn=no_large_files)

    assert trained.returncode == 8
    last = trained.stderr.splitlines()[-1]
    assert "the disk did not take its last events" in last
    assert f"--continue-from {command_line.the_run(store).name}`" in last


def test_attached_it_prints_what_stands_and_not_what_a_later_attempt_replaced(gone_on):
    attached = command_line.run("attach", "last", "--no-ui")

    assert attached.returncode == 0
    assert re.findall(r"^epoch (\d/\d) ", attached.stdout, re.MULTILINE) == ["1/3", "2/3", "3/4", "4/4"]
    assert re.findall(r"^completed after .* epochs", attached.stdout, re.MULTILINE) == ["completed after 4 epochs"]
    assert attached.stdout.count("see it again") == 1
    shown = command_line.run("show", "last").stdout
    assert [line for line in attached.stdout.splitlines() if line.startswith("epoch")] == [
        line for line in shown.splitlines() if line.startswith("epoch ")
    ]


def test_attached_with_json_it_prints_the_whole_record(gone_on):
    attached = command_line.run("attach", "last", "--no-ui", "--json")

    assert attached.stdout == (gone_on / "events.jsonl").read_text(encoding="utf-8")


def test_attached_it_says_nothing_of_events_that_it_does_not_know(finished_run):
    record = (finished_run / "events.jsonl").read_text(encoding="utf-8")
    with (finished_run / "events.jsonl").open("a") as file:
        file.write('{"type":"from-the-future","seq":999,"time":1.0}\n')
    assert command_line.run("attach", "last", "--no-ui", "--json").stdout == record
    assert "future" not in command_line.run("attach", "last", "--no-ui").stdout


def test_attached_to_a_later_attempt_it_prints_what_stood_and_then_what_comes(gone_on):
    worker = launch.go_on(gone_on, more_epochs=100_000)
    follower = command_line.start("attach", "last", "--no-ui")
    mishaps.wait_for_epoch(gone_on, 7)
    command_line.run("stop", "last")
    out, _ = follower.communicate(timeout=command_line.PATIENCE_SECONDS)
    worker.process.wait()

    assert follower.returncode == 10
    epochs = [int(epoch) for epoch in re.findall(r"^epoch +(\d+)/", out, re.MULTILINE)]
    assert epochs == [*range(1, len(epochs) + 1)]
    assert len(epochs) >= 7
    assert out.count("completed after") == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_to_leave_an_attached_run_does_not_stop_it(store, number, code):
    worker = real_worker.start(store, epochs=100_000)
    follower = command_line.start("attach", "last", "--no-ui")
    assert follower.stdout.readline() == f"run {worker.run_directory.name}\n"
    follower.send_signal(number)
    _, err = follower.communicate(timeout=command_line.PATIENCE_SECONDS)

    assert follower.returncode == code
    check_words(err)
    assert worker.process.poll() is None
    worker.process.kill()
    worker.process.wait()


def test_catching_up_reads_on_past_a_part_without_events(tmp_path):
    event = b'{"type":"log","seq":%d,"time":1.0,"level":"info","message":"a word"}\n'
    path = tmp_path / "events.jsonl"
    path.write_bytes(event % 0 + b"x" * 3_000_000 + b"\n" + event % 1)

    with closing(EventTail(path)) as tail:
        assert [told.seq for told in catch_up(tail, RunState())] == [0, 1]


def test_what_is_written_just_before_the_end_is_followed_too(tmp_path):
    path = tmp_path / "events.jsonl"

    def end():
        path.write_bytes(b'{"type":"log","seq":0,"time":1.0,"level":"info","message":"last"}\n')
        return True

    with closing(EventTail(path)) as tail:
        assert [event.message for some in headless.follow(tail, end) for event in some] == ["last"]


def test_following_reads_on_past_a_part_without_events(tmp_path):
    path = tmp_path / "events.jsonl"
    event = b'{"type":"log","seq":0,"time":1.0,"level":"info","message":"%d"}\n'
    path.write_bytes(event % 1 + b"x" * 3_000_000 + b"\n" + event % 2)

    with closing(EventTail(path)) as tail:
        events = [event for some in headless.follow(tail, lambda: True) for event in some]

    assert [event.message for event in events] == ["1", "2"]
