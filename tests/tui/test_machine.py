import importlib.metadata
import os
from types import SimpleNamespace

import pytest

import tui.machine
from engines.events import Gpu
from engines.spec import RunSpec
from tui.form import AUTO_HINT
from tui.machine import GpuUser, Machine, installed_version, look_at_machine
from tui.screens import launcher

H100 = Gpu(name="H100", utilization=0.5, memory_used=2**30, memory_total=80 * 2**30, temperature=40, power=300)
BARE = Gpu(name="T4", utilization=None, memory_used=None, memory_total=None, temperature=None, power=None)


@pytest.mark.parametrize(
    ("gpus", "devices"),
    [((), ("auto", "cpu")), ((H100,), ("auto", "cpu", "cuda")), ((H100, BARE), ("auto", "cpu", "cuda:0", "cuda:1"))],
)
def test_devices_are_those_that_are_there(gpus, devices, monkeypatch):
    monkeypatch.setattr(tui.machine.sys, "platform", "linux")
    assert Machine("EPYC", 8, gpus).devices == devices


def test_gpus_have_no_numbers_where_some_are_hidden_from_a_run(monkeypatch):
    monkeypatch.setattr(tui.machine.sys, "platform", "linux")
    machine = Machine("EPYC", 8, (H100, H100), hides_gpus=True)
    assert machine.devices == ("auto", "cpu", "cuda")
    assert launcher._propose_device(machine) == AUTO_HINT
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert look_at_machine().hides_gpus


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


@pytest.mark.parametrize(
    ("gpus", "device", "precision", "warns"),
    [
        ((), "auto", "bfloat16", True),
        ((H100,), "cpu", "bfloat16", True),
        ((H100,), "auto", "bfloat16", False),
        ((), "auto", "auto", False),
    ],
)
def test_bfloat16_is_warned_of_where_the_processor_would_compute_it_slowly(gpus, device, precision, warns):
    spec = RunSpec(device=device, precision=precision)
    assert bool(Machine("EPYC", 2, gpus, is_slow_in_bfloat16=True).warn_of(spec)) == warns
    assert not Machine("EPYC", 2, gpus).warn_of(spec)


def test_a_busy_gpu_says_whose_processes_are_on_it():
    users = ((GpuUser("ann", "python", 11 << 30), GpuUser(memory=2 << 30)), ())
    lines = Machine("AMD EPYC", 16, (H100, BARE), users).lines()
    assert lines[0].endswith("50% busy: ann python 11.0 GiB; a process 2.0 GiB")
    assert lines[1] == "GPU 1: T4"


def test_of_several_gpus_the_emptiest_is_named():
    full = Gpu(name="H100", utilization=1.0, memory_used=79 << 30, memory_total=80 << 30, temperature=70, power=600)
    assert Machine("EPYC", 2, (full, H100, H100)).emptiest == 1
    assert Machine("EPYC", 2, (full, H100)).summary().startswith("2 GPUs, the emptiest is GPU 1: H100, 1.0 of")
    assert Machine("EPYC", 2, (BARE, BARE)).emptiest is None
    assert Machine("EPYC", 2, (H100,)).summary().startswith("GPU 0: H100")
    assert Machine("EPYC", 2, ()).summary() == "CPU only: EPYC, 2 cores"


def test_who_is_on_a_gpu_is_asked_of_the_driver_and_the_system(monkeypatch):
    ours, gone = os.getpid(), 2**22 + 1
    meter = SimpleNamespace(read=lambda: [H100], read_users=lambda: [{ours: 5, gone: None}])
    monkeypatch.setattr(tui.machine, "_gpu_meter", lambda: meter)
    ((mine, other),) = look_at_machine().users
    assert mine.process
    assert mine.user
    assert mine.memory == 5
    assert other == GpuUser()


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
