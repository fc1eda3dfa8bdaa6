"""Drawing a digit and seeing ten probabilities: as lines, and on the screen with a real run's checkpoint."""

import base64

import psutil
import pytest
from piloted import app_of, drive, seen, until, until_seen
from real_worker import spec_of
from views import text_of

from engines.inquiry import Answer
from engines.runs import RunStore
from tui.canvas import Canvas
from tui.easel import Easel, draw_easel, sheet_region
from tui.screens.monitor import MonitorScreen

DIGITS = [str(digit) for digit in range(10)]
SEEN = base64.b64encode(bytes([255]) * 784).decode()


def text(answer=None, *, size=(78, 22), names=DIGITS, is_drawn=True, style="ascii"):
    canvas = Canvas()
    if is_drawn:
        canvas.put_down()
    easel = Easel("PyTorch lenet on MNIST", names, "centred by its mass", canvas, answer, style, has_pen=True)
    lines = draw_easel(easel, *size)
    assert len(lines) <= size[1]
    return text_of(lines, size[0])


def answer_of(*probabilities):
    return Answer(probabilities=list(probabilities), seen=SEEN, epoch=2, step=1875)


SEVEN = answer_of(*[0.01] * 7, 0.93, 0.0, 0.0)


@pytest.mark.parametrize("size", [(58, 14), (78, 22), (118, 38), (198, 58)])
def test_sheet_and_answer_fit_side_by_side(size):
    told = text(SEVEN, size=size)
    assert "taken for 7  93.0 % sure" in told
    assert "checkpoint: epoch 2" in told or size[0] < 70
    assert sheet_region(*size).right < size[0] - 26
    assert sheet_region(*size).height >= 10
    assert sheet_region(*size).width == 2 * sheet_region(*size).height


def test_a_bar_is_as_long_as_its_probability_and_the_longest_is_marked():
    lines = text(SEVEN).splitlines()
    seven = next(line for line in lines if "▸ 7" in line)
    one = next(line for line in lines if "  1 " in line and "1.0 %" in line)
    assert seven.count("=") == pytest.approx(0.93 * (seven.count("=") + seven.split("7", 1)[1].count("-")), abs=1)
    assert one.count("=") == 0


def test_how_the_drawing_is_brought_to_the_network_is_said_and_shown():
    told = text(SEVEN, size=(118, 38))
    assert "as the network sees it: centred by its mass" in told
    assert "@@@@@@@@@@" in told


def test_classes_with_names_have_them():
    names = ["T-shirt/top", *["Coat"] * 9]
    told = text(answer_of(1.0, *[0.0] * 9), names=names)
    assert "taken for T-shirt/top" in told
    assert "Draw something" in told


def test_before_anything_is_drawn_it_says_how_and_after_that_it_waits():
    assert "draw here: with the mouse," in text(is_drawn=False)
    assert "nothing is drawn yet" in text(SEVEN, is_drawn=False)
    assert "asking ..." in text()


def test_a_problem_takes_the_place_of_the_answer():
    told = text(Answer(problem="a drawing cannot be shown to the model 'airliner'."))
    assert "airliner" in told
    assert "%" not in told


def processes_of(directory):
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if {"engines.inference", str(directory)} <= {*(process.info["cmdline"] or ())}
    ]


def test_a_digit_is_drawn_by_key_and_by_mouse_and_told_of_and_nothing_is_left_behind(finished_run):
    async def steps(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await pilot.press("e")
        await until_seen(pilot, "nothing is drawn yet")
        await pilot.press("space", *["down"] * 5)
        await until_seen(pilot, "checkpoint: epoch 3, step 45")
        assert "taken for" in seen(pilot)
        assert len(processes_of(finished_run)) == 1
        by_key = pilot.app.screen._canvas.pixels
        await pilot.press("n")
        await until_seen(pilot, "nothing is drawn yet")
        sheet = sheet_region(*pilot.app.screen._picture.size)
        await pilot.mouse_down("_EaselPicture", offset=(sheet.x + 3, sheet.y + 3))
        await pilot.hover("_EaselPicture", offset=(sheet.x + 20, sheet.y + 9))
        await pilot.mouse_up("_EaselPicture", offset=(sheet.x + 20, sheet.y + 9))
        await until_seen(pilot, "taken for")
        by_mouse = pilot.app.screen._canvas.pixels
        assert sum(value > 0 for value in by_mouse) > sum(value > 0 for value in by_key)
        await pilot.hover("_EaselPicture", offset=(sheet.x + 3, sheet.y + 12))
        assert pilot.app.screen._canvas.pixels == by_mouse
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await until(pilot, lambda: not processes_of(finished_run))

    app = app_of(RunStore(finished_run.parent), attach=finished_run)
    drive(app, steps)
    assert app.crash is None


def test_a_run_without_a_checkpoint_says_so_and_leaving_at_once_does_no_harm(store):
    directory = store.create(spec_of())

    async def steps(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await pilot.press("e", "space")
        await until_seen(pilot, "no checkpoint yet")
        await pilot.press("escape", "e", "escape", "e", "q")

    app = app_of(RunStore(directory.parent), attach=directory)
    drive(app, steps, (120, 40))
    assert app.crash is None
    assert not processes_of(directory)
