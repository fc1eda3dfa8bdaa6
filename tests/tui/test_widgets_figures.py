from math import nan

import pytest
from msgspec.structs import replace
from views import BEGAN, RUN_ID, batch, epoch_ended, finished, phase, started, telemetry, text_of, view_of

from engines.events import CheckpointSaved, ControlApplied, Gpu, Log, RunError
from engines.run_state import LOG_LINES
from engines.spec import RunSpec
from tui.lines import plain
from tui.widgets.header_pane import draw_header
from tui.widgets.log_pane import LogPane
from tui.widgets.machine_pane import draw_machine, draw_sparkline
from tui.widgets.network_pane import draw_network
from tui.widgets.phases_pane import draw_phases
from tui.widgets.progress_pane import draw_outcome, draw_progress
from tui.widgets.results_pane import ResultsPane, draw_epochs, draw_summary
from tui.widgets.tabs_pane import draw_tabs

WIDTHS = [58, 78, 118, 198]
IN_TRAINING = (phase(), started(), batch(1, 50), epoch_ended(1), batch(2, 25, rate=9481.0))


def test_a_run_whose_record_lists_no_tensors_has_none():
    lines = draw_network(view_of(replace(started(), parameters=[])), 78, 10)
    assert text_of(lines, 78) == "batch 32, Adam, lr 0.001, seed 0"


def test_a_figure_that_was_no_finite_number_is_a_dash():
    epoch = replace(epoch_ended(1), seconds=None, train_seconds=None, evaluate_seconds=0.5, images_per_second=None)
    lost = replace(batch(2, 25), images_per_second=None, lr=None)
    told = (replace(phase("import"), seconds=None), started(), epoch, lost, telemetry(cpu=None))
    view = view_of(*told)
    assert "left -" in text_of(draw_progress(view, 118), 118)
    machine = text_of(draw_machine(view, 118, 30), 118)
    assert "cpu      - " in machine
    assert "speed    - " in machine
    assert text_of(draw_phases(view, 118), 118).splitlines()[0].split()[:3] == ["✓", "import", "-"]
    assert text_of(draw_epochs([epoch], epoch, 118), 118).split()[-2:] == ["-", "-"]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_header_says_what_is_trained_on_what_and_how_it_stands(width):
    text = text_of(draw_header(view_of(*IN_TRAINING), width), width)
    assert "PyTorch lenet on MNIST" in text
    assert "● running" in text
    assert "CPU only: AMD EPYC, 1 thread" in text


def test_a_name_from_a_file_never_reaches_the_terminal_as_a_command():
    spec = RunSpec(model="\x1b[2J[b]odd", dataset="\x1b]0;owned\x07")
    text = text_of(
        draw_header(view_of(spec=spec), 78) + draw_progress(view_of(phase("build", "started"), spec=spec), 78), 78
    )
    assert "PyTorch [b]odd on" in text
    assert "building [b]odd" in text
    assert text.replace("\n", "").isprintable()


def test_a_gpu_is_called_by_its_name():
    assert "NVIDIA H100 (cuda:0)" in text_of(draw_header(view_of(started(device="NVIDIA H100 (cuda:0)")), 78), 78)


def test_a_run_that_never_said_a_word_is_not_said_to_have_done_so_just_now():
    text = text_of(draw_header(view_of(status="stalled"), 78), 78)
    assert "stalled" in text
    assert "nothing new" not in text


def test_a_clock_that_was_put_back_takes_no_silence_away():
    view = view_of(*IN_TRAINING, status="stalled", now=BEGAN - 3_600)
    assert "nothing new for 1:00:00" in text_of(draw_header(view, 78), 78)


def test_a_run_that_says_nothing_more_says_since_when():
    text = text_of(draw_header(view_of(*IN_TRAINING, status="stalled"), 78), 78)
    assert "○ stalled, nothing new for 1:40" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_progress_says_how_far_how_fast_and_how_long(width):
    lines = draw_progress(view_of(*IN_TRAINING), width)
    text = text_of(lines, width)
    assert len(lines) == 2
    for words in ("epoch 2 of 5", "25 %", "9,481 images/s", "left 0:24"):
        assert words in text
    if width >= 78:
        assert "step 25 of 100" in text
        assert "elapsed 1:40" in text


