"""Which device TensorFlow computes on: found, made ready, named for a person, and what it says when memory is short."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import tensorflow as tf

from engines.cuda_devices import visible_uuids
from engines.gpus import emptiest_first
from engines.precision import takes_bfloat16
from engines.problems import OutOfMemory, Unavailable
from engines.processor import core_count, has_bfloat16_units, processor_name
from engines.spec import Precision, RunSpec
from engines.tensorflow_threads import Threads

_OUT_OF_MEMORY = re.compile("out of memory|Dst tensor is not initialized", re.IGNORECASE)
"""What is said where a GPU has no room for a context, or for what is copied to it: an error of another type."""


def take_device(spec: RunSpec, threads: Threads) -> str:
    """Have this process compute on the device of `spec` and give what a person calls it: `CPU (AMD EPYC, 1 thread)`.

    With `auto` that is the emptiest GPU, where there are several. A CPU gets `threads`. A process that computes already
    keeps the device and threads that it has. Raises `Unavailable` where the device is not there.
    """
    gpus = tf.config.list_physical_devices("GPU")
    index = int(spec.device.partition(":")[2] or 0)
    if spec.device == "mps" or (spec.device.startswith("cuda") and index >= len(gpus)):
        present = [*(f"cuda:{number}" for number in range(len(gpus))), "cpu"]
        raise Unavailable(
            f"TensorFlow finds no device {spec.device!r} on this machine; it finds {', '.join(present)}.",
            "Use --device auto or --device cpu."
            + ("" if gpus or spec.device == "mps" else " An NVIDIA GPU needs pip install 'mnist-tui[gpu]'."),
        )
    if not gpus or spec.device == "cpu":
        return _take_cpu(threads)
    if spec.device == "auto":
        index = _choose(gpus)
    return f"{_take_gpu(gpus[index], spec.gpu_memory_limit)} (cuda:{index})"


def choose_dtype(precision: Precision) -> tf.DType:
    """Give the type in which the device that was taken is to compute; raises `Unavailable` where it has not got it."""
    gpus = tf.config.get_visible_devices("GPU")
    details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
    is_able = details.get("compute_capability", (8, 0)) >= (8, 0)
    is_fast = bool(gpus) or has_bfloat16_units()
    is_short = takes_bfloat16(precision, details.get("device_name", "GPU"), is_able=is_able, is_fast=is_fast)
    return tf.bfloat16 if is_short else tf.float32


def name_with_dtype(name: str, dtype: tf.DType) -> str:
    """Give the device's `name`, which ends in a bracket, with what it computes in, if that is not float32."""
    return name if dtype == tf.float32 else f"{name.removesuffix(')')}, {dtype.name})"


def uses_gpu() -> bool:
    """Tell whether this process computes on a GPU."""
    return bool(tf.config.list_logical_devices("GPU"))


@contextmanager
def explained_memory() -> Iterator[None]:
    """Turn what TensorFlow's and numpy's allocators raise into `OutOfMemory`; also a decorator."""
    try:
        yield
    except (tf.errors.OpError, MemoryError) as error:
        is_short = isinstance(error, (tf.errors.ResourceExhaustedError, MemoryError)) or _OUT_OF_MEMORY.search(
            str(error)
        )
        if not is_short:
            raise
        raise OutOfMemory(
            "The device ran out of memory.",
            "Use a smaller --batch-size, a higher --gpu-memory-limit, or end what else uses this memory.",
        ) from error


def _choose(gpus: list[Any]) -> int:
    """Give which of `gpus` to take where any would do: the one that this process has already, or else the emptiest."""
    shown = tf.config.get_visible_devices("GPU")
    if len(shown) == 1:
        return gpus.index(shown[0])
    uuids = visible_uuids()
    return emptiest_first(uuids)[0] if len(uuids) == len(gpus) else 0


def _take_gpu(gpu: Any, memory_limit: int | None) -> str:
    """Show TensorFlow `gpu` alone, and have it take of its memory what it uses, or `memory_limit` MiB at once."""
    with suppress(RuntimeError):  # it computes already
        tf.config.set_visible_devices(gpu, "GPU")
        if memory_limit is None:
            tf.config.experimental.set_memory_growth(gpu, True)
        else:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=memory_limit)
            tf.config.set_logical_device_configuration(gpu, [limit])
    return str(tf.config.experimental.get_device_details(gpu).get("device_name", "GPU"))


def _take_cpu(threads: Threads) -> str:
    threading = tf.config.threading
    with suppress(RuntimeError):  # it computes already
        tf.config.set_visible_devices([], "GPU")
        threading.set_inter_op_parallelism_threads(threads.operations)
        threading.set_intra_op_parallelism_threads(threads.sharing)
    taken = threading.get_inter_op_parallelism_threads() * threading.get_intra_op_parallelism_threads()
    count = min(core_count(), taken or core_count())
    return f"CPU ({processor_name()}, {count} thread{'s' if count > 1 else ''})"
