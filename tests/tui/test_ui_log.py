"""The log for what no person should have to see: a disk that refuses it costs a line, and never what writes it."""

import resource
from contextlib import contextmanager

import pytest

from tui import choices, ui_log
from tui.choices import Choices


@contextmanager
def full_disk():
    """Have the disk take nothing more of any file of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write_much():
    with ui_log.opened() as log:
        log.write("x" * 100_000)
        log.flush()


@pytest.mark.parametrize(
    "writing", [lambda: ui_log.note("a line"), lambda: ui_log.record_crash(ValueError("a bug")), write_much]
)
def test_what_the_disk_does_not_take_is_lost_without_a_word(writing):
    ui_log.note("before")
    with full_disk():
        writing()
    ui_log.note("afterwards")
    assert "before\n---" in ui_log.path().read_text()
    assert ui_log.path().read_text().endswith("afterwards\n")


def test_a_disk_without_room_for_choices_has_none_for_that_line_either():
    with full_disk():
        choices.save(Choices(epochs=8))
    assert choices.load() == Choices()
