"""The learning rate of each step: what the schedule says, and what is asked of a live run."""

import math

import pytest
from scripted_training import STEPS, request

from engines.events import Batch, ControlApplied, Log
from engines.schedule import rate_factor


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_each_step_has_the_rate_of_its_schedule_over_all_epochs(trained, chunk):
    run = trained(chunk=chunk, schedule="triangle", warmup=0.2, lr=0.3)
    wanted = [0.3 * rate_factor("triangle", 0.2, (step + 0.5) / (2 * STEPS)) for step in range(2 * STEPS)]
    assert run.engine.rates == wanted
    assert run.of(Batch)[-1].lr == wanted[-1]


def test_a_rate_asked_for_within_a_schedule_holds_from_the_next_step_and_the_schedule_goes_on_from_it(trained):
    run = trained(chunk=1, requests=[(3, request("lr", 0.5))], schedule="cosine", lr=0.3)
    plan = [rate_factor("cosine", 0.0, (step + 0.5) / (2 * STEPS)) for step in range(2 * STEPS)]
    assert run.engine.rates[:2] == [0.3 * factor for factor in plan[:2]]
    assert run.engine.rates[2:] == pytest.approx([0.5 * factor / plan[2] for factor in plan[2:]])


@pytest.mark.parametrize("schedule", ["cosine", "triangle", "one-cycle"])
def test_a_rate_asked_for_in_the_last_steps_holds_and_makes_no_huge_one_of_epochs_asked_for_after_it(trained, schedule):
    last = 2 * STEPS - 1
    asked = [(last, request("lr", 0.02)), (last, request("epochs", 2))]
    rates = trained(chunk=1, requests=asked, schedule=schedule, lr=0.3).engine.rates
    assert max(rates[last:]) <= 10 * 0.02
    assert rates[-1] < 0.02
    alone = trained(chunk=1, requests=asked[:1], schedule=schedule, lr=0.3)
    assert alone.engine.rates[last - 1 : last] == pytest.approx([0.02])
    assert alone.engine.rates[-1] < 0.02


def test_a_rate_asked_for_again_and_again_where_the_schedule_is_low_is_the_one_that_holds(trained):
    asked = [(16, request("lr", 0.01)), (18, request("lr", 0.04)), (20, request("lr", 0.02))]
    run = trained(chunk=1, requests=asked, schedule="cosine", lr=0.3)
    assert run.engine.rates[15:] == pytest.approx([0.01, 0.04, 0.02])
    assert [batch.lr for batch in run.of(Batch)][-1] == pytest.approx(0.02)
    assert run.store.newest()[0].progress.lr == pytest.approx(0.2)


def test_a_rate_asked_for_in_the_first_steps_of_a_warmup_is_the_highest_of_none_that_is_huge(trained):
    run = trained(chunk=1, requests=[(1, request("lr", 0.02))], schedule="triangle", warmup=0.9, lr=0.3)
    assert run.engine.rates[0] == pytest.approx(0.02)
    assert max(run.engine.rates) <= 10 * 0.02


def test_a_schedule_is_over_the_epochs_that_are_asked_for_meanwhile(trained):
    run = trained(chunk=1, requests=[(3, request("epochs", 1))], schedule="triangle", lr=0.3)
    plan = [0.3 * rate_factor("triangle", 0.0, (step + 0.5) / (3 * STEPS)) for step in range(3 * STEPS)]
    assert run.engine.rates[2:] == pytest.approx(plan[2:], rel=1e-12)


def test_a_new_rate_is_used_from_the_next_step_on_and_saved(trained):
    run = trained(chunk=1, requests=[(3, request("lr", 0.5))])
    assert run.engine.rates == [0.001] * 2 + [0.5] * (2 * STEPS - 2)
    assert run.store.newest()[0].progress.lr == 0.5
    assert [(c.action, c.value, c.id, c.by) for c in run.of(ControlApplied)] == [("lr", 0.5, "id-of-lr", "ann")]


@pytest.mark.parametrize("rate", [None, 0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_none_changes_nothing(trained, rate):
    run = trained(chunk=1, requests=[(3, request("lr", rate))])
    assert set(run.engine.rates) == {0.001}
    assert len(run.of(Log)) == 1
    assert run.of(ControlApplied) == []
