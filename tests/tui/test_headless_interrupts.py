"""A run without a screen that is interrupted or hung up: what ends, what goes on, and the code."""

import fcntl
import os
import signal

import command_line
import mishaps
import pytest
from aftermath import check_words
from held_training import held
from real_worker import status_of


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_interrupt_saves_a_checkpoint_and_stops(store, number, code):
    front, directory = command_line.start_training(store)
    front.send_signal(number)
    out, err = front.communicate(timeout=command_line.PATIENCE_SECONDS)

    assert front.returncode == code
    assert status_of(directory) == "stopped"
    assert mishaps.worker_of(directory) is None
    assert "stopped after" in out
    check_words(err)
    assert f"--continue-from {directory.name}" in err
    assert command_line.run("--no-ui", "--continue-from", "last", "--epochs", "1").returncode == 0


def test_an_interrupt_is_taken_even_where_a_shell_had_it_ignored(store):
    front = command_line.start(*command_line.FOREVER, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    mishaps.wait_for_epoch(mishaps.wait_for(store.directories, "the run")[0], 1)
    front.send_signal(signal.SIGINT)

    front.communicate(timeout=command_line.PATIENCE_SECONDS)
    assert front.returncode == 130


def test_a_run_that_was_stopped_before_its_first_checkpoint_goes_on_from_its_beginning(store):
    with held(0):
        front = command_line.start(*command_line.TRAIN, "--epochs", "3")
        directory = mishaps.wait_for(store.directories, "the run's directory")[0]
        mishaps.wait_for(lambda: mishaps.worker_of(directory), "the worker")
        os.kill(mishaps.worker_of(directory), signal.SIGKILL)
        front.communicate(timeout=command_line.PATIENCE_SECONDS)

    again = command_line.run("--no-ui", "--continue-from", "last")
    assert again.returncode == 0
    assert "epoch 3/3" in again.stdout


def test_the_second_interrupt_ends_even_a_worker_that_does_not_answer(store):
    front, directory = command_line.start_training(store)
    os.kill(mishaps.worker_of(directory), signal.SIGSTOP)
    front.send_signal(signal.SIGINT)
    front.send_signal(signal.SIGTERM)
    _, err = front.communicate(timeout=command_line.PATIENCE_SECONDS)

    assert front.returncode == 130
    assert mishaps.worker_of(directory) is None
    check_words(err)


def test_an_interrupt_that_ends_the_reader_too_still_stops_the_run(store):
    front, directory = command_line.start_training(store)
    front.send_signal(signal.SIGINT)
    front.stdout.close()

    assert front.wait(command_line.PATIENCE_SECONDS) == 130
    assert status_of(directory) == "stopped"


def test_an_interrupt_reaches_the_worker_while_nobody_reads(store):
    front = command_line.start(*command_line.FOREVER, "--json")
    fcntl.fcntl(front.stdout, fcntl.F_SETPIPE_SZ, 4096)
    directory = mishaps.wait_for(store.directories, "the run's directory")[0]
    mishaps.wait_for_epoch(directory, 30)
    assert (directory / "events.jsonl").stat().st_size > 8192  # More than the pipe and the command hold.
    front.send_signal(signal.SIGINT)

    mishaps.wait_for(lambda: status_of(directory) == "stopped", "the run's end")
    front.communicate(timeout=command_line.PATIENCE_SECONDS)
    assert front.returncode == 130


def test_hung_up_it_lets_go_and_the_run_goes_on(store):
    front, directory = command_line.start_training(store)
    front.send_signal(signal.SIGHUP)
    _, err = front.communicate(timeout=command_line.PATIENCE_SECONDS)

    assert front.returncode == 129
    assert mishaps.worker_of(directory)
    check_words(err)
    assert f"mnist-tui attach {directory.name}" in err


def test_under_nohup_a_hang_up_changes_nothing(store):
    front = command_line.start(*command_line.FOREVER, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    mishaps.wait_for_epoch(mishaps.wait_for(store.directories, "the run")[0], 1)
    front.send_signal(signal.SIGHUP)
    front.send_signal(signal.SIGTERM)

    front.communicate(timeout=command_line.PATIENCE_SECONDS)
    assert front.returncode == 143


def test_quit_writes_every_stack_to_the_log_and_goes_on(store, tmp_path):
    front, _ = command_line.start_training(store)
    front.send_signal(signal.SIGQUIT)
    log = tmp_path / "state" / "mnist-tui" / "log" / "ui.log"
    mishaps.wait_for(lambda: log.exists() and "in follow" in log.read_text(encoding="utf-8"), "the stacks")
    front.send_signal(signal.SIGTERM)
    _, err = front.communicate(timeout=command_line.PATIENCE_SECONDS)

    assert front.returncode == 143
    assert str(log) in err
