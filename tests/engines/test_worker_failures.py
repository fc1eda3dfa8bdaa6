"""A worker as what it is, a process: failures within, each told in words and with a code of its own."""

import subprocess
import sys

import pytest
import real_worker

from engines import control
from engines.events import Batch, CheckpointSaved, EpochEnded, Log, RunStarted

BROKEN = """
from engines import rehearsal_engine

def create(spec):
    raise {error}

rehearsal_engine.create = create
"""


@pytest.mark.parametrize("file", ["missing", "an HTML page"])
def test_a_dataset_that_is_not_there_or_not_what_it_should_be(store, tmp_path, monkeypatch, file):
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:9")  # where nobody answers
    monkeypatch.setenv("HOME", str(tmp_path))
    if file != "missing":
        (tmp_path / "data" / "mnist").mkdir(parents=True)
        (tmp_path / "data" / "mnist" / "train-images-idx3-ubyte").write_text("<html>Please log in</html>")
    run = real_worker.train(store, dataset="mnist", data_dir=str(tmp_path / "data"))
    assert (run.exit_code, run.finished.error.kind) == (4, "dataset")
    assert not run.of_type(RunStarted)


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps"])
def test_a_device_that_is_not_there(store, device):
    run = real_worker.train(store, device=device)
    assert (run.exit_code, run.finished.error.kind) == (6, "unavailable")
    assert run.finished.error.hint


@pytest.mark.parametrize(
    ("framework", "module", "text"),
    [
        ("torch", "torch", "raise RuntimeError('broken \\x1b[31mbuild')"),
        ("torch", "torch", "raise ImportError('no such library')"),
        ("tensorflow", "tensorflow", "import nothing_of_that_name"),
    ],
    ids=["raises", "cannot-be-imported", "lacks-a-part"],
)
def test_a_framework_that_does_not_load(store, python_finds, framework, module, text):
    python_finds(module, text)
    run = real_worker.train(store, framework=framework)
    assert (run.exit_code, run.finished.error.kind) == (6, "unavailable")
    assert framework in run.finished.error.hint
    assert run.finished.error.message.isprintable()
    assert "Traceback" in (run.directory / "worker.log").read_text()


def test_a_framework_for_which_there_is_too_little_memory(store, python_finds):
    python_finds("torch", "raise ImportError('libtorch_cpu.so: failed to map segment from shared object')")
    run = real_worker.train(store, framework="torch")
    assert (run.exit_code, run.finished.error.kind) == (11, "out-of-memory")
    assert "memory to import PyTorch" in run.finished.error.message


def test_a_bug_is_told_in_one_line_and_its_traceback_is_in_the_log(store, python_finds):
    python_finds("sitecustomize", BROKEN.format(error=r"ValueError('a\n\x1b[31mbug')"))
    run = real_worker.train(store)
    assert (run.exit_code, run.finished.error.kind) == (1, "failed")
    assert run.finished.error.message == "ValueError: a bug."
    assert "worker.log" in run.finished.error.hint
    assert "Traceback" in (run.directory / "worker.log").read_text()


def test_what_a_library_said_of_a_device_that_it_cannot_use_is_in_the_log(store, python_finds):
    refusal = "engines.problems.Unavailable('no GPU.', '--device cpu') from RuntimeError('CUDA error: at length')"
    python_finds("sitecustomize", "import engines.problems\n" + BROKEN.format(error=refusal))
    run = real_worker.train(store)
    assert (run.exit_code, run.finished.error.message) == (6, "no GPU.")
    assert "CUDA error: at length" in (run.directory / "worker.log").read_text()


def test_a_machine_without_memory_has_its_own_code(store, python_finds):
    python_finds("sitecustomize", BROKEN.format(error="MemoryError"))
    run = real_worker.train(store)
    assert (run.exit_code, run.finished.error.kind) == (11, "out-of-memory")


def test_the_exit_code_is_told_where_the_log_takes_no_last_words():
    code = """
import os, sys
from engines import worker
full = os.open("/dev/full", os.O_WRONLY)
for stream in (sys.stdout, sys.stderr):
    os.dup2(full, stream.fileno())
    stream.write("of a framework")
worker._leave(14)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 14


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_what_was_finite(store):
    run = real_worker.train(store, lr=1e38)
    assert (run.exit_code, run.finished.error.kind) == (9, "non-finite-loss")
    for told in ("step", "epoch 1", "learning rate 1e+38", "gradient norm"):
        assert told in run.finished.error.message
    last = run.of_type(Batch)[-1]
    assert (last.loss, last.nonfinite) == (None, ("loss",))
    assert not run.of_type(CheckpointSaved)


def test_a_rate_that_goes_wrong_later_leaves_the_last_finite_checkpoint(store):
    worker = real_worker.start(store, epochs=real_worker.LONG)
    directory = worker.run_directory
    real_worker.wait_until(directory, lambda state: state.checkpoints)
    control.ask(directory, "lr", 1e38)
    run = real_worker.ended(worker)
    assert run.exit_code == 9
    assert "last checkpoint before it is kept" in run.finished.error.message
    again = real_worker.go_on(directory, more_epochs=1)
    assert again.of_type(EpochEnded)[0].test_loss < 2.4


def test_a_loss_that_is_not_finite_can_be_trained_on_with(store):
    run = real_worker.train(store, lr=1e38, on_nan="continue")
    assert (run.exit_code, run.finished.state) == (0, "completed")
    assert [event.epoch for event in run.of_type(EpochEnded)] == [1, 2]
    assert run.of_type(EpochEnded)[-1].nonfinite == ("train_loss", "test_loss")
    assert not run.of_type(CheckpointSaved)
    assert run.finished.test_loss is None
    assert run.of_type(Log)[-1].level == "warning"
