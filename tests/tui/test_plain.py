import pytest
from rows import row_of

from engines.events import EpochEnded, Parameter, RunFinished
from engines.recipes import fill_in
from engines.spec import RunSpec
from tui import plain


def epoch(**figures):
    known = {
        "epoch": 2,
        "epochs": 10,
        "train_loss": 0.25,
        "train_accuracy": 0.9,
        "test_loss": 0.5,
        "test_accuracy": 0.875,
        "seconds": 12.34,
        "images_per_second": 4912.3,
    }
    return EpochEnded(**known | figures, confusion=[], train_seconds=12.0)


def finished(**figures):
    return RunFinished(
        **{
            "state": "completed",
            "epochs": 1,
            "seconds": 61.0,
            "train_accuracy": 0.99,
            "train_loss": 0.01,
            "test_accuracy": 0.98,
            "test_loss": 0.05,
            "best_epoch": 1,
            "best_test_accuracy": 0.98,
            **figures,
        }
    )


@pytest.mark.parametrize(
    ("figures", "line"),
    [
        ({}, "epoch  2/10  test 87.50 % 0.5000  train 90.00 % 0.2500  12.3 s   4,912 img/s"),
        (
            {"epochs": 100, "train_accuracy": 1.0},
            "epoch   2/100  test 87.50 % 0.5000  train 100.0 % 0.2500  12.3 s   4,912 img/s",
        ),
        (
            {"epochs": 100, "validation_accuracy": 0.8},
            "epoch   2/100  test 87.50 % 0.5000  train 90.00 % 0.2500  val 80.00 %  12.3 s",
        ),
        ({"epochs": 1000}, "epoch    2/1000  test 87.50 % 0.5000  train 90.00 % 0.2500  12.3 s"),
    ],
    ids=["10", "100", "validation", "1000"],
)
def test_an_epoch_is_one_line(figures, line):
    assert plain.epoch_line(epoch(**figures)) == line
    assert line.isascii()


@pytest.mark.parametrize("validation", [{}, {"validation_accuracy": 1.0}], ids=["no-validation", "validation"])
@pytest.mark.parametrize("epochs", [9, 10, 100, 1000, 100_000])
@pytest.mark.parametrize("figures", [{"seconds": 36_000, "images_per_second": 123_456.0, "train_loss": 1e12}, {}])
def test_an_epochs_line_fits_eighty_columns_and_ends_alike_in_all_the_run(epochs, validation, figures):
    lines = [plain.epoch_line(epoch(epoch=at, epochs=epochs, **validation, **figures)) for at in (1, epochs)]
    assert all(len(line) <= 80 for line in lines)
    assert len({len(line) for line in lines}) == 1


def test_figures_that_are_not_finite_are_dashes():
    assert "train 90.00 %      -" in plain.epoch_line(epoch(train_loss=None))


def test_an_epoch_in_which_time_ran_out_says_how_much_of_it_was_seen():
    assert plain.epoch_line(epoch(part=0.4)).endswith("12.3 s   40 % of it")
    assert plain.epoch_line(epoch()).endswith("4,912 img/s")


@pytest.mark.parametrize(
    ("asked", "said", "done"),
    [
        ({"epochs": 1}, "1 epoch", "3/1"),
        ({"epochs": 5}, "5 epochs", "3/5"),
        ({"epochs": None, "budget": 60.0}, "60s of training", "3/60s"),
        ({"epochs": 5, "budget": 150.0}, "5 epochs or 2m30s of training", "3/2m30s"),
    ],
)
def test_how_long_a_run_is_to_be_is_said_by_epochs_or_by_time(asked, said, done):
    spec = RunSpec(**asked)
    run = row_of(spec=spec, epochs_done=3)
    assert plain.length_of(spec) == said
    assert plain.done_of(run) == done


@pytest.mark.parametrize(
    ("asked", "wishes"),
    [
        ({"batch_size": 64, "lr": 0.01, "seed": 3, "epochs": 9}, []),
        ({"model": "airnet-s"}, []),
        ({"validation": 5_000, "schedule": "one-cycle"}, ["validation 5000", "one-cycle"]),
        (
            {"patience": 3, "target_accuracy": 0.98, "on_nan": "continue"},
            ["patience 3", "target accuracy 0.98", "on nan continue"],
        ),
        ({"model": "airnet-s", "dataset": "fashion-mnist", "flip": False, "optimizer": "adam"}, ["adam", "no flip"]),
        ({"flip": True, "weight_decay": 1e-5}, ["weight decay 1e-05", "flip"]),
    ],
)
def test_what_is_asked_beyond_the_usual_is_said(asked, wishes):
    assert plain.wishes_of(fill_in(asked)) == wishes


def test_a_summary_says_only_what_there_is():
    assert plain.summary_lines(finished(), "12.5 s") == [
        "test accuracy 98.00 %, test loss 0.0500",
        "train accuracy 99.00 %, train loss 0.0100",
        "best epoch 1, test accuracy 98.00 %, chosen on the test images",
        "completed after 1 epoch, 12.5 s",
    ]
    held_out = finished(chosen_on="validation", best_validation_accuracy=0.97)
    assert plain.summary_lines(held_out, "")[2].endswith("chosen on held out images (97.00 %)")
    stopped = finished(state="stopped", epochs=0, train_accuracy=None, test_accuracy=None, best_epoch=None)
    assert plain.summary_lines(stopped, "61.0 s") == ["stopped after 0 epochs, 61.0 s"]


def test_what_an_attempt_took_is_not_said_to_be_what_all_epochs_took():
    ended = finished(epochs=12)
    assert plain.attempt_took(ended, 0) == "61.0 s"
    assert plain.attempt_took(ended, 7) == "5 of them in 61.0 s"


def test_parameters_are_a_table_with_their_sum():
    parameters = [Parameter("conv.weight", [6, 1, 5, 5], 150), Parameter("conv.bias", [6], 6)]

    assert plain.parameter_lines(parameters) == [
        "parameter    shape    count",
        "conv.weight  6x1x5x5    150",
        "conv.bias    6            6",
        "total                   156",
    ]


def test_a_run_without_a_spec_or_a_beginning_still_has_its_row():
    run = row_of("found", state="crashed", spec=None, epochs_done=0)

    assert plain.runs_lines([run], now=0.0)[1].split() == ["found", "crashed", "0", "-", "-", "-"]


def test_runs_are_a_table_with_numbers_to_the_right_and_names_where_there_are_any():
    runs = [
        row_of("first", epochs_done=10, spec=RunSpec(epochs=10), best_test_accuracy=0.9, started=0.0),
        row_of("second", spec=RunSpec(model="nn"), best_test_accuracy=1.0, started=60.0),
    ]
    assert plain.runs_lines(runs, now=120.0) == [
        "run     state      epochs      best  began      what",
        "first   completed   10/10   90.00 %  2 min ago  torch lenet mnist",
        "second  completed     1/5  100.00 %  1 min ago  torch nn mnist",
    ]
    named = [row_of("a", name="Good", tags=("fast", "keep")), row_of("b", tags=("fast",)), row_of("c")]
    head, *rows = plain.runs_lines(named, now=0.0)
    assert head.endswith("what               name")
    assert [row.partition("mnist")[2].strip() for row in rows] == ["Good #fast #keep", "#fast", ""]


def test_names_in_a_row_are_clean():
    spec = RunSpec(model="\x1b[31mred")

    assert plain.what_is_trained(spec) == "torch red mnist"
