"""The machine at work, measured every two seconds beside training: this process's CPU and memory, and each GPU."""

import threading
from collections.abc import Callable
from typing import TypeVar

import psutil
import pynvml

from engines.events import Gpu, Telemetry
from engines.text import clean_text

PERIOD_SECONDS = 2.0

Answer = TypeVar("Answer")


class GpuMeter:
    """Reads NVIDIA's counters; a machine without its driver simply has no GPUs."""

    def __init__(self) -> None:
        try:
            pynvml.nvmlInit()
            self._handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError:
            self._handles = []

    def read(self) -> list[Gpu]:
        """Give each GPU as it is now; a counter that a GPU does not have is None."""
        return [_read_gpu(handle) for handle in self._handles]


def _read_gpu(handle: object) -> Gpu:
    name = _ask(pynvml.nvmlDeviceGetName, handle)
    memory = _ask(pynvml.nvmlDeviceGetMemoryInfo, handle)
    rates = _ask(pynvml.nvmlDeviceGetUtilizationRates, handle)
    power = _ask(pynvml.nvmlDeviceGetPowerUsage, handle)
    temperature = _ask(lambda gpu: pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU), handle)
    return Gpu(
        name=clean_text(str(name)) if name else "GPU",
        utilization=rates.gpu / 100 if rates else None,
        memory_used=int(memory.used) if memory else None,
        memory_total=int(memory.total) if memory else None,
        temperature=float(temperature) if temperature is not None else None,
        power=power / 1000 if power is not None else None,
    )


def _ask(question: Callable[[object], Answer], handle: object) -> Answer | None:
    try:
        return question(handle)
    except pynvml.NVMLError:
        return None


class TelemetryThread:
    """Writes a `telemetry` event every `PERIOD_SECONDS`, and one more when it is closed."""

    def __init__(self, write: Callable[[Telemetry], None]) -> None:
        self._write = write
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="telemetry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ended.set()
        self._thread.join()

    def _measure(self) -> None:
        process = psutil.Process()
        process.cpu_percent()
        gpus = GpuMeter()
        ended = False
        while not ended:
            ended = self._ended.wait(PERIOD_SECONDS)
            memory = process.memory_info().rss
            self._write(Telemetry(cpu_percent=process.cpu_percent(), memory=memory, gpus=gpus.read()))
