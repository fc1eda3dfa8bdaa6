import pytest

from engines import precision
from engines.precision import takes_bfloat16, warn_of_slowness
from engines.problems import Unavailable


@pytest.mark.parametrize(
    ("asked", "is_fast", "taken"),
    [("bfloat16", False, True), ("auto", True, True), ("auto", False, False), ("float32", True, False)],
)
def test_bfloat16_is_taken_where_it_is_asked_for_or_fast(asked, is_fast, taken):
    assert takes_bfloat16(asked, "CPU (EPYC, 1 thread)", is_able=True, is_fast=is_fast) == taken


def test_bfloat16_is_refused_where_the_hardware_has_not_got_it():
    with pytest.raises(Unavailable, match="Tesla T4 cannot compute in bfloat16"):
        takes_bfloat16("bfloat16", "Tesla T4", is_able=False, is_fast=False)


@pytest.mark.parametrize(
    ("asked", "device", "has_units", "warns"),
    [
        ("bfloat16", "CPU (EPYC, 1 thread, bfloat16)", False, True),
        ("bfloat16", "CPU (Xeon, 1 thread, bfloat16)", True, False),
        ("bfloat16", "NVIDIA H100 (cuda:0, bfloat16)", False, False),
        ("auto", "CPU (EPYC, 1 thread)", False, False),
    ],
)
def test_a_processor_that_is_slow_at_what_was_asked_is_warned_of(asked, device, has_units, warns, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16_units", lambda: has_units)
    assert bool(warn_of_slowness(asked, device)) == warns
