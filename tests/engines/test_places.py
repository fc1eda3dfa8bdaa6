"""Where runs train at the same time: a place for each, shared out evenly, and told apart by what a run asks for."""

from types import SimpleNamespace

import pytest
import real_worker
from real_worker import spec_of

from engines import launch
from engines.engine_maker import make_engine
from engines.places import Places, gpu_in
from engines.problems import Unavailable
from engines.runs import read_spec

GPUS = ("cuda:0", "cuda:1")


@pytest.mark.parametrize(
    ("device", "gpus", "taken", "place"),
    [
        ("auto", (), (), "cpu"),
        ("auto", (), ("cpu",), None),
        ("cuda", (), ("cpu",), None),
        ("auto", GPUS, (), "cuda:0"),
        ("auto", GPUS, ("cuda:0",), "cuda:1"),
        ("auto", GPUS, GPUS, None),
        ("cuda:1", GPUS, ("cuda:0",), "cuda:1"),
        ("cuda:0", GPUS, ("cuda:0",), None),
        ("cpu", GPUS, GPUS, "cpu"),
        ("cpu", GPUS, ("cpu",), None),
    ],
)
def test_a_run_gets_a_place_of_its_own(device, gpus, taken, place):
    assert Places(gpus).free(device, taken) == place


@pytest.mark.parametrize(
    ("device", "gpus", "jobs", "at_once", "places"),
    [
        ("auto", (), 3, 3, ["cpu"] * 3),
        ("cpu", (), 2, 2, ["cpu"] * 2),
        ("auto", GPUS, 4, 4, ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]),
        ("auto", GPUS, 3, 3, ["cuda:0", "cuda:1", "cuda:0"]),
        ("auto", GPUS, 1, 1, ["cuda:0"]),
        ("cuda:1", GPUS, 2, 2, ["cuda:1"] * 2),
        ("auto", GPUS, None, 2, ["cuda:0", "cuda:1"]),
        ("cpu", GPUS, None, 1, ["cpu"]),
    ],
)
def test_so_many_jobs_are_shared_out_evenly(device, gpus, jobs, at_once, places):
    of, taken = Places(gpus, jobs), []
    while place := of.free(device, taken):
        taken.append(place)
    assert taken == places
    assert of.at_once([device] * 10) == at_once


def test_a_run_that_took_any_gpu_is_on_the_first():
    assert [Places(GPUS).of(device) for device in ("auto", "cuda", "cuda:1", "cpu")] == [
        "cuda:0",
        "cuda:0",
        "cuda:1",
        "cpu",
    ]
    assert Places().of("auto") == "cpu"


def test_a_worker_is_told_of_a_gpu_only_where_the_run_leaves_it_the_choice():
    assert Places(GPUS).assign("auto", "cuda:1") == "cuda:1"
    assert Places(GPUS).assign("cuda:1", "cuda:1") == ""
    assert Places(GPUS).assign("cpu", "cpu") == ""
    assert Places(("cuda:0",)).assign("auto", "cuda:0") == ""


def test_the_gpu_is_read_from_what_a_run_calls_its_device():
    assert gpu_in("NVIDIA H100 80GB HBM3 (cuda:3)") == "cuda:3"
    assert gpu_in("NVIDIA H100 80GB HBM3 (cuda:3, bfloat16)") == "cuda:3"
    assert gpu_in("CPU (AMD EPYC, 1 thread)") is None


class _Framework:
    """A module of an engine that finds these devices only, and notes which it was asked for."""

    def __init__(self, *present):
        self.present, self.asked = present, []

    def create(self, spec):
        self.asked.append(spec.device)
        if spec.device not in self.present:
            raise Unavailable("no such device.")
        return SimpleNamespace(load_data=lambda _: None)


def test_a_run_trains_on_the_gpu_that_it_was_given_or_where_there_is_one():
    auto, given = spec_of(), spec_of(device="cuda:1")
    sees_gpus, sees_none, sees_nothing = _Framework("auto", "cuda:1"), _Framework("auto"), _Framework()
    make_engine(sees_gpus, auto, given, None)
    make_engine(sees_none, auto, given, None)
    assert (sees_gpus.asked, sees_none.asked) == (["cuda:1"], ["cuda:1", "auto"])
    with pytest.raises(Unavailable):
        make_engine(sees_nothing, given, given, None)
    assert sees_nothing.asked == ["cuda:1"]


def test_what_a_run_was_asked_stays_what_it_was_whatever_gpu_it_is_given(store):
    ended = real_worker.ended(launch.start(store, spec_of(epochs=1), device="cuda:1"))
    assert ended.exit_code == 0
    assert read_spec(ended.directory).device == "auto"
    assert ended.events[-1].state == "completed"
