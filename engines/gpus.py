"""NVIDIA's counters: each GPU of this machine at one moment, and who is at work on it. No framework."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import pynvml

from engines.events import Gpu
from engines.text import clean_text

Answer = TypeVar("Answer")


class GpuMeter:
    """Reads the counters; a machine without NVIDIA's driver simply has no GPUs."""

    def __init__(self) -> None:
        try:
            pynvml.nvmlInit()
            self._handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError:
            self._handles = []

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


def find_emptiest(uuids: Sequence[str]) -> int:
    """Give the place among `uuids` of the GPU with the most free memory, to the GiB, the first of equals."""
    free = GpuMeter().free_memory()
    return max(range(len(uuids)), key=lambda at: free.get(uuids[at], 0) >> 30)


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


def _ask(question: Callable[[object], Answer], handle: object) -> Answer | None:
    try:
        return question(handle)
    except pynvml.NVMLError:
        return None
