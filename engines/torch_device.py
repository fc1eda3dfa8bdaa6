"""Which device PyTorch computes on: found, named for a person, made ready, and what it says when memory is short."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from engines.gpus import emptiest_first
from engines.precision import takes_bfloat16
from engines.problems import OutOfMemory, Unavailable
from engines.processor import has_bfloat16_units, processor_name
from engines.spec import Precision

_OUT_OF_MEMORY = re.compile("out of memory|can't allocate memory|ALLOC(ATION)?_FAILED|Invalid buffer size")
"""What is said, with no type of its own, by the CPU's allocator, CUDA where it begins, its libraries, and Metal."""

_TOLD_SENTENCES = 3
"""Of what an allocator says; more is advice about its settings."""


def choose_device(asked: str) -> torch.device:
    """Give the device that `asked` names; for `auto` the best there is, of several GPUs the emptiest.

    Raises `Unavailable` where it is not there.
    """
    present = [f"cuda:{index}" for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)]
    present += ["mps"] if torch.backends.mps.is_available() else []
    present += ["cpu"]
    if asked == "auto":
        return torch.device(_emptiest_gpu() if present.index("cpu") > 1 else present[0])
    wanted = "cuda:0" if asked == "cuda" else asked
    if wanted not in present:
        raise Unavailable(
            f"PyTorch finds no device {asked!r} on this machine; it finds {', '.join(present)}.",
            "Use --device auto or --device cpu.",
        )
    return torch.device(wanted)


def choose_dtype(precision: Precision, device: torch.device, *, gains_on_cpu: bool = True) -> torch.dtype:
    """Give the type in which `device` is to compute; raises `Unavailable` where its hardware has not got it.

    `gains_on_cpu` says whether a CPU with units for bfloat16 is faster by it at what it is to compute.
    """
    is_able = device.type == "cpu" or (device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0))
    is_fast = device.type == "cuda" or (gains_on_cpu and has_bfloat16_units())
    is_short = takes_bfloat16(precision, name_device(device), is_able=is_able, is_fast=is_fast)
    return torch.bfloat16 if is_short else torch.float32


def prepare_device(device: torch.device, *, gpu_memory_limit: int | None, threads: int) -> None:
    """Set what holds for the whole process: a CUDA GPU's memory cap (MiB; None: no cap), or a CPU's threads.

    The cap has no effect on a CPU or an Apple GPU.
    """
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        # Set without a cap too, for the process may have got ready for a run with one.
        limit = min(total, gpu_memory_limit * 2**20) if gpu_memory_limit else total
        torch.cuda.set_per_process_memory_fraction(limit / total, device)
    if device.type == "cpu":
        torch.set_num_threads(threads)
        # Weights that die out become denormal numbers, with which a CPU is many times slower.
        torch.set_flush_denormal(True)


def name_device(device: torch.device, dtype: torch.dtype = torch.float32, threads: int | None = None) -> str:
    """Give what a person calls `device`: `CPU (AMD EPYC, 1 thread)`, `NVIDIA H100 80GB HBM3 (cuda:0, bfloat16)`.

    `threads` is the most that a CPU uses; None: as many as PyTorch is set to.
    """
    detail = "" if dtype == torch.float32 else f", {str(dtype).removeprefix('torch.')}"
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device}{detail})"
    if device.type == "mps":
        return f"Apple GPU (mps{detail})"
    threads = threads or torch.get_num_threads()
    return f"CPU ({processor_name()}, {threads} thread{'s' if threads > 1 else ''}{detail})"


@contextmanager
def explained_memory() -> Iterator[None]:
    """Turn what PyTorch's and numpy's allocators raise into `OutOfMemory`; also a decorator."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        is_short = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or _OUT_OF_MEMORY.search(str(error))
        if not is_short:
            raise
        told = ". ".join(_first_line(error).split(". ")[:_TOLD_SENTENCES]).rstrip(". ")
        raise OutOfMemory(
            f"The device ran out of memory: {told}.",
            "Use a smaller --batch-size, a higher --gpu-memory-limit, or end what else uses this memory.",
        ) from error


@contextmanager
def explained_refusal() -> Iterator[None]:
    """Turn into `Unavailable` what a GPU says that takes no work, as it is too old, or another's; also a decorator."""
    try:
        yield
    except torch.AcceleratorError as error:
        raise Unavailable(
            f"PyTorch cannot compute on this device: {_first_line(error)}.", "Use another --device, as --device cpu."
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _emptiest_gpu() -> str:
    uuids = [str(torch.cuda.get_device_properties(at).uuid) for at in range(torch.cuda.device_count())]
    return f"cuda:{emptiest_first(uuids)[0]}"
