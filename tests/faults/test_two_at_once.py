"""Several who want the same at the same time: each gets what it asked for, or is told who was first."""

import signal
from concurrent.futures import ThreadPoolExecutor

import aftermath
import command_line
import mishaps
import pytest
import real_worker

from engines import control, launch
from engines.problems import RunBusy, StorageProblem


def test_twenty_starts_at_once_are_twenty_runs(store):
    with ThreadPoolExecutor(20) as pool:
        workers = list(pool.map(lambda _: mishaps.start(store, epochs=1), range(20)))
    for worker in workers:
        aftermath.check(real_worker.ended(worker).directory, "completed", goes_on=False)
    assert len(store.directories()) == 20


def test_of_two_commands_that_go_on_with_a_run_one_wins_and_the_other_ends_with_7(crashed):
    both = [command_line.start("--no-ui", "--continue-from", "last", "--epochs", "30") for _ in range(2)]
    said = [front.communicate()[1] for front in both]
    assert sorted(front.returncode for front in both) == [0, RunBusy.exit_code]
    aftermath.check_words(next(words for front, words in zip(both, said, strict=True) if front.returncode))
    aftermath.check(crashed, "completed", goes_on=False)
    aftermath.check_curve(crashed)


def test_many_who_ask_at_once_leave_one_whole_request(store):
    worker = mishaps.start(store, epochs=100_000)
    mishaps.wait_for_epoch(worker.run_directory, 1)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: control.ask(worker.run_directory, "lr", 0.001 * (n + 1)), range(64)))
    control.ask(worker.run_directory, "stop")
    ended = real_worker.ended(worker)
    assert ended.finished.state == "stopped"
    aftermath.check(worker.run_directory, "stopped", goes_on=False)


def test_a_worker_whose_lock_was_removed_gives_the_run_up_before_another_takes_it(store):
    worker = mishaps.start(store, epochs=100_000)
    mishaps.wait_for_epoch(worker.run_directory, 1)
    (worker.run_directory / "lock").unlink()
    ended = real_worker.ended(worker)
    assert ended.exit_code == StorageProblem.exit_code
    aftermath.check_words(ended.finished.error.message)
    aftermath.check(worker.run_directory, "failed", goes_on=False)
    second = launch.go_on(worker.run_directory)
    with pytest.raises(RunBusy):
        launch.go_on(worker.run_directory)
    mishaps.kill(second)


def test_a_run_is_not_gone_on_with_while_its_worker_stands_still(store):
    worker = mishaps.start(store, epochs=100_000)
    mishaps.wait_for_epoch(worker.run_directory, 1)
    worker.process.send_signal(signal.SIGSTOP)
    with pytest.raises(RunBusy) as refused:
        launch.go_on(worker.run_directory)
    aftermath.check_words(str(refused.value))
