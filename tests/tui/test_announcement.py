import pytest
from piloted import app_of, drive, until, until_seen
from views import batch, epoch_ended, finished, phase, started, view_of

from engines import control
from engines.spec import RunSpec
from tui.announcement import alert_bytes, end_of, title_of

IN_TRAINING = (phase(), started(), batch(1, 50), epoch_ended(1, test=0.979), batch(2, 50))


@pytest.mark.parametrize(
    ("view", "title"),
    [
        (view_of(*IN_TRAINING), "30 % lenet mnist, 97.9 %"),
        (view_of(*IN_TRAINING, status="paused"), "‖ 30 % lenet mnist, 97.9 %"),
        (view_of(phase(state="started")), "lenet mnist"),
        (view_of(*IN_TRAINING, finished(), status="completed"), "✓ lenet mnist, 98.9 %"),
        (view_of(*IN_TRAINING, finished(), phase(state="started")), "lenet mnist, 97.9 %"),
        (view_of(*IN_TRAINING, status="crashed"), "✗ lenet mnist, 97.9 %"),
    ],
)
def test_a_title_says_how_far_and_how_well(view, title):
    assert title_of(view) == title


def test_the_end_of_a_run_is_said_in_words():
    assert end_of(view_of(*IN_TRAINING, finished(), status="completed")) == "lenet mnist completed, 98.9 %"


def test_names_of_a_run_never_reach_the_terminal_as_a_command():
    odd = view_of(spec=RunSpec(model="\x1b]0;x\x07[b]", dataset="\x9d" * 200))
    assert title_of(odd).isprintable()
    assert len(title_of(odd)) <= 80
    assert alert_bytes("notification", "\x1b[2J\x07x") == "\x1b]9;mnist-tui: \ufffdx\x07"


def test_the_end_is_told_as_was_chosen():
    assert alert_bytes("bell", "x") == "\x07"
    assert alert_bytes("off", "x") == ""


@pytest.mark.parametrize(("term", "is_told"), [("xterm-256color", True), ("linux", False)])
def test_a_run_that_ends_while_it_is_watched_is_told_outside_of_the_screen(store, monkeypatch, term, is_told):
    monkeypatch.setenv("TERM", term)
    written = []

    async def steps(pilot):
        monkeypatch.setattr(pilot.app._driver, "write", written.append)
        await pilot.press("b")
        await until(pilot, lambda: " % nn digits" in pilot.app.title)
        control.ask(store.directories()[0], "stop")
        await until(pilot, lambda: pilot.app.title.startswith("■ nn digits"))
        await until(pilot, lambda: not is_told or "\x1b]9;" in told())
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.title == "mnist-tui")

    def told():
        return "".join(text for text in written if text.startswith("\x1b]"))

    drive(app_of(store, start=True, asked={"epochs": 100_000}), steps)
    assert ("\x1b]9;mnist-tui: nn digits stopped" in told()) is is_told
    assert ("\x1b]2;■ nn digits" in told()) is is_told


def test_a_new_title_draws_nothing_of_the_screen_again(store, monkeypatch):
    drawn = []

    async def steps(pilot):
        await until_seen(pilot, "framework")
        monkeypatch.setattr(pilot.app.screen, "refresh", lambda *_, **how: drawn.append(how))
        pilot.app.title = "62 % lenet mnist"
        assert not drawn  # Looked at before the screen may have reasons of its own.
        monkeypatch.undo()

    drive(app_of(store), steps)
