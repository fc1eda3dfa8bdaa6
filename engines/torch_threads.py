"""How many threads PyTorch may use on a CPU, and with how many it gives the numbers that one thread gives."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engines.processor import core_count


def exact_counts(compute: Callable[[], Sequence[Tensor]], otherwise: int) -> tuple[int, ...]:
    """Give the counts of threads with which `compute` gives, to the last bit, what one thread does; 1 is the first.

    Where only 1 does, as libraries other than those that this was made with may add in another order, it is one count
    for all of a run, `otherwise`.
    """
    alone = _computed(1, compute)
    exact = [count for count in _possible_counts() if _are_equal(alone, _computed(count, compute))]
    return (1, *exact) if exact else (otherwise,)


def usual_count() -> int:
    """Give all cores but one, which is left to the screen."""
    return max(1, core_count() - 1)


def _computed(count: int, compute: Callable[[], Sequence[Tensor]]) -> list[Tensor]:
    torch.set_num_threads(count)
    return [tensor.clone() for tensor in compute()]


def _are_equal(some: list[Tensor], others: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def _possible_counts() -> list[int]:
    """Give both of two cores; of more, 2, 4, 8 and so on, and all but one, which is left to the screen."""
    cores = core_count()
    most = cores if cores == 2 else usual_count()
    return sorted({most, *(2**power for power in range(1, most.bit_length()))} - {1, 0})
