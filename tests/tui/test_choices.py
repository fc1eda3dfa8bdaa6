import pytest
from piloted import app_of, drive, until, until_seen

from engines.spec import RunSpec
from tui import choices, training, ui_log
from tui.choices import Choices
from tui.cli import command_line
from tui.screens.monitor import MonitorScreen


def test_what_was_chosen_is_there_the_next_time():
    chosen = Choices(
        theme="light", image_style="braille", log_scale=True, smoothing=0.9, pane="loss", alert="off", epochs=7
    )
    choices.save(chosen)
    assert choices.load() == chosen
    assert choices.path().stat().st_mode & 0o777 == 0o600
    assert choices.path().parent.stat().st_mode & 0o777 == 0o700
    choices.save(Choices(epochs=8))
    assert choices.load() == Choices(epochs=8)


def test_without_a_file_everything_is_as_it_always_was():
    assert choices.load() == Choices()
    assert not ui_log.path().exists()


@pytest.mark.parametrize(
    "text", ["", "{", '{"theme": 3}', '{"image_style": "neon"}', '{"smoothing": 1}', "[1]", "\x00" * 100, "[" * 90_000]
)
def test_a_damaged_file_is_passed_over_and_the_log_says_so(text):
    choices.path().parent.mkdir(parents=True)
    choices.path().write_text(text)
    assert choices.load() == Choices()
    assert "choices.json is passed over" in ui_log.path().read_text()


def test_what_no_longer_exists_is_not_asked_for():
    known = Choices(framework="torch", model="alexnet", dataset="mnist", epochs=-1)
    assert known.run_options() == {"framework": "torch", "dataset": "mnist"}
    assert Choices(epochs=0).run_options() == {}
    assert Choices(epochs=1).run_options() == {"epochs": 1}
    assert Choices().run_options() == {}


def test_a_place_that_refuses_is_no_more_than_a_line_in_the_log():
    choices.path().mkdir(parents=True)
    choices.save(Choices())
    assert "choices.json cannot be written" in ui_log.path().read_text()


def test_where_not_even_the_log_can_be_written_nothing_is_remembered():
    choices.path().parent.parent.mkdir(parents=True, exist_ok=True)
    choices.path().parent.write_text("a file in the way")
    choices.save(Choices(epochs=8))
    assert choices.load() == Choices()


def test_only_some_options_of_a_run_are_remembered_and_no_rehearsal():
    chosen = Choices()
    chosen.remember(RunSpec(framework="tensorflow", lr=0.5), "framework")
    chosen.remember(RunSpec(framework="tensorflow", lr=0.5), "lr")
    chosen.remember(RunSpec(framework="rehearsal", model="nn"), "model")
    assert chosen == Choices(framework="tensorflow")


@pytest.mark.parametrize(
    ("arguments", "framework", "epochs"),
    [
        ([], "tensorflow", 9),
        (["-f", "torch"], "torch", 9),
        (["--epochs", "2"], "tensorflow", 2),
        (["--budget", "9s"], "tensorflow", None),
        (["--start"], "torch", 5),
    ],
)
def test_options_of_the_command_line_win(arguments, framework, epochs, monkeypatch):
    choices.save(Choices(framework="tensorflow", epochs=9))
    forms = []
    monkeypatch.setattr(training, "require_terminal", lambda: None)
    monkeypatch.setattr(training, "open_app", lambda _, form, **__: forms.append(form) or 0)
    with command_line.make_context("mnist-tui", ["-d", "digits", *arguments]) as context:
        command_line.invoke(context)
    assert (forms[0].framework, forms[0].epochs) == (framework, epochs)


def test_the_screens_look_as_they_were_left(store, finished_run):
    chosen = Choices()

    async def change(pilot):
        await pilot.press("t", "b", "i")
        pilot.app.open_run(finished_run)
        await until_seen(pilot, "completed")
        await pilot.press("l", "2")

    async def see(pilot):
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await until_seen(pilot, "log scale")
        assert not pilot.app.current_theme.dark

    drive(app_of(store, choices=chosen), change)
    assert chosen == Choices(theme="light", alert="notification", image_style="braille", log_scale=True, pane="loss")
    drive(app_of(store, choices=chosen, attach=finished_run), see)


def test_what_the_form_is_changed_to_is_remembered(store):
    chosen = Choices()

    async def steps(pilot):
        await pilot.press("f", "m", "d", "down", "6", "down", "down", "8")

    drive(app_of(store, choices=chosen), steps)
    assert chosen.run_options() == {"framework": "torch", "model": "lenet", "dataset": "mnist", "epochs": 6}
