from dataclasses import replace

import pytest
from rows import row_of

from engines.spec import RunSpec
from tui.lines import plain, width_of
from tui.run_rows import COLUMNS, Look, column_at, columns_for, heading_line, in_order, matching, run_lines, summary_of

NOW = 1_000_000.0
NUMBERS = {"epochs", "best", "took", "an epoch", "started", "lr", "batch", "seed"}


def run_of(run_id, *, best=None, name="", tags=(), state="completed", **spec):
    named = {"name": name, "tags": tags, "state": state, "spec": RunSpec(**spec)}
    figures = {
        "epochs_done": 3,
        "started": NOW - 300,
        "seconds": 12.5,
        "epoch_seconds": 4.1,
        "best_test_accuracy": best,
    }
    return row_of(run_id, **named, **figures)


RUNS = [
    run_of("c", best=0.97, model="nn", state="queued"),
    run_of("b", best=0.99, framework="tensorflow", name="The Good One", tags=("sweep",)),
    run_of("a", dataset="digits", state="running"),
]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", "cba"),
        ("  tensor ", "b"),
        ("torch", "ca"),
        ("TORCH nn", "c"),
        ("good #sweep", "b"),
        ("digits nn", ""),
        ("alive", "a"),
        ("sweep", "b"),
        ("ensor", ""),
        ("queued", "c"),
    ],
)
def test_all_words_must_stand_in_a_run(words, found):
    assert "".join(run.run_id for run in matching(RUNS, words)) == found


@pytest.mark.parametrize(
    ("column", "is_descending", "order"),
    [
        ("started", True, "cba"),
        ("started", False, "abc"),
        ("best", True, "bca"),
        ("best", False, "cba"),
        ("trains", False, "bac"),
        ("name", False, "bca"),
        ("run", False, "abc"),
    ],
)
def test_what_has_no_value_is_last_either_way(column, is_descending, order):
    assert "".join(run.run_id for run in in_order(RUNS, column, is_descending=is_descending)) == order


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
def test_every_column_sorts(column):
    assert len(in_order(RUNS, column, is_descending=True)) == len(RUNS)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200, 300])
def test_every_line_fills_its_width(width):
    look = Look(chosen="b", marked={"a"}, column="best")
    for line in [heading_line(look, width), *run_lines(RUNS, look, NOW, width)]:
        assert width_of(line) == width


def test_what_is_known_is_said_and_told_apart_without_colour():
    look = Look(chosen="b", marked={"a"}, column="best")
    queued, done, alive = map(plain, run_lines(RUNS, look, NOW, 120))
    assert "best ▾" in plain(heading_line(look, 120))
    assert "best ▴" in plain(heading_line(replace(look, is_descending=False), 120))
    assert [text.strip() for text, role in heading_line(look, 120) if role == "chosen"] == ["best ▾"]
    for words in ("✓ completed", "tensorflow lenet mnist", "The Good One #sweep", "3/5", "99.00 %", "5 min ago"):
        assert words in done
    assert alive.startswith("◆ ▶ running")
    assert "… queued" in queued


def cells_of(run, width=230):
    [line], cells, begin = map(plain, run_lines([run], Look(), NOW, width)), {}, 2
    for column, wide in columns_for(width):
        cells[column.name] = line[begin : begin + wide].strip()
        begin += wide + 2
    return cells


def test_a_wide_table_says_all_that_is_known_of_a_run_and_leaves_empty_what_is_not():
    known = run_of("b-1", best=0.99, name="The Good One", tags=("sweep", "new"), lr=0.01, seed=7, device="cpu")
    assert cells_of(known) == {
        "state": "✓ completed",
        "trains": "torch lenet mnist",
        "name": "The Good One #sweep #new",
        "epochs": "3/5",
        "best": "99.00 %",
        "took": "12.5 s",
        "an epoch": "4.10 s",
        "started": "5 min ago",
        "device": "cpu",
        "lr": "0.01",
        "batch": "32",
        "seed": "7",
        "run": "b-1",
    }
    bare = cells_of(row_of("r", spec=None, state="crashed"))
    assert {bare[name] for name in ("name", "best", "took", "an epoch", "started", "device", "lr", "seed")} == {""}
    assert (bare["state"], bare["run"]) == ("✗ crashed", "r")
    assert cells_of(run_of("t", tags=("sweep", "new")))["name"] == "#sweep #new"
    assert cells_of(run_of("t", tags=("sweep",)), 80)["trains"] == "#sweep  torch lenet mnist"
    assert cells_of(run_of("t"), 80)["trains"] == "torch lenet mnist"


def test_what_is_too_long_for_its_cell_is_cut_to_it_with_a_sign():
    assert cells_of(run_of("t", name="x" * 20, tags=("a" * 9,)))["name"] == "x" * 20 + " #a…"
    assert cells_of(run_of("t", name="x" * 30, tags=("a" * 9,)))["name"] == "x" * 23 + "…"


def test_the_run_under_the_cursor_is_told_apart_in_all_its_line():
    chosen, other = run_lines(RUNS[:2], Look(chosen=RUNS[0].run_id), NOW, 80)
    assert {role for _, role in chosen} == {"call"}
    assert "call" not in {role for _, role in other}


def test_a_name_takes_the_place_of_the_title_where_there_is_no_column_for_it():
    assert "The Good One #sweep" in plain(run_lines(RUNS, Look(), NOW, 80)[1])


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (20, "state trains epochs best"),
        (60, "state trains epochs best"),
        (80, "state trains epochs best started"),
        (120, "state trains name epochs best took started"),
        (140, "state trains name epochs best took an epoch started seed"),
        (230, "state trains name epochs best took an epoch started device lr batch seed run"),
    ],
)
def test_columns_are_given_up_where_there_is_no_room_the_least_needed_first(width, names):
    shown = columns_for(width)
    assert " ".join(column.name for column, _ in shown) == names
    assert {column.name: wide for column, wide in shown}["trains"] == (31 if width > 60 else max(17, width - 35))


@pytest.mark.parametrize("width", [80, 200])
def test_numbers_end_below_the_end_of_their_heading_and_words_begin_below_its_beginning(width):
    heading, line = plain(heading_line(Look(column="run"), width)), plain(run_lines(RUNS, Look(), NOW, width)[1])
    begin = 2
    for column, wide in columns_for(width):
        edge = begin + wide - 1 if column.name in NUMBERS else begin
        assert " " not in (heading[edge], line[edge])
        begin += wide + 2


@pytest.mark.parametrize("width", [80, 200])
def test_a_heading_is_found_where_it_stands(width):
    line = plain(heading_line(Look(column="run"), width))
    for column, _ in columns_for(width):
        assert column_at(line.index(column.name), width) == column.name
    assert column_at(0, width) is None


def test_hostile_names_take_no_more_than_their_cells():
    wide = run_of("w", name="漢" * 60, tags=("ü" * 30,))
    assert all(width_of(line) == 80 for line in run_lines([wide], Look(), NOW, 80))


def test_all_runs_are_summed_up():
    assert summary_of(RUNS, None) == "3 runs, 1 alive, 1 waiting"
    assert summary_of(RUNS[1:2], 0) == "1 run, 0 alive, 0 shown"
