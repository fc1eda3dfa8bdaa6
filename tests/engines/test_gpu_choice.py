"""On a machine with several GPUs the emptiest comes first, whatever numbers CUDA and NVIDIA's driver give it."""

from types import SimpleNamespace
from uuid import UUID

import pytest
import tensorflow as tf
import torch

from engines import cuda_devices, gpus, tensorflow_device, torch_device
from engines.places import find_gpus
from engines.spec import RunSpec
from engines.tensorflow_threads import ONE_THREAD

GIB = 2**30
SMALL, LARGE, BUSY = (UUID(int=number) for number in (1, 2, 3))
FREE = {SMALL: 10 * GIB, LARGE: 70 * GIB, BUSY: 1 * GIB}


class Nvml:
    """The driver's library with one GPU for each of `free`, a map from UUIDs to bytes, in that order."""

    NVMLError = RuntimeError

    def __init__(self, free):
        self.free = list(free.items())

    def nvmlInit(self):  # noqa: N802
        pass

    def nvmlDeviceGetCount(self):  # noqa: N802
        return len(self.free)

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceGetUUID(self, handle):  # noqa: N802
        return f"GPU-{self.free[handle][0]}"

    def nvmlDeviceGetMemoryInfo(self, handle):  # noqa: N802
        if self.free[handle][1] is None:
            raise RuntimeError("not supported")
        return SimpleNamespace(free=self.free[handle][1])


class Cuda:
    """CUDA's library, which shows the GPUs of `uuids`, in that order."""

    def __init__(self, *uuids, error=0):
        self.uuids = uuids
        self.error = error

    def cuInit(self, flags):  # noqa: N802
        return self.error

    def cuDeviceGetCount(self, count):  # noqa: N802
        count._obj.value = len(self.uuids)
        return 0

    def cuDeviceGet(self, device, index):  # noqa: N802
        device._obj.value = 100 + index
        return 0

    def cuDeviceGetUuid(self, number, device):  # noqa: N802
        number._obj[:] = self.uuids[device.value - 100].bytes
        return 0


@pytest.fixture
def driver(monkeypatch):
    """Have the driver tell of the GPUs that it is called with."""
    return lambda free: monkeypatch.setattr(gpus, "pynvml", Nvml(free))


def taken_by_torch(monkeypatch, *uuids):
    """Give the device that PyTorch computes on by itself, where it finds the GPUs of `uuids`, in that order."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(uuids))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(uuids))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda at: SimpleNamespace(uuid=uuids[at]))
    return str(torch_device.choose_device("auto"))


def taken_by_tensorflow(monkeypatch, *uuids, cuda=None, shown=None, device="auto"):
    """Give the device that TensorFlow computes on, and what it says of it."""
    monkeypatch.setattr(cuda_devices.ctypes, "CDLL", lambda _: cuda or Cuda(*uuids))
    names, seen = [f"GPU:{at}" for at in range(len(uuids))], []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: names)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda _: shown or names)
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda gpu, _: seen.append(gpu))
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, _: seen.append(gpu))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"device_name": f"H100 {gpu}"})
    said = tensorflow_device.take_device(RunSpec(framework="tensorflow", device=device), ONE_THREAD)
    assert len({*seen}) == 1
    number = seen[0].removeprefix("GPU:")
    assert said == f"H100 GPU:{number} (cuda:{number})"
    return f"cuda:{number}"


@pytest.mark.parametrize("taken", [taken_by_torch, taken_by_tensorflow], ids=["torch", "tensorflow"])
@pytest.mark.parametrize(
    ("shown", "device"),
    [
        ((SMALL, LARGE, BUSY), "cuda:1"),
        ((LARGE, BUSY, SMALL), "cuda:0"),
        ((BUSY, SMALL), "cuda:1"),
        ((BUSY,), "cuda:0"),
    ],
    ids=["as-the-driver", "in-another-order", "some-hidden", "one"],
)
def test_the_emptiest_gpu_is_taken_by_its_uuid(driver, monkeypatch, taken, shown, device):
    driver(FREE)
    assert taken(monkeypatch, *shown) == device


@pytest.mark.parametrize("taken", [taken_by_torch, taken_by_tensorflow], ids=["torch", "tensorflow"])
def test_equals_to_the_gib_are_one_as_good_as_the_other_and_the_first_is_taken(driver, monkeypatch, taken):
    driver({SMALL: 70 * GIB + 1, LARGE: 70 * GIB + 2})
    assert taken(monkeypatch, SMALL, LARGE) == "cuda:0"


@pytest.mark.parametrize("taken", [taken_by_torch, taken_by_tensorflow], ids=["torch", "tensorflow"])
def test_gpus_of_which_nothing_is_known_come_last(driver, monkeypatch, taken):
    driver({SMALL: None, LARGE: 5 * GIB})
    assert taken(monkeypatch, SMALL, LARGE) == "cuda:1"
    driver({})
    assert taken(monkeypatch, SMALL, LARGE) == "cuda:0"


def test_tensorflow_keeps_the_gpu_that_its_process_has_taken(driver, monkeypatch):
    driver(FREE)
    assert taken_by_tensorflow(monkeypatch, SMALL, LARGE, BUSY, shown=["GPU:2"]) == "cuda:2"


def test_tensorflow_takes_the_gpu_that_was_asked_for_however_full(driver, monkeypatch):
    driver(FREE)
    assert taken_by_tensorflow(monkeypatch, SMALL, LARGE, BUSY, device="cuda:2") == "cuda:2"
    assert taken_by_tensorflow(monkeypatch, SMALL, LARGE, device="cuda") == "cuda:0"


@pytest.mark.parametrize("cuda", [Cuda(BUSY), Cuda(SMALL, LARGE, error=3)], ids=["fewer", "not-ready"])
def test_tensorflow_takes_its_first_gpu_where_cuda_does_not_tell_which_is_which(driver, monkeypatch, cuda):
    driver(FREE)
    assert taken_by_tensorflow(monkeypatch, SMALL, LARGE, cuda=cuda) == "cuda:0"


@pytest.mark.parametrize(
    ("cuda", "places"),
    [
        (Cuda(SMALL, LARGE, BUSY), ("cuda:1", "cuda:0", "cuda:2")),
        (Cuda(LARGE, SMALL), ("cuda:0", "cuda:1")),
        (Cuda(BUSY, SMALL), ("cuda:1", "cuda:0")),
        (Cuda(error=100), ()),
    ],
    ids=["as-the-driver", "in-another-order", "some-hidden", "all-hidden"],
)
def test_runs_have_their_places_on_the_gpus_that_cuda_shows(driver, monkeypatch, cuda, places):
    driver(FREE)
    monkeypatch.setattr(cuda_devices.ctypes, "CDLL", lambda _: cuda)
    assert find_gpus() == places


def test_a_machine_without_cuda_shows_no_gpus(monkeypatch):
    monkeypatch.setattr(cuda_devices, "_LIBRARY", "libcuda-is-not-here.so")
    assert cuda_devices.visible_uuids() == []
