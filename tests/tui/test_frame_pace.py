import pytest

from tui.frame_pace import LONGEST_REST_SECONDS, FramePace


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def settled(rate, clock):
    """Give the pace of a screen whose first frames are out."""
    pace = FramePace(rate, clock)
    pace.draw()
    clock.now += 1
    return pace


def frames(pace, clock, seconds, *, press_every=0.0, takes=0.0):
    """Count the frames of a screen that has always something new, on a terminal that `takes` seconds for each."""
    count, until, next_press = 0, clock.now + seconds, clock.now
    while clock.now < until:
        if press_every and clock.now >= next_press:
            pace.hurry()
            next_press += press_every
        if pace.is_due():
            pace.draw()
            pace.begin_write()
            clock.now += takes
            pace.end_write(takes)
            count += 1
        clock.now += 0.001
    return count


@pytest.mark.parametrize("rate", [1, 4, 10, 60])
def test_there_are_no_more_frames_than_asked_for(clock, rate):
    assert frames(settled(rate, clock), clock, 10) == pytest.approx(10 * rate, rel=0.07)


def test_the_first_frames_wait_for_nothing(clock):
    pace = FramePace(1, clock)
    for _ in range(3):
        assert pace.is_hurried
        assert pace.is_due()
        pace.draw()
        clock.now += 0.03


def test_a_key_is_answered_at_once_but_keys_cannot_flood_the_line(clock):
    pace = settled(10, clock)
    pace.draw()
    clock.now += 0.04
    assert not pace.is_due()
    pace.hurry()
    assert pace.is_due()
    assert frames(pace, clock, 10, press_every=0.002) == pytest.approx(300, rel=0.07)


def test_frames_that_nobody_asked_for_take_nothing_from_those_that_answer(clock):
    pace = settled(10, clock)
    frames(pace, clock, 1, press_every=0.002)
    frames(pace, clock, 1)
    pace.draw()
    pace.hurry()
    assert pace.is_due()


def test_a_key_whose_answer_takes_long_to_make_waits_for_no_rest(clock):
    pace = settled(1, clock)
    pace.draw()
    pace.end_write(60)
    pace.hurry()
    clock.now += 0.9
    assert pace.is_due()
    pace.draw()
    clock.now += 0.05
    assert pace.is_due()  # The next part of the same answer.
    clock.now += 0.5
    assert not pace.is_due()


def test_a_slow_terminal_gets_fewer_frames_and_has_time_left_for_keys(clock):
    takes = 0.3
    assert frames(settled(10, clock), clock, 90, takes=takes) * takes < 90 * 0.4


def test_no_frame_is_sent_after_one_that_is_still_on_its_way(clock):
    pace = settled(10, clock)
    pace.begin_write()
    clock.now += 60
    pace.hurry()
    assert not pace.is_due()
    pace.end_write(60)
    assert pace.is_due()  # A key waits for no rest.
    pace.draw()
    clock.now += LONGEST_REST_SECONDS / 2
    assert not pace.is_due()
    clock.now += LONGEST_REST_SECONDS
    assert pace.is_due()


@pytest.mark.parametrize("rate", [1, 10, 60])
def test_it_tells_how_long_there_is_nothing_to_ask(clock, rate):
    pace = settled(rate, clock)
    pace.draw()
    left = pace.seconds_left()
    clock.now += 0.95 * left
    assert not pace.is_due()
    clock.now += 0.06 * left
    assert pace.is_due()
    assert pace.seconds_left() < 0.01


def test_what_answers_a_key_has_less_to_wait(clock):
    pace = settled(1, clock)
    frames(pace, clock, 0.5, press_every=0.002)
    assert pace.seconds_left() < 0.05


def test_a_terminal_that_is_still_taking_a_frame_is_asked_now_and_then(clock):
    pace = settled(1, clock)
    pace.begin_write()
    assert 0 < pace.seconds_left() < 0.1
