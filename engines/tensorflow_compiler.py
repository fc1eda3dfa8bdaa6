"""How TensorFlow comes to a graph of what is written in Python, and when XLA compiles the step that is in it."""

import sys
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from engines.spec import RunSpec
from engines.tensorflow_device import uses_gpu

_FEWEST_STEPS = 10_000
_FEWEST_SECONDS = 60
"""Of a run, for that compiling pays: it takes seconds, and saves a step some tenths of a millisecond. Estimates."""


def pays_to_compile(spec: RunSpec, steps_per_epoch: int) -> bool:
    """Tell whether the steps of this run are to be compiled: many, on a GPU. A CPU does its own operations faster.

    A step of a small network is tens of operations of a few microseconds each, which a GPU does faster than TensorFlow
    asks for them; XLA makes a few of them.
    """
    if not uses_gpu():
        return False
    if spec.epochs is None:
        return spec.budget is not None and spec.budget >= _FEWEST_SECONDS
    return spec.epochs * steps_per_epoch >= _FEWEST_STEPS


def graph_of(function: Callable[..., Any], signature: list[Any] | None = None, *, is_compiled: bool = False) -> Any:
    """Have TensorFlow trace `function` as it is; functions that it rewrites first it leaves behind as files.

    With `is_compiled` XLA compiles it, anew for each shape of what it is given.
    """
    return tf.function(function, input_signature=signature, autograph=False, jit_compile=is_compiled or None)


def say_it_is_not_compiled(error: Exception) -> None:
    """Say on stderr, which is the run's log, why steps are done operation by operation."""
    reason = next((line for line in str(error).splitlines() if "compile" in line or "XLA" in line), str(error))
    sys.stderr.write(f"Steps are done one operation at a time, not compiled: {reason[:300]}\n")
