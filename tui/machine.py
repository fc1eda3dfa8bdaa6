"""What there is to train with on this machine: its processor, its GPUs, and which frameworks are installed."""

import os
import platform
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from engines.events import Gpu
from engines.processor import core_count, has_bfloat16_units, processor_name
from engines.spec import RunSpec
from engines.text import clean_text
from tui import formats

if TYPE_CHECKING:
    from engines.gpus import GpuMeter

_DISTRIBUTIONS = {"torch": ("torch",), "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos")}


class GpuUser(msgspec.Struct, frozen=True):
    """A process that computes on a GPU: whose it is, what it is called, its memory there in bytes; as far as known."""

    user: str = ""
    process: str = ""
    memory: int | None = None

    def describe(self) -> str:
        """Say it in words: `ann python 11.2 GiB`."""
        memory = formats.size(self.memory) if self.memory is not None else ""
        return " ".join(filter(None, (self.user, self.process or "a process", memory)))


class Machine(msgspec.Struct, frozen=True):
    """The processor's name, how many of its cores are ours, and each GPU as it was when we looked, with its users.

    `is_slow_in_bfloat16` is said of the processor alone. Where GPUs are hidden, a run's numbers are not these.
    """

    processor: str
    cores: int
    gpus: tuple[Gpu, ...]
    users: tuple[tuple[GpuUser, ...], ...] = ()
    is_slow_in_bfloat16: bool = False
    hides_gpus: bool = False

    @property
    def devices(self) -> tuple[str, ...]:
        """What a run's device may be here; of GPUs by number, where it is known which number a run has for which."""
        is_numbered = len(self.gpus) > 1 and not self.hides_gpus
        gpus = tuple(f"cuda:{at}" for at in range(len(self.gpus))) if is_numbered else ("cuda",) * bool(self.gpus)
        metal = ("mps",) if sys.platform == "darwin" and platform.machine() == "arm64" else ()
        return ("auto", "cpu", *gpus, *metal)

    @property
    def emptiest(self) -> int | None:
        """The GPU with the most free memory, to the GiB, the first of equals; None where none tells."""
        free = {
            at: (gpu.memory_total - gpu.memory_used) >> 30
            for at, gpu in enumerate(self.gpus)
            if gpu.memory_total is not None and gpu.memory_used is not None
        }
        return max(free, key=lambda at: free[at], default=None)

    def warn_of(self, spec: RunSpec) -> str:
        """Say in a few words that a run of `spec` would be slow here for what it asks; nothing where not."""
        on_processor = spec.device == "cpu" or (spec.device == "auto" and self.devices == ("auto", "cpu"))
        is_slow = self.is_slow_in_bfloat16 and on_processor and spec.precision == "bfloat16"
        return "bfloat16 is slow here" if is_slow else ""

    def lines(self) -> list[str]:
        """Say it in words: a line for each GPU, or that there is none, and one for the processor."""
        cores = f"{self.processor}, {self.cores} {'core' if self.cores == 1 else 'cores'}"
        if not self.gpus:
            return [f"CPU only: {cores}"]
        users = (*self.users, *((),) * len(self.gpus))
        gpus = (_describe_gpu(at, gpu, who) for at, (gpu, who) in enumerate(zip(self.gpus, users, strict=False)))
        return [*gpus, f"CPU: {cores}"]

    def summary(self) -> str:
        """Say it in one line: of several GPUs how many, and which is the emptiest."""
        if len(self.gpus) < 2 or self.emptiest is None:
            return self.lines()[0]
        return f"{len(self.gpus)} GPUs, the emptiest is {self.lines()[self.emptiest]}"


def look_at_machine() -> Machine:
    """Ask the machine what it has; takes some tens of milliseconds, so not before the first frame."""
    meter = _gpu_meter()
    users = tuple(tuple(_describe_user(pid, memory) for pid, memory in of.items()) for of in meter.read_users())
    name = clean_text(processor_name(), 60) or "CPU"
    return Machine(
        name,
        core_count(),
        tuple(meter.read()),
        users,
        is_slow_in_bfloat16=not has_bfloat16_units(),
        hides_gpus="CUDA_VISIBLE_DEVICES" in os.environ,
    )


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
    from engines.gpus import GpuMeter

    return GpuMeter()


def _describe_user(pid: int, memory: int | None) -> GpuUser:
    # Imported here, because the first frame would wait 10 ms for it.
    import psutil

    try:
        process = psutil.Process(pid)
        return GpuUser(clean_text(process.username(), 32), clean_text(process.name(), 32), memory)
    except psutil.Error:
        return GpuUser(memory=memory)  # It is gone, or in another container.


def _describe_gpu(index: int, gpu: Gpu, users: Sequence[GpuUser]) -> str:
    parts = [f"GPU {index}: {gpu.name}"]
    if gpu.memory_used is not None and gpu.memory_total is not None:
        parts.append(f"{gpu.memory_used / 2**30:.1f} of {gpu.memory_total / 2**30:.1f} GiB used")
    if gpu.utilization is not None:
        parts.append(f"{gpu.utilization:.0%} busy")
    who = ": " + "; ".join(user.describe() for user in users) if users else ""
    return ", ".join(parts) + who
