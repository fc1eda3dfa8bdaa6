"""The GPUs that CUDA shows to this process: a framework numbers them in this order, which need not be the driver's."""

import ctypes
from uuid import UUID

_LIBRARY = "libcuda.so.1"


def visible_uuids() -> list[str]:
    """Give each GPU's UUID in CUDA's order, as `GpuMeter` writes it; none where CUDA's driver is not there to ask.

    No memory is taken on any of them.
    """
    try:
        driver = ctypes.CDLL(_LIBRARY)
    except OSError:
        return []
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return []
    return [_read_uuid(driver, index) for index in range(count.value)]


def _read_uuid(driver: ctypes.CDLL, index: int) -> str:
    device, number = ctypes.c_int(), (ctypes.c_ubyte * 16)()
    if driver.cuDeviceGet(ctypes.byref(device), index) or driver.cuDeviceGetUuid(ctypes.byref(number), device):
        return ""
    return str(UUID(bytes=bytes(number)))