def test_with_a_budget_progress_is_that_of_the_time_which_is_spent():
    spent = replace(batch(2, 25), trained_seconds=18.0)
    view = view_of(phase(), started(epochs=None, budget=60.0), replace(epoch_ended(1), epochs=9), spent)
    text = text_of(draw_progress(view, 118), 118)
    for words in ("epoch 2 of 9", "30 %", "left 0:42"):
        assert words in text


def test_before_the_first_step_progress_says_what_is_waited_for():
    assert "importing PyTorch" in text_of(draw_progress(view_of(phase(state="started", done=0)), 78), 78)


def test_while_a_run_that_goes_on_gets_ready_nothing_is_said_of_the_attempt_before():
    ended = (*IN_TRAINING, finished())
    getting_ready = text_of(draw_progress(view_of(*ended, phase(state="started", done=0)), 78), 78)
    assert "importing PyTorch" in getting_ready
    assert "epoch" not in getting_ready
    again = replace(started(epochs=9), attempt=2, epochs_done=1, steps_done=25)
    going_on = (*ended, phase(), again, phase("train", "started"))
    assert "epoch 2 of 9" in text_of(draw_progress(view_of(*going_on), 78), 78)


def test_a_completed_run_says_what_came_out_in_two_lines():
    ended = replace(finished(), seq=5, time=BEGAN + 31.2)
    text = text_of(draw_outcome(view_of(*IN_TRAINING, ended, status="completed"), 78), 78)
    assert "test accuracy 98.91 %  loss 0.0345  train 99.32 %  best epoch 4, 98.95 %" in text
    assert "completed after 5 epochs in 31.2 s" in text


def test_what_a_run_took_is_what_all_its_attempts_took_and_nothing_between_them():
    attempts = (
        replace(phase(state="started", done=0), seq=0, time=BEGAN),
        replace(started(), seq=1, time=BEGAN + 2),
        replace(finished(state="stopped"), seq=2, time=BEGAN + 10),
        replace(phase(state="started", done=0), seq=3, time=BEGAN + 5_000),
        replace(started(), seq=4, time=BEGAN + 5_001),
    )
    assert view_of(*attempts, now=BEGAN + 5_003).elapsed == 13
    view = view_of(*attempts, replace(finished(), seq=5, time=BEGAN + 5_005), status="completed")
    assert "completed after 5 epochs in 15.0 s" in text_of(draw_outcome(view, 78), 78)
    assert "5 epochs in 15.0 s" in text_of(draw_summary(view, 100), 100)


def test_a_summary_has_figures_and_the_command_that_goes_on():
    text = text_of(draw_summary(view_of(*IN_TRAINING, finished(), status="completed"), 100), 100)
    for words in ("98.91 %, loss 0.0345", "99.32 %, loss 0.0212", "4, 98.95 %", "--no-ui --continue-from"):
        assert words in text


def go_on_of(view):
    """Give the command that the summary of `view` names."""
    return " ".join(text_of(draw_summary(view, 200), 200).partition("go on")[2].split())


@pytest.mark.parametrize(
    ("epochs_done", "status", "more"),
    [(5, "completed", " --epochs 5"), (4, "completed", " --epochs 5"), (4, "stopped", "")],
    ids=["all", "its target reached", "stopped"],
)
def test_the_command_that_goes_on_asks_for_more_where_all_is_done(epochs_done, status, more):
    epochs = [epoch_ended(at) for at in range(1, epochs_done + 1)]
    view = view_of(*IN_TRAINING, *epochs, finished(status), status=status)
    assert go_on_of(view) == f"mnist-tui --runs-dir /runs --no-ui --continue-from {RUN_ID}{more}"


def test_the_command_that_goes_on_names_no_folder_where_runs_lie_as_usual(monkeypatch):
    monkeypatch.setenv("MNIST_TUI_RUNS_DIR", "/runs")
    view = view_of(*IN_TRAINING, finished("stopped"), status="stopped")
    assert go_on_of(view) == f"mnist-tui --no-ui --continue-from {RUN_ID}"


