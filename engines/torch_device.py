"""Which device PyTorch computes on: found, named for a person, made ready, and what it says when memory is short."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from engines.gpus import find_emptiest
from engines.precision import takes_bfloat16
from engines.problems import OutOfMemory, Unavailable
from engines.processor import has_bfloat16_units, processor_name
from engines.spec import Precision


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
    """Set what holds for the whole process: a CUDA GPU's memory cap (MiB), or a CPU's threads.

    The cap has no effect on a CPU or an Apple GPU.
    """
    if device.type == "cuda" and gpu_memory_limit:
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, gpu_memory_limit * 2**20 / total), device)
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
        # The CPU's allocator raises a plain RuntimeError.
        if not (isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)):
            raise
        raise OutOfMemory(
            f"The device ran out of memory: {str(error).partition(chr(10))[0]}",
            "Use a smaller --batch-size, or end what else uses this memory.",
        ) from error


def _emptiest_gpu() -> str:
    uuids = [str(torch.cuda.get_device_properties(at).uuid) for at in range(torch.cuda.device_count())]
    return f"cuda:{find_emptiest(uuids)}"
