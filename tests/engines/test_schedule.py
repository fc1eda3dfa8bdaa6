"""The learning rate over a run, from the definition of each schedule."""

from typing import get_args

import pytest

from engines.schedule import rate_factor
from engines.spec import Schedule

SCHEDULES = get_args(Schedule)
STEPS = 1_000


def factors(schedule, warmup=0.0, steps=STEPS):
    return [rate_factor(schedule, warmup, (step + 0.5) / steps) for step in range(steps)]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("warmup", [0.0, 0.25, 1.0])
def test_every_step_learns_something_and_none_more_than_the_highest_rate(schedule, warmup):
    assert all(0 < factor <= 1 for factor in factors(schedule, warmup))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_rises_while_it_warms_up_and_never_after(schedule):
    found = factors(schedule, 0.25)
    assert found[:250] == sorted(found[:250])
    assert found[250:] == sorted(found[250:], reverse=True)
    assert found[249] == pytest.approx(1, abs=0.003)


def test_a_constant_rate_without_warmup_is_exactly_the_one_asked_for():
    assert set(factors("constant")) == {1.0}


@pytest.mark.parametrize(("schedule", "at_half"), [("triangle", 0.5), ("cosine", 0.5), ("one-cycle", 0.5)])
def test_it_falls_to_nearly_nothing(schedule, at_half):
    found = factors(schedule)
    assert found[STEPS // 2] == pytest.approx(at_half, abs=0.002)
    assert found[-1] < 0.001


def test_one_cycle_begins_above_nothing():
    assert factors("one-cycle", 0.3)[0] == pytest.approx(0.04, abs=0.001)
