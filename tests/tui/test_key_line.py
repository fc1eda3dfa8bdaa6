from piloted import app_of, drive, seen, until, until_seen

from tui.lines import plain
from tui.screens.runs import RunsScreen
from tui.widgets.key_line import Label, fit_labels


def last_line(pilot):
    return seen(pilot).splitlines()[-1]


def test_it_names_the_keys_that_work_each_action_once(finished_run, store):
    async def steps(pilot):
        await until(pilot, lambda: "enter start f framework m model d dataset" in last_line(pilot))
        assert "q leave ? help" in last_line(pilot)
        assert last_line(pilot).count("leave") == 1
        assert "alive" not in last_line(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "/ filter" in last_line(pilot))

    drive(app_of(store), steps)


def test_while_words_are_typed_it_names_what_is_no_letter_of_them(finished_run, store):
    async def steps(pilot):
        await pilot.press("r")
        await until(pilot, lambda: "enter open" in last_line(pilot))
        assert "esc" not in last_line(pilot)
        await pilot.press("slash", *"q/")
        await until(pilot, lambda: last_line(pilot).strip() == "enter to the table esc no filter")
        await until_seen(pilot, "No run has all these words")
        await pilot.press("enter")
        await until(pilot, lambda: "enter open" in last_line(pilot) and "esc no filter" in last_line(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "/ filter" in last_line(pilot) and "esc" not in last_line(pilot))
        assert isinstance(pilot.app.screen, RunsScreen)

    drive(app_of(store), steps, (120, 24))


def test_it_follows_what_works(live_run, store):
    async def steps(pilot):
        await until(pilot, lambda: "s stop p pause c checkpoint" in last_line(pilot))
        live_run.process.kill()
        await until(pilot, lambda: last_line(pilot).startswith("c continue f framework"))

    drive(app_of(store, attach=live_run.run_directory), steps)


def test_a_click_on_a_name_presses_its_key(store):
    async def steps(pilot):
        await until_seen(pilot, "r runs")
        await pilot.click("KeyLine", offset=(last_line(pilot).index("r runs") + 3, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen))

    drive(app_of(store), steps)


def test_what_does_not_fit_is_left_out_whole_but_never_the_way_out_and_help(store, finished_run):
    async def steps(pilot):
        await until(pilot, lambda: last_line(pilot).startswith("enter start f framework"))
        assert last_line(pilot).rstrip().endswith("d dataset q leave ? help")
        await pilot.press("r")
        await until(pilot, lambda: "/ filter" in last_line(pilot))
        assert last_line(pilot).rstrip().endswith("q leave ? help")
        assert "delete" not in last_line(pilot)

    drive(app_of(store), steps, (60, 16))


def test_a_key_that_does_not_work_now_is_left_out_first():
    labels = [Label([(f"{key} word ", "text")], key if key != "b" else "", key == "q") for key in "abcq"]
    assert [plain(label.line) for label in fit_labels(labels, 28)] == ["a word ", "b word ", "c word ", "q word "]
    assert [plain(label.line) for label in fit_labels(labels, 27)] == ["a word ", "c word ", "q word "]
    assert [plain(label.line) for label in fit_labels(labels, 20)] == ["a word ", "q word "]
    assert [plain(label.line) for label in fit_labels(labels, 3)] == ["q word "]