def test_a_failed_run_says_why_what_to_do_and_the_last_words():
    error = RunError(kind="non-finite-loss", message="the loss is nan.", hint="Lower --lr.")
    figures = dict.fromkeys(("train_accuracy", "train_loss", "test_accuracy", "test_loss"))
    view = view_of(*IN_TRAINING, finished("failed", error, **figures), status="failed", log_lines=("Boom [/x] [TODO]",))
    for drawn in (draw_summary(view, 78), draw_outcome(view, 78)):
        assert "the loss is nan." in text_of(drawn, 78)
        assert "Lower --lr." in text_of(drawn, 78)
    text = text_of(draw_summary(view, 78), 78)
    assert "Boom [/x] [TODO]" in text
    assert "--no-ui --continue-from" in text


def test_a_reason_that_there_is_no_room_for_says_that_it_goes_on():
    error = RunError(
        kind="x", message="the loss is nan. No checkpoint was saved yet.", hint="Lower --lr, or --clip it."
    )
    view = view_of(*IN_TRAINING, finished("failed", error), status="failed")
    first, second = text_of(draw_outcome(view, 24), 24).splitlines()
    assert first == "failed: the loss is nan…"
    assert second == "Lower --lr, or --clip i…"
    crashed = view_of(*IN_TRAINING, status="crashed", death="it was killed by SIGKILL")
    assert text_of(draw_outcome(crashed, 20), 20).splitlines()[0] == "crashed: it was kil…"


def test_a_crashed_run_says_how_its_worker_ended():
    view = view_of(*IN_TRAINING, status="crashed", death="it was killed by SIGKILL", log_lines=("last",))
    assert "it was killed by SIGKILL" in text_of(draw_outcome(view, 78), 78)
    text = text_of(draw_summary(view, 78), 78)
    assert "it was killed by SIGKILL" in text
    assert "--continue-from" in text


def test_a_run_whose_folder_is_gone_is_not_offered_to_go_on():
    view = view_of(*IN_TRAINING, status="crashed", death="its folder is gone from /runs", is_gone=True)
    text = text_of(draw_outcome(view, 78), 78)
    assert "its folder is gone from /runs" in text
    assert "last words" not in text
    text = text_of(draw_summary(view, 78), 78)
    assert "its folder is gone from /runs" in text
    assert "--continue-from" not in text


def test_the_table_of_epochs_marks_the_best_and_keeps_the_newest():
    epochs = [epoch_ended(at, test=0.9 if at != 4 else 0.99) for at in range(1, 9)]
    lines = text_of(ResultsPane(5).draw_body(view_of(started(), *epochs), 78, 7), 78).splitlines()
    assert lines[0].split()[:4] == ["epoch", "train", "test", "gap"]
    assert [line.split()[0] for line in lines[1:]] == ["3", "◆", "5", "6", "7", "8"]


def shown_of(pane, view, height=7):
    """Give the first word of each row that a pane shows, and what its title says of the others."""
    lines = text_of(pane.draw_body(view, 78, height), 78).splitlines()
    return [line.split()[0] for line in lines[1:]], plain(pane.legend(view, 60))


def test_older_epochs_are_gone_back_to_and_stand_still_while_new_ones_come():
    pane, epochs = ResultsPane(5), [epoch_ended(at, test=0.8 + at / 1000) for at in range(1, 12)]
    view = view_of(started(), *epochs[:10])
    assert shown_of(pane, view, height=12)[1] == ""
    assert shown_of(pane, view) == (["5", "6", "7", "8", "9", "◆"], "↑↓ 4 above")
    pane.move_rows(-1)
    assert shown_of(pane, view) == (["4", "5", "6", "7", "8", "9"], "↑↓ 3 above, 1 below")
    assert shown_of(pane, view_of(started(), *epochs)) == (["4", "5", "6", "7", "8", "9"], "↑↓ 3 above, 2 below")
    pane.move_pages(-1)
    assert shown_of(pane, view_of(started(), *epochs)) == (["1", "2", "3", "4", "5", "6"], "↑↓ 5 below")
    pane.move_pages(1)
    assert shown_of(pane, view_of(started(), *epochs))[1] == "↑↓ 5 above"


def test_a_pane_with_room_for_no_row_is_gone_back_in_without_harm():
    pane, view = ResultsPane(5), view_of(started(), *map(epoch_ended, range(1, 4)))
    for by in (-1, -5, 9):
        assert shown_of(pane, view, height=1)[0] == []
        pane.move_rows(by)
        pane.move_pages(by)


