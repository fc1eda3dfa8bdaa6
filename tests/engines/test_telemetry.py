"""The machine at work: what a GPU's counters say, and what is told where a GPU, or a counter of it, is not there."""

import os
from types import SimpleNamespace

import pytest

from engines import gpus
from engines.events import Gpu, Telemetry
from engines.gpus import GpuMeter
from engines.telemetry import TelemetryThread


class NVMLError(Exception):
    pass


class Driver:
    """NVIDIA's library with one GPU, all of whose counters can be read but those in `lacking`."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, *lacking):
        self.lacking = lacking

    def __getattr__(self, name):
        if name in self.lacking:
            return self.refuse
        return {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: 1,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda gpu: "H100\x1b[31m",
            "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(used=5, total=80, free=75),
            "nvmlDeviceGetUtilizationRates": lambda gpu: SimpleNamespace(gpu=37, memory=2),
            "nvmlDeviceGetPowerUsage": lambda gpu: 250_000,
            "nvmlDeviceGetTemperature": lambda gpu, sensor: 61,
            "nvmlDeviceGetUUID": lambda gpu: "GPU-4f2a",
            "nvmlDeviceGetComputeRunningProcesses": lambda gpu: [
                SimpleNamespace(pid=os.getpid(), usedGpuMemory=3),
                SimpleNamespace(pid=1, usedGpuMemory=None),
            ],
        }[name]

    def refuse(self, *_):
        raise NVMLError("not supported")


COUNTERS = {
    "nvmlDeviceGetMemoryInfo": {"memory_used": None, "memory_total": None},
    "nvmlDeviceGetUtilizationRates": {"utilization": None},
    "nvmlDeviceGetPowerUsage": {"power": None},
    "nvmlDeviceGetTemperature": {"temperature": None},
    "nvmlDeviceGetName": {"name": "GPU"},
    "nvmlDeviceGetComputeRunningProcesses": {"memory_run": None},
}
WHOLE = {"name": "H100", "utilization": 0.37, "memory_used": 5, "memory_total": 80, "temperature": 61.0, "power": 250.0}
WHOLE["memory_run"] = 3


def read(monkeypatch, *lacking):
    monkeypatch.setattr(gpus, "pynvml", Driver(*lacking))
    return GpuMeter().read()


def test_a_gpu_is_told_in_fractions_bytes_degrees_and_watts(monkeypatch):
    assert read(monkeypatch) == [Gpu(**WHOLE)]


@pytest.mark.parametrize("counter", COUNTERS)
def test_a_counter_that_a_gpu_does_not_have_is_none_and_hides_no_other(monkeypatch, counter):
    assert read(monkeypatch, counter) == [Gpu(**WHOLE | COUNTERS[counter])]


def test_who_is_at_work_on_a_gpu_and_what_is_free_of_it(monkeypatch):
    monkeypatch.setattr(gpus, "pynvml", Driver())
    assert GpuMeter().read_users() == [{os.getpid(): 3, 1: None}]
    assert GpuMeter().free_memory() == {"4f2a": 75}
    monkeypatch.setattr(gpus, "pynvml", Driver("nvmlDeviceGetUUID", "nvmlDeviceGetComputeRunningProcesses"))
    assert GpuMeter().read_users() == [{}]
    assert GpuMeter().free_memory() == {}


def test_a_machine_without_the_driver_has_no_gpus(monkeypatch):
    assert read(monkeypatch, "nvmlInit") == []


def test_a_gpu_that_may_not_be_asked_hides_no_other(monkeypatch):
    driver = Driver()
    driver.nvmlDeviceGetCount = lambda: 2
    driver.nvmlDeviceGetHandleByIndex = lambda at: at or driver.refuse()
    monkeypatch.setattr(gpus, "pynvml", driver)
    assert GpuMeter().read() == [Gpu(**WHOLE)]


def test_it_tells_once_more_when_it_ends_and_never_after(monkeypatch):
    monkeypatch.setattr(gpus, "pynvml", Driver())
    told = []
    thread = TelemetryThread(told.append)
    thread.close()
    assert len(told) >= 1
    assert all(isinstance(event, Telemetry) and event.memory > 1_000_000 and len(event.gpus) == 1 for event in told)
