from pathlib import Path

import pytest
from msgspec.structs import replace
from views import finished, started

from engines.events import CheckpointSaved
from tui.printing import PlainPrinter

SAVED = CheckpointSaved(path="checkpoints/last-00005-0000100.safetensors", epoch=5, step=100, kind="last")


def printed(*events):
    lines = []
    printer = PlainPrinter(verbose=False, write=lines.append)
    printer.begin(Path("/runs/r"))
    for event in events:
        printer.show(event)
    return "\n".join(lines)


@pytest.mark.parametrize("events", [(started(), SAVED), (replace(started(), steps_done=9),)], ids=["saved", "gone-on"])
def test_a_run_that_was_saved_can_be_trained_longer(events):
    assert "--continue-from r --epochs 5" in printed(*events, finished())


def test_none_is_told_how_to_go_on_that_could_never_be_saved():
    assert "--continue-from" not in printed(started(), finished())