def test_a_table_leaves_columns_out_whole():
    narrow = text_of(draw_epochs([epoch_ended(1)], None, 40), 40)
    assert narrow.splitlines()[0].split() == ["epoch", "train", "test", "gap"]


def test_phases_show_what_is_done_what_is_on_and_what_is_ahead():
    view = view_of(phase(), started(), phase("train", "progress", 1, 5, "epochs", seconds=12.0), epoch_ended(1))
    lines = text_of(draw_phases(view, 60), 60).splitlines()
    assert lines[0].split()[:4] == ["✓", "import", "1.71", "s"]
    assert lines[3].startswith("▸ train")
    assert "1 of 5 epochs" in lines[3]
    assert lines[4] == "· save"


def test_one_thing_that_a_phase_did_is_not_called_several():
    saved = view_of(phase("save", "finished", 1, 1, "checkpoints"))
    assert plain(draw_phases(saved, 60)[4]).rstrip().endswith("  1 checkpoint")
    training = view_of(started(epochs=1), phase("train", "progress", 0, 1, "epochs"))
    assert "0 of 1 epoch " in plain(draw_phases(training, 60)[3])


def test_a_phase_that_is_on_grows_older_and_one_that_broke_off_does_not():
    on = view_of(phase("train", "started", 0, 5, "epochs", seconds=0.0))
    assert "1:40" not in text_of(draw_phases(on, 60), 60)
    assert "100.0 s" in text_of(draw_phases(on, 60), 60)
    broken = text_of(draw_phases(view_of(phase("train", "started", 0, seconds=3.0), status="crashed"), 60), 60)
    assert "✗ train" in broken
    assert "3.00 s" in broken


def test_the_network_lists_every_tensor_and_the_settings():
    text = text_of(draw_network(view_of(started(batch_size=64)), 58, 10), 58)
    assert "conv1.weight" in text
    assert "6x1x5x5" in text
    assert "batch 64, Adam, lr 0.001, seed 0" in text
    assert "and 2 more" in text_of(draw_network(view_of(started()), 58, 2), 58)


def test_the_machine_says_plainly_that_there_is_no_gpu():
    text = text_of(draw_machine(view_of(started(), batch(), telemetry()), 58, 12), 58)
    assert "143 % of a core" in text
    assert "512 MiB" in text
    assert "none in this machine" in text
    assert "time" not in text


def test_a_device_that_is_not_chosen_yet_is_called_a_device_once():
    line = text_of(draw_machine(view_of(telemetry()), 58, 12), 58).splitlines()[0]
    assert line.split() == ["device", "auto,", "not", "chosen", "yet"]


H100 = {"name": "NVIDIA H100", "utilization": 0.45, "memory_used": 3 << 30, "memory_total": 80 << 30}


def test_a_gpu_shows_what_it_can_tell_and_no_number_where_there_is_none():
    gpu = Gpu(**H100, temperature=41.0, power=None, memory_run=2 << 30)
    view = view_of(started(), telemetry(gpus=[gpu]))
    assert "45 % busy  3.0 GiB of 80.0 GiB  2.0 GiB of it  41 °C  NVIDIA H100" in text_of(draw_machine(view, 78, 6), 78)
    text = text_of(draw_machine(view, 78, 20), 78)
    for words in ("use     45 % busy", "this run", "2.0 GiB of it", "heat", "41 °C"):
        assert words in text
    assert "power" not in text
    assert "none" not in text


def test_a_gpu_has_a_line_of_its_last_minutes_with_gaps_where_it_was_silent():
    silent = Gpu(name="T4", utilization=None, memory_used=None, memory_total=None, temperature=None, power=None)
    full = Gpu(**H100 | {"utilization": 0.9}, temperature=41.0, power=300.0)
    half = Gpu(**H100, temperature=41.0, power=150.0)
    view = view_of(started(), *(telemetry(gpus=gpus) for gpus in ([full], [silent], [], [half])))
    text = text_of(draw_machine(view, 78, 20), 78)
    assert "45 % busy         ▇  ▄" in text
    assert "150 W             ▇  ▄" in text


