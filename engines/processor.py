"""The machine's processor: what it is called, and how many cores this process may use. No framework."""

import os
import platform
from pathlib import Path


def processor_name() -> str:
    """Give what the maker calls the processor, or its architecture where the system does not say."""
    names = (line.partition(":")[2].strip() for line in _listing() if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def has_bfloat16_units() -> bool:
    """Tell whether the processor multiplies matrices in bfloat16 many times faster than in float32 (AMX)."""
    return any(line.startswith("flags") and "amx_bf16" in line.split() for line in _listing())


def core_count() -> int:
    """Give how many cores this process may run on, which a container or `taskset` may have cut."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _listing() -> list[str]:
    listing = Path("/proc/cpuinfo")  # only Linux has it
    return listing.read_text(errors="replace").splitlines() if listing.exists() else []
