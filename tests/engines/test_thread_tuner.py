import itertools

from hypothesis import given
from hypothesis import strategies as st

from engines.thread_tuner import ThreadTuner


class Machine:
    """Does steps; `seconds` of a step by the count of threads, which change when others come and go."""

    def __init__(self, **seconds):
        self.now = 0.0
        self.count = 0
        self.seconds = {int(name.lstrip("_")): value for name, value in seconds.items()}
        self.done = dict.fromkeys(self.seconds, 0)

    def use(self, count):
        self.count = count

    def work(self, tuner, *, seconds, call=20):
        """Train for so many seconds in calls of `call` steps; give the steps done with each count."""
        self.done = dict.fromkeys(self.seconds, 0)
        until = self.now + seconds
        while self.now < until:
            for burst in tuner.bursts(call):
                self.now += burst * self.seconds[self.count]
                self.done[self.count] += burst
        return self.done


def tuned(machine):
    return ThreadTuner(list(machine.seconds), machine.use, lambda: machine.now)


@given(st.lists(st.integers(1, 300), max_size=20), st.lists(st.floats(0.0001, 1), min_size=3, max_size=3))
def test_all_steps_are_done_whatever_is_tried(calls, seconds):
    machine = Machine(**{f"_{count}": of_a_step for count, of_a_step in zip((1, 2, 4), seconds, strict=True)})
    tuner = tuned(machine)
    for call in calls:
        done = 0
        for burst in tuner.bursts(call):
            machine.now += burst * machine.seconds[machine.count]
            done += burst
        assert done == call
        assert machine.count == tuner.count


def test_the_fastest_count_is_used_from_the_first_calls_on():
    for fastest in (1, 2, 4, 8):
        machine = Machine(_1=0.004, _2=0.004, _4=0.004, _8=0.004)
        machine.seconds[fastest] = 0.002
        tuner = tuned(machine)
        for _ in range(4):
            machine.work(tuner, seconds=0.0001)
        assert tuner.count == fastest
        done = machine.work(tuner, seconds=60)
        assert done[fastest] > 0.98 * sum(done.values())


def test_threads_are_given_up_at_once_where_another_process_takes_a_core_and_taken_again_when_it_is_gone():
    machine = Machine(_1=0.003, _2=0.002)
    tuner = tuned(machine)
    machine.work(tuner, seconds=60)
    assert tuner.count == 2

    machine.seconds |= {1: 0.004, 2: 0.02}
    began = machine.now
    while tuner.count == 2:
        machine.work(tuner, seconds=0.0001)
    assert machine.now - began < 1
    done = machine.work(tuner, seconds=120)
    assert done[1] > 0.99 * sum(done.values())

    machine.seconds |= {1: 0.003, 2: 0.002}
    machine.work(tuner, seconds=21)
    assert tuner.count == 2


def test_a_single_slow_burst_as_when_a_screen_is_drawn_costs_a_trial_and_no_more():
    machine = Machine(_1=0.003, _2=0.002)
    tuner = tuned(machine)
    machine.work(tuner, seconds=10)
    for slowly in (0.005, 0.05, 0.5):
        for burst in tuner.bursts(8):
            machine.now += burst * slowly
        done = machine.work(tuner, seconds=2)
        assert done[2] > 0.95 * sum(done.values())


def test_of_one_count_there_is_nothing_to_try():
    machine = Machine(_3=0.001)
    tuner = tuned(machine)
    assert machine.count == 3
    for _ in range(3):
        assert list(itertools.islice(tuner.bursts(500), 9)) == [500]


def test_several_threads_are_looked_at_every_fiftieth_of_a_second_and_one_is_left_alone():
    for fastest, longest in ((1, 500), (2, 20)):
        machine = Machine(_1=0.002, _2=0.002)
        machine.seconds[fastest] = 0.0011
        tuner = tuned(machine)
        machine.work(tuner, seconds=60)
        done = machine.work(tuner, seconds=60, call=500)
        assert done[fastest] > 0.99 * sum(done.values())
        bursts = []
        for burst in tuner.bursts(500):
            machine.now += burst * machine.seconds[machine.count]
            bursts.append(burst)
        assert max(bursts) == longest
