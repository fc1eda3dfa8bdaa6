"""Where runs train at the same time: one on each GPU, or one on the processor; more where a person says so."""

import re
from collections.abc import Iterable, Sequence
from math import ceil

PROCESSOR = "cpu"
_GPU_IN_NAME = re.compile(r"\((cuda:\d{1,3})[^()]*\)$")


class Places:
    """The places of a machine with these `gpus`, for `jobs` runs at once in all; None is one a place.

    A machine without GPUs has one place, because two runs at once would each be half as fast.
    """

    def __init__(self, gpus: Sequence[str] = (), jobs: int | None = None) -> None:
        self.gpus = tuple(gpus)
        self.jobs = jobs

    def free(self, device: str, taken: Sequence[str]) -> str | None:
        """Give the place for a run that asks for `device`, the least taken; None where it has to wait."""
        if self.jobs is not None and len(taken) >= self.jobs:
            return None
        fitting = self._fitting(device)
        place = min(fitting, key=taken.count)
        most = ceil((self.jobs or len(fitting)) / len(fitting))
        return place if taken.count(place) < most else None

    def of(self, device: str) -> str:
        """Give the place that a run which asked for `device` has taken, as far as that tells."""
        return self._fitting(device)[0]

    def assign(self, device: str, place: str) -> str:
        """Give the GPU that a worker is to be told of; empty where `device` says it, or there is no choice."""
        return place if len(self.gpus) > 1 and place in self.gpus and device in ("auto", "cuda") else ""

    def at_once(self, devices: Iterable[str]) -> int:
        """Give how many runs that ask for `devices` train at once."""
        taken: list[str] = []
        for device in devices:
            if place := self.free(device, taken):
                taken.append(place)
        return len(taken)

    def _fitting(self, device: str) -> tuple[str, ...]:
        if not self.gpus or device == PROCESSOR:
            return (PROCESSOR,)
        return (device,) if device in self.gpus else self.gpus


def gpu_in(device_name: str) -> str | None:
    """Give the GPU in what a run calls its device: `cuda:1` of `NVIDIA H100 80GB HBM3 (cuda:1)`; None for no GPU."""
    found = _GPU_IN_NAME.search(device_name)
    return found[1] if found else None


def find_gpus() -> tuple[str, ...]:
    """Name the GPUs that CUDA shows to a run, the one with the most free memory, to the GiB, first."""
    # NVIDIA's libraries are nothing that other commands should wait for.
    from engines.cuda_devices import visible_uuids
    from engines.gpus import emptiest_first

    return tuple(f"cuda:{at}" for at in emptiest_first(visible_uuids()))
