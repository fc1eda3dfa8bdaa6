import importlib.metadata

import pytest

import tui.machine
from engines.events import Gpu
from tui.machine import Machine, installed_version, look_at_machine

H100 = Gpu(name="H100", utilization=0.5, memory_used=2**30, memory_total=80 * 2**30, temperature=40, power=300)
BARE = Gpu(name="T4", utilization=None, memory_used=None, memory_total=None, temperature=None, power=None)


@pytest.mark.parametrize(
    ("gpus", "devices"),
    [((), ("auto", "cpu")), ((H100,), ("auto", "cpu", "cuda")), ((H100, BARE), ("auto", "cpu", "cuda:0", "cuda:1"))],
)
def test_devices_are_those_that_are_there(gpus, devices, monkeypatch):
    monkeypatch.setattr(tui.machine.sys, "platform", "linux")
    assert Machine("EPYC", 8, gpus).devices == devices


def test_a_mac_of_ours_has_metal(monkeypatch):
    monkeypatch.setattr(tui.machine.sys, "platform", "darwin")
    monkeypatch.setattr(tui.machine.platform, "machine", lambda: "arm64")
    assert Machine("M3", 8, ()).devices == ("auto", "cpu", "mps")


def test_a_machine_without_a_gpu_says_so_plainly():
    assert Machine("AMD EPYC", 2, ()).lines() == ["CPU only: AMD EPYC, 2 cores"]
    assert Machine("AMD EPYC", 1, ()).lines() == ["CPU only: AMD EPYC, 1 core"]


def test_each_gpu_is_a_line_with_what_is_known_of_it():
    assert Machine("AMD EPYC", 16, (H100, BARE)).lines() == [
        "GPU 0: H100, 1.0 of 80.0 GiB used, 50% busy",
        "GPU 1: T4",
        "CPU: AMD EPYC, 16 cores",
    ]


def test_this_machine_has_a_name_and_cores():
    machine = look_at_machine()
    assert machine.processor
    assert machine.processor.isprintable()
    assert machine.cores >= 1


def test_a_framework_that_is_not_there_has_no_version(monkeypatch):
    monkeypatch.setattr(tui.machine, "find_spec", lambda name: None)
    assert installed_version("torch") is None


def test_a_framework_under_another_name_has_that_name_s_version(monkeypatch):
    def version(name):
        if name != "tensorflow-cpu":
            raise importlib.metadata.PackageNotFoundError
        return "2.20.1"

    monkeypatch.setattr(tui.machine, "find_spec", lambda name: object())
    monkeypatch.setattr(importlib.metadata, "version", version)
    assert installed_version("tensorflow") == "2.20.1"
    assert installed_version("torch") == ""
