"""Whole runs on a CUDA GPU: what they say of it, that they learn as on a processor, what goes wrong."""

import command_line
import mishaps
import pytest
import real_worker

from engines.events import RunStarted, Telemetry
from engines.models import ARTICLE_MODELS
from engines.runs import summarise

FRAMEWORKS = ("torch", "tensorflow")
EPOCHS = 8


def started_of(run):
    (started,) = run.of_type(RunStarted)
    return started


@pytest.mark.parametrize("model", ARTICLE_MODELS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_run_names_the_gpu_measures_it_and_learns_as_on_a_processor(framework, model, device, store):
    on_gpu, on_cpu = (
        real_worker.train(store, framework=framework, model=model, epochs=EPOCHS, device=where)
        for where in (device, "cpu")
    )
    assert on_gpu.exit_code == 0
    assert "(cuda:0" in started_of(on_gpu).device
    assert on_gpu.finished.test_accuracy == pytest.approx(on_cpu.finished.test_accuracy, abs=0.04)
    gpus = [gpu for event in on_gpu.of_type(Telemetry) for gpu in event.gpus]
    assert gpus
    assert all(gpu.memory_used for gpu in gpus)
    assert "one operation at a time" not in (on_gpu.directory / "worker.log").read_text()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_auto_takes_the_gpu_and_a_recipes_precision_bfloat16(framework, store):
    run = real_worker.train(store, framework=framework, model="lenet", epochs=1, device="auto", precision="auto")
    assert started_of(run).device.endswith(", bfloat16)")
    assert "(cuda:" in started_of(run).device


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_gpu_that_is_not_there_is_named_with_those_that_are(framework, store):
    run = real_worker.train(store, framework=framework, device="cuda:63")
    assert run.exit_code == 6
    assert "cuda:63" in run.finished.error.message
    assert "cuda:0" in run.finished.error.message


def test_memory_that_is_short_has_an_exit_code_of_its_own(device, store):
    run = real_worker.train(store, framework="torch", model="lenet1", device=device, gpu_memory_limit=1)
    assert run.exit_code == 11
    assert "--batch-size" in run.finished.error.hint


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_killed_run_goes_on_from_its_checkpoint(framework, device, store):
    worker = real_worker.start(store, framework=framework, epochs=real_worker.LONG, device=device)
    mishaps.wait_for_epoch(worker.run_directory, 2)
    mishaps.kill(worker)
    run = real_worker.go_on(worker.run_directory, more_epochs=1)
    assert run.exit_code == 0
    assert started_of(run).epochs_done >= 1


def test_two_runs_of_a_sweep_share_a_gpu(device, store):
    axes = ("-f", "torch", "-m", "nn", "-d", "digits", "--epochs", "5", "--device", device, "--seeds", "2")
    ended = command_line.run("sweep", "--no-ui", "--jobs", "2", *axes)
    assert ended.returncode == 0, ended.stderr
    rows = [summarise(run) for run in store.directories()]
    assert [row.state for row in rows] == ["completed"] * 2
