"""The machine's processor: what it is called, and how many cores this process may use. No framework."""

import os
import platform
from pathlib import Path


def processor_name() -> str:
    """Give what the maker calls the processor, or its architecture where the system does not say."""
    listing = Path("/proc/cpuinfo")  # only Linux has it
    lines = listing.read_text(errors="replace").splitlines() if listing.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def core_count() -> int:
    """Give how many cores this process may run on, which a container or `taskset` may have cut."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
