"""Memory, processor time and open files that run out: it is said which, and the run goes on once there are more."""

import os
import resource
import signal
from pathlib import Path

import aftermath
import mishaps
import pytest
import real_worker
from held_training import held

from engines.events import Log
from engines.problems import NonFiniteLoss, OutOfMemory


def limit(worker, what, soft):
    """Set a worker's own limit; gives the one that it had."""
    before, hard = resource.prlimit(worker.process.pid, what)
    resource.prlimit(worker.process.pid, what, (soft, hard))
    return before


def address_space(worker):
    pages = int(Path(f"/proc/{worker.process.pid}/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_batch_larger_than_memory_is_said_to_be_and_the_run_goes_on_with_more(store, monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")  # Else it may live on the room that each thread sets aside.
    with held(2) as hold:
        worker = mishaps.start(store, batch_size=1437)
        hold.wait(2)
        limit(worker, resource.RLIMIT_AS, address_space(worker) // 2)
    ended = real_worker.ended(worker)
    assert ended.exit_code == OutOfMemory.exit_code
    assert ended.finished.error.kind == OutOfMemory.kind
    assert "--batch-size" in ended.finished.error.hint
    aftermath.check(worker.run_directory, "failed")


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_a_framework_without_memory_fails_or_dies_and_the_run_goes_on_with_more(store, framework, monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    with held(1) as hold:
        worker = mishaps.start(store, framework=framework, batch_size=1437)
        hold.wait(1)
        limit(worker, resource.RLIMIT_AS, address_space(worker) // 2)
    code = worker.process.wait(real_worker.PATIENCE_SECONDS)
    state = real_worker.status_of(worker.run_directory)
    # Not every library bears it: some raise, some panic, some abort.
    assert (code, state) in [
        (OutOfMemory.exit_code, "failed"),
        (1, "failed"),
        (-signal.SIGABRT, "crashed"),
        (-signal.SIGSEGV, "crashed"),
    ]
    aftermath.check(worker.run_directory, state)


PANIC = """
from engines import rehearsal_engine

class PanicException(BaseException):
    pass

def evaluate(engine, split):
    raise PanicException("a pointer is null")

rehearsal_engine.RehearsalEngine.evaluate = evaluate
"""


def test_a_panic_of_a_library_is_told_of_like_any_other_fault(store, python_finds, monkeypatch):
    python_finds("sitecustomize", PANIC)
    ended = real_worker.train(store)
    assert (ended.exit_code, ended.finished.state) == (1, "failed")
    assert ended.finished.error.message == "PanicException: a pointer is null."
    assert "Traceback" in (ended.directory / "worker.log").read_text()
    monkeypatch.delenv("PYTHONPATH")
    aftermath.check(ended.directory, "failed")


def test_a_worker_whose_processor_time_is_up_has_crashed(store):
    worker = mishaps.start(store, epochs=100_000)
    mishaps.wait_for_epoch(worker.run_directory, 1)
    limit(worker, resource.RLIMIT_CPU, 1)
    assert worker.process.wait(real_worker.PATIENCE_SECONDS) == -signal.SIGXCPU
    aftermath.check(worker.run_directory, "crashed", goes_on=False)


def test_a_worker_that_may_open_no_file_trains_on_and_says_what_it_could_not_save(store):
    with held(1, 4) as hold:
        worker = mishaps.start(store)
        hold.wait(1)
        before = limit(worker, resource.RLIMIT_NOFILE, 3)
        hold.let_on(1)
        hold.wait(4)
        limit(worker, resource.RLIMIT_NOFILE, before)
    ended = real_worker.ended(worker)
    assert ended.exit_code == 0
    said = [event.message for event in ended.events if isinstance(event, Log) and event.level == "error"]
    assert any("Too many open files" in message for message in said)
    aftermath.check(worker.run_directory, "completed", goes_on=False)


@pytest.mark.slow
def test_an_absurd_rate_stops_a_real_framework_in_words(store):
    ended = real_worker.ended(mishaps.start(store, framework="torch", lr=1e30))
    assert ended.exit_code == NonFiniteLoss.exit_code
    aftermath.check_words(f"{ended.finished.error.message} {ended.finished.error.hint}")
    assert "1e+30" in ended.finished.error.message
    aftermath.check(ended.directory, "failed", goes_on=False)
