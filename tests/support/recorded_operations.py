"""A CUDA graph as a CPU can have it: the operations that a step asks for, asked for again with what they were given."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

WARM_UPS = 3


class _Recording(TorchFunctionMode):
    """Keeps each operation with its arguments and results; numbers are kept as they were, as a graph keeps them.

    Not a `TorchDispatchMode`, which loads Triton, which crashes beside TensorFlow.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result

    def replay(self) -> None:
        """Do all again: what an operation gave as new memory has its new values in the same place."""
        for func, args, kwargs, result in self.calls:
            again = func(*args, **kwargs)
            for kept, new in zip(_tensors(result), _tensors(again), strict=True):
                if kept.data_ptr() != new.data_ptr():
                    kept.copy_(new)


def _tensors(result: Any) -> list[Tensor]:
    parts = result if isinstance(result, tuple | list) else [result]
    return [part for part in parts if isinstance(part, Tensor)]


def record_operations(step: Callable[[], None]) -> Callable[[], None]:
    """Give what does again what `step` does; it is done some times before, as on a GPU, and once to be recorded."""
    for _ in range(WARM_UPS):
        step()
    recording = _Recording()
    with recording:
        step()
    return recording.replay


def record_nothing(step: Callable[[], None]) -> Callable[[], None]:
    """Give what does nothing."""
    step()
    return lambda: None


def refuse_to_record(step: Callable[[], None]) -> Callable[[], None]:
    """Fail as CUDA does where a step asks for what cannot be recorded."""
    step()
    raise torch.AcceleratorError("CUDA error: operation not permitted when stream is capturing\nmore about it")
