"""These tests need a CUDA GPU; without one they are left out."""

import pytest

from engines.gpus import GpuMeter

DEVICE = "cuda"


def pytest_collection_modifyitems(items):
    if not GpuMeter().read():
        for item in items:
            if item.path.parent.name == "gpu":
                item.add_marker(pytest.mark.skip("no CUDA GPU"))


@pytest.fixture
def device():
    """What to ask for, as in a run's spec."""
    return DEVICE
