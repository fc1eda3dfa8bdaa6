"""What there is to train with on this machine: its processor, its GPUs, and which frameworks are installed."""

import os
import platform
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engines.events import Gpu
from engines.text import clean_text

if TYPE_CHECKING:
    from engines.telemetry import GpuMeter

_DISTRIBUTIONS = {"torch": ("torch",), "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos")}


@dataclass(frozen=True)
class Machine:
    """The processor's name, how many of its cores are ours, and each GPU as it was when we looked."""

    processor: str
    cores: int
    gpus: tuple[Gpu, ...]

    @property
    def devices(self) -> tuple[str, ...]:
        """What a run's device may be here."""
        gpus = tuple(f"cuda:{at}" for at in range(len(self.gpus))) if len(self.gpus) > 1 else ("cuda",) * len(self.gpus)
        metal = ("mps",) if sys.platform == "darwin" and platform.machine() == "arm64" else ()
        return ("auto", "cpu", *gpus, *metal)

    def lines(self) -> list[str]:
        """Say it in words: a line for each GPU, or that there is none, and one for the processor."""
        cores = f"{self.processor}, {self.cores} {'core' if self.cores == 1 else 'cores'}"
        if not self.gpus:
            return [f"CPU only: {cores}"]
        return [*(_describe_gpu(at, gpu) for at, gpu in enumerate(self.gpus)), f"CPU: {cores}"]


def look_at_machine() -> Machine:
    """Ask the machine what it has; takes some tens of milliseconds, so not before the first frame."""
    return Machine(_processor_name(), _core_count(), tuple(_gpu_meter().read()))


def installed_version(framework: str) -> str | None:
    """Give a framework's version without importing it; None where it is not installed."""
    # Imported here, because the first frame would wait 10 ms for it.
    from importlib.metadata import PackageNotFoundError, version

    if framework not in _DISTRIBUTIONS:
        return ""
    if find_spec(framework) is None:
        return None
    for distribution in _DISTRIBUTIONS[framework]:
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return ""


@cache
def _gpu_meter() -> "GpuMeter":
    from engines.telemetry import GpuMeter

    return GpuMeter()


def _describe_gpu(index: int, gpu: Gpu) -> str:
    parts = [f"GPU {index}: {gpu.name}"]
    if gpu.memory_used is not None and gpu.memory_total is not None:
        parts.append(f"{gpu.memory_used / 2**30:.1f} of {gpu.memory_total / 2**30:.1f} GiB used")
    if gpu.utilization is not None:
        parts.append(f"{gpu.utilization:.0%} busy")
    return ", ".join(parts)


def _processor_name() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return clean_text(line.partition(":")[2].strip(), 60)
    except OSError:
        pass  # Only Linux has it.
    return clean_text(platform.processor() or platform.machine() or "CPU", 60)


def _core_count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
