"""NVIDIA's counters: each GPU of this machine at one moment, and who is at work on it. No framework."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import pynvml

from engines.events import Gpu
from engines.text import clean_text

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class GpuMeter:
    """Reads the counters; a machine without NVIDIA's driver simply has no GPUs."""

    def __init__(self) -> None:
        try:
            pynvml.nvmlInit()
            count = pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError:
            count = 0
        # One that was lost, or is kept for others, is counted all the same.
        handles = [_ask(pynvml.nvmlDeviceGetHandleByIndex, at) for at in range(count)]
        self._handles = [handle for handle in handles if handle is not None]

    def read(self) -> list[Gpu]:
        """Give each GPU as it is now; a counter that a GPU does not have is None."""
        return [_read_gpu(handle) for handle in self._handles]

    def read_users(self) -> list[dict[int, int | None]]:
        """Give for each GPU the processes that compute on it: the memory of each in bytes, by its process id."""
        return [_read_users(handle) for handle in self._handles]

    def free_memory(self) -> dict[str, int]:
        """Give the free bytes of each GPU that tells, by its UUID as the driver writes it, without `GPU-`."""
        free = {}
        for handle in self._handles:
            memory, uuid = _ask(pynvml.nvmlDeviceGetMemoryInfo, handle), _ask(pynvml.nvmlDeviceGetUUID, handle)
            if memory and uuid:
                free[str(uuid).removeprefix("GPU-")] = int(memory.free)
        return free


def emptiest_first(uuids: Sequence[str]) -> list[int]:
    """Give the places of all `uuids`, by the free memory of these GPUs, to the GiB; of equals the first comes first."""
    free = GpuMeter().free_memory()
    return sorted(range(len(uuids)), key=lambda at: -(free.get(uuids[at], 0) >> 30))


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
        # Within a container the driver may know us by another number: then there is no figure.
        memory_run=_read_users(handle).get(os.getpid()),
        temperature=float(temperature) if temperature is not None else None,
        power=power / 1000 if power is not None else None,
    )


def _read_users(handle: object) -> dict[int, int | None]:
    processes = _ask(pynvml.nvmlDeviceGetComputeRunningProcesses, handle) or []
    return {int(process.pid): process.usedGpuMemory for process in processes}


def _ask(question: Callable[[Asked], Answer], asked: Asked) -> Answer | None:
    try:
        return question(asked)
    except pynvml.NVMLError:
        return None
