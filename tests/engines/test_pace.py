"""How often things happen: engine calls of a tenth of a second, and events that stay few however long a run."""

import pytest

from engines import pace
from engines.pace import CHUNK_SECONDS, MAX_CHUNK_STEPS, ChunkPace, EventPace


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    monkeypatch.setattr(pace, "time", clock := Clock())
    return clock


def count_due(events, clock, seconds, tick=0.02):
    """Ask every `tick` for so long, and give how often something was due."""
    due = 0
    for _ in range(round(seconds / tick)):
        clock.now += tick
        due += events.is_due()
    return due


@pytest.mark.parametrize("seconds_per_step", [1e-6, 1e-4, 1e-3, 0.03, 0.2, 5.0])
def test_a_call_comes_to_take_about_a_tenth_of_a_second(seconds_per_step):
    chunk = ChunkPace()
    for _ in range(20):
        chunk.learn(chunk.steps, chunk.steps * seconds_per_step)
    assert chunk.steps == max(1, min(MAX_CHUNK_STEPS, int(CHUNK_SECONDS / seconds_per_step + 1e-9)))


def test_one_odd_measurement_at_most_doubles_a_call():
    chunk = ChunkPace()
    chunk.steps = 50
    chunk.learn(50, 1e-9)
    assert chunk.steps == 100


def test_a_step_that_became_slow_shortens_the_next_call_at_once():
    chunk = ChunkPace()
    chunk.steps = 1_000
    chunk.learn(1_000, 10.0)
    assert chunk.steps == 10


def test_the_short_rest_of_an_epoch_teaches_nothing():
    chunk = ChunkPace()
    chunk.steps = 1_000
    chunk.learn(3, 0.1)
    chunk.learn(1_000, 0.0)
    assert chunk.steps == 1_000


def test_at_most_ten_batches_a_second_are_told(clock):
    events = EventPace(0.1, halving=5_000, limit=50_000)
    assert 90 <= count_due(events, clock, 10.0, tick=0.001) <= 101


def test_the_first_is_due_at_once(clock):
    assert EventPace(60.0, halving=10, limit=100).is_due()


def test_events_come_half_as_often_after_each_halving(clock):
    events = EventPace(1.0, halving=10, limit=1_000)
    counts = [count_due(events, clock, 10.0, tick=0.25) for _ in range(3)]
    assert counts[0] == 10
    assert counts[1] in (5, 6)


def test_milestones_do_not_wait(clock):
    events = EventPace(1.0, halving=1_000, limit=1_000)
    assert events.is_due()
    assert not events.is_due()
    assert events.is_due(milestone=True)


def test_no_run_has_more_events_than_the_limit_and_milestones_leave_half_of_them(clock):
    events = EventPace(0.1, halving=20, limit=100)
    milestones = sum(events.is_due(milestone=True) for _ in range(1_000))
    assert milestones == 50
    later = 0
    for _ in range(1_000):
        clock.now += 1_000.0
        later += events.is_due()
    assert milestones + later == 100


def test_a_later_attempt_goes_on_counting(clock):
    events = EventPace(0.1, halving=20, limit=100, count=99)
    assert events.is_due()
    clock.now += 1e9
    assert not events.is_due(milestone=True)