def test_where_the_time_goes_is_what_was_measured():
    epoch = replace(epoch_ended(1), evaluate_seconds=0.5)
    saved = CheckpointSaved(path="checkpoints/x", epoch=1, step=100, kind="last", seconds=1.5)
    events = (phase(), phase("data", seconds=2.0), started(), batch(), epoch, saved, telemetry())
    text = text_of(draw_machine(view_of(*events), 78, 20), 78)
    assert "60 ms a step, 0.50 s an evaluation" in text
    for words in ("compute       6.00 s", "data          2.00 s", "evaluation    0.50 s", "checkpoints   1.50 s"):
        assert words in text
    assert "51.2 %" in text
    short = text_of(draw_machine(view_of(*events), 78, 6), 78)
    assert "time     compute 51 %  data 17 %  start 15 %  checkpoints 13 %  evaluation 4 %" in short


def test_of_an_epoch_that_ended_in_its_middle_a_step_takes_what_it_takes_in_a_whole_one():
    half = replace(epoch_ended(1), part=0.5)
    text = text_of(draw_machine(view_of(phase(), started(), half, telemetry()), 78, 20), 78)
    assert "120 ms a step" in text


def test_of_a_record_without_such_times_no_share_is_made_up():
    text = text_of(draw_machine(view_of(phase(), started(), epoch_ended(1), telemetry()), 78, 20), 78)
    assert "evaluation" not in text
    assert "60 ms a step" in text


@pytest.mark.parametrize(
    ("values", "line"),
    [([0, 1, 2, 7], "▁▂▃▇"), ([5.0, nan, 5.0], "▇ ▇"), ([], ""), ([0, 0], "▁▁"), ([9, 9, 9, 0, 1, 2, 7], "▁▂▃▇")],
)
def test_a_sparkline_shows_the_last_values_between_zero_and_the_greatest(values, line):
    assert draw_sparkline(values, 4) == line


def test_the_log_shows_what_happened_and_what_the_framework_printed():
    view = view_of(
        Log(level="warning", message="A damaged checkpoint was passed over"),
        ControlApplied(action="pause", value=None, by="ann@box"),
        CheckpointSaved(path="checkpoints/x", epoch=1, step=1875, kind="best"),
        log_lines=("oneDNN custom operations are on. " * 4, "[/bold] stays"),
    )
    text = text_of(LogPane(9).draw_body(view, 60, 12), 60)
    for words in (
        "A damaged checkpoint",
        "paused, asked by ann@box",
        "saved (best): epoch 1, step 1,875",
        "[/bold] stays",
    ):
        assert words in text
    assert len(text_of(LogPane(9).draw_body(view, 60, 4), 60).splitlines()) <= 4
    assert "nothing has been said yet" in text_of(LogPane(9).draw_body(view_of(), 60, 4), 60)


def test_the_log_is_gone_back_through_to_its_first_line():
    events = [Log(level="info", message=f"line {at}") for at in range(30)]
    pane, view = LogPane(9), view_of(*events, log_lines=("printed",) * 3)
    assert "line 29" in text_of(pane.draw_body(view, 60, 8), 60)
    pane.move_pages(-9)
    lines = text_of(pane.draw_body(view, 60, 8), 60).splitlines()
    assert [line.split()[-1] for line in lines] == [str(at) for at in range(8)]
    assert plain(pane.legend(view, 60)) == "↑↓ 25 below"


def test_lines_of_the_log_that_were_gone_back_to_stand_still_while_the_oldest_go_and_at_another_width():
    def words_of(view, width=40):
        return text_of(pane.draw_body(view, width, 8), width).split()

    lines = [Log(level="info", message=f"line {at} " + "more " * (at % 3) * 6) for at in range(LOG_LINES + 20)]
    pane = LogPane(9)
    full, later = view_of(*lines[:LOG_LINES]), view_of(*lines)
    pane.draw_body(full, 40, 8)
    pane.move_rows(-150)
    shown = words_of(full)
    assert words_of(later) == shown
    last = [word for word in shown if word.isdigit()][-1]
    assert [word for word in words_of(later, width=80) if word.isdigit()][-1] == last
    pane.move_rows(-LOG_LINES)
    assert "20" in words_of(later, width=80)


@pytest.mark.parametrize("width", [58, 78, 118])
def test_the_tabs_name_the_chosen_pane_at_any_width(width):
    line = draw_tabs(["accuracy", "samples"], "samples", width)
    text_of([line], width)
    assert "[3" in plain(line)
    assert "samples]" in plain(line)
    assert "9" in plain(line)
