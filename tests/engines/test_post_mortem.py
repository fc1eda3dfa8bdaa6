import os

import pytest

from engines import post_mortem
from engines.events import Telemetry
from engines.run_state import RunState

STACK = """Current thread 0x00007f18fb824b80 (most recent call first):
  File "numpy.py", line 56 in save

Extension modules: msgspec._core, numpy._core (total: 2)
"""


def examine(tmp_path, log, worker_exit=None, memory=0):
    (tmp_path / "worker.log").write_text(log, encoding="utf-8")
    state = RunState()
    state.apply(Telemetry(seq=0, time=1.0, cpu_percent=1.0, memory=memory, gpus=[]))
    return post_mortem.examine(tmp_path, state, worker_exit)


def test_a_signal_is_named_by_whoever_started_the_worker(tmp_path):
    assert examine(tmp_path, "warning\n", -11) == ("it was killed by SIGSEGV", ["warning"])


def test_a_fault_is_named_by_what_the_worker_left_and_not_by_its_stack(tmp_path):
    log = f"loading\nfree(): invalid pointer\nFatal Python error: Segmentation fault\n\n{STACK}"
    death = examine(tmp_path, log)
    assert death.how == "segmentation fault"
    assert death.last_words == ["loading", "free(): invalid pointer", "Fatal Python error: Segmentation fault"]


@pytest.mark.parametrize("worker_exit", [None, -9])
def test_a_kill_may_have_been_for_memory(tmp_path, worker_exit):
    death = examine(tmp_path, "", worker_exit)
    assert death.how.endswith(", as after `kill -9` or where memory runs out")
    assert death.last_words == []


@pytest.mark.parametrize("worker_exit", [None, -9])
def test_a_kill_of_a_worker_that_held_nearly_all_memory_looks_like_it(tmp_path, worker_exit):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert examine(tmp_path, "", worker_exit, memory).how.endswith("it looks as if memory ran out")


def test_a_container_has_less_memory_than_its_machine(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("1000000\n")
    monkeypatch.setattr(post_mortem, "_CONTAINER_LIMIT", tmp_path / "memory.max")
    assert examine(tmp_path, "", -9, 900_000).how.endswith("it looks as if memory ran out")
    (tmp_path / "memory.max").write_text("max\n")
    assert not examine(tmp_path, "", -9, 900_000).how.endswith("it looks as if memory ran out")


@pytest.mark.parametrize(
    "words",
    [
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "memory allocation of 4506432 bytes failed",
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 4.30 MiB",
        "OSError: [Errno 12] Cannot allocate memory",
        "torch.OutOfMemoryError: CUDA out of memory.",
    ],
)
def test_what_a_library_says_of_memory_is_understood(tmp_path, words):
    death = examine(tmp_path, f"{words}\nFatal Python error: Aborted\n\n{STACK}", -6)
    assert death.how == "it was killed by SIGABRT, and it looks as if memory ran out"
    assert words in death.last_words


def test_a_fault_or_an_error_exit_says_nothing_of_memory(tmp_path):
    assert "memory" not in examine(tmp_path, "Fatal Python error: Aborted\n", -6).how
    assert "memory" not in examine(tmp_path, "ValueError: no\n", 1).how


def test_an_earlier_attempts_last_words_are_not_those_of_the_last(tmp_path):
    log = f"--- attempt 1, process 7\nFatal Python error: Bus error\n\n{STACK}--- attempt 2, process 8\n"
    assert examine(tmp_path, log).last_words == []
    assert examine(tmp_path, f"{log}a warning\n").last_words == ["a warning"]


def test_a_run_without_a_log_is_gone_without_a_word(tmp_path):
    death = post_mortem.examine(tmp_path, RunState())
    assert death.how.startswith("it is gone without a word")
    assert death.last_words == []


def test_a_folder_that_is_gone_has_no_last_words_and_is_what_there_is_to_say(tmp_path):
    death = post_mortem.examine(tmp_path / "run", RunState(), -9)
    assert death == (f"its folder is gone from {tmp_path}", [])
