"""What is left of a run, and the rate of its next step, without any training."""

import pytest

from engines.checkpoints import Progress
from engines.run_plan import LOW, RunPlan
from engines.spec import RunSpec

STEPS = 10


def plan_of(epoch=1, step=0, seconds=0.0, **asked):
    return RunPlan(RunSpec(**asked), Progress(epoch=epoch, step=step, seconds=seconds, lr=0.3), STEPS)


@pytest.mark.parametrize(("asked", "epochs"), [({"epochs": 7}, 7), ({"epochs": 7, "budget": 9}, 7), ({"budget": 9}, 1)])
def test_before_anything_is_measured_it_comes_to_what_is_asked_or_to_the_epoch_that_is_begun(asked, epochs):
    assert plan_of(**{"epochs": None, **asked}).epochs == epochs


def test_beyond_its_last_step_the_rate_is_that_of_the_last():
    plan = plan_of(epochs=2, schedule="triangle")
    *_, last = plan.rates(2 * STEPS)
    assert 0 < last < LOW * 0.3
    assert set(plan.rates(3 * STEPS)[2 * STEPS :]) == {last}


def test_a_rate_that_was_asked_for_at_the_end_does_not_lift_the_end_of_what_is_added():
    plan = plan_of(epoch=2, step=STEPS - 1, epochs=2, schedule="triangle")
    plan.ask_rate(0.01)
    assert plan.rate() == pytest.approx(0.01)
    plan.lengthen(2)
    rest = plan.rates(1 + 2 * STEPS)
    assert rest[-1] < rest[0] / 20


def test_what_is_no_number_of_epochs_changes_nothing():
    plan = plan_of(epochs=2)
    assert not plan.lengthen(None)
    assert not plan.lengthen(0.5)
    assert plan.spec.epochs == 2
    assert plan.lengthen(3)
    assert plan.spec.epochs == 5
