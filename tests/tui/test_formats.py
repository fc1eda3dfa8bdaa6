import math

import pytest

from tui import formats


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (7.9, "0:07"),
        (754, "12:34"),
        (3723, "1:02:03"),
        (184_000, "2d 3:06:40"),
        (None, "-"),
        (math.inf, "-"),
        (-3, "0:00"),
    ],
)
def test_a_clock_has_whole_seconds(seconds, text):
    assert formats.clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0123, "12 ms"),
        (0.0996, "0.10 s"),
        (1.714, "1.71 s"),
        (9.996, "10.0 s"),
        (42, "42.0 s"),
        (120, "2:00"),
        (125, "2:05"),
        (None, "-"),
        (math.nan, "-"),
    ],
)
def test_a_measured_duration_has_three_digits(seconds, text):
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.25s"), (30.0123, "30s"), (90, "90s"), (119.4, "119s"), (120, "2m"), (150, "2m30s"), (3660, "1h1m")],
)
def test_a_time_that_was_asked_for_is_said_as_it_is_asked_for(seconds, text):
    assert formats.span(seconds) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.98912, "98.91 %"), (1.0, "100.00 %"), (0.99999, "99.99 %"), (0.0, "0.00 %"), (None, "-"), (math.nan, "-")],
)
def test_percent_never_promises_more_than_there_is(fraction, text):
    assert formats.percent(fraction) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.03451, "0.0345"),
        (2.30259, "2.303"),
        (0, "0.0000"),
        (0.001, "0.0010"),
        (1.0, "1.000"),
        (999.5, "999.500"),
        (1000.0, "1.0e+03"),
        (12345.0, "1.2e+04"),
        (1e-7, "1.0e-07"),
        (None, "-"),
        (math.inf, "-"),
    ],
)
def test_a_loss_has_four_digits_that_matter(value, text):
    assert formats.loss(value) == text


@pytest.mark.parametrize(
    ("number", "text"), [(512, "512 B"), (1000, "1.0 KiB"), (507 << 20, "507 MiB"), (85_500_000_000, "79.6 GiB")]
)
def test_bytes_are_in_powers_of_1024(number, text):
    assert formats.size(number) == text


def test_other_numbers_read_as_a_person_writes_them():
    assert formats.count(61706) == "61,706"
    assert formats.rate(9480.7, "images") == "9,481 images/s"
    assert formats.rate(0.25, "images") == "0.25 images/s"
    assert formats.points(0.0042) == "+0.42"
    assert formats.points(-0.01) == "-1.00"
    assert formats.spread(0.0042) == "0.42"
    assert formats.number(0.001) == "0.001"
    assert formats.shape([6, 1, 5, 5]) == "6x1x5x5"
    assert formats.shape([]) == "1"
    assert formats.counted(1, "epoch") == "1 epoch"
    assert formats.counted(1437, "image") == "1,437 images"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (7_200, "2 h ago"), (150_000, "1 d ago"), (4e7, "1 y ago")],
)
def test_an_age_is_said_in_its_largest_unit(seconds, text):
    assert formats.ago(seconds) == text
