import pytest
from views import batch, epoch_ended, started, view_of

from engines.events import ControlApplied
from tui.curve_lines import ACCURACY, LOSS
from tui.curve_words import accuracy_gap, describe_gap, read_at, rising_since
from tui.mark_words import words_of


def epochs_of(*pairs):
    return [epoch_ended(at, train=train, test=test) for at, (train, test) in enumerate(pairs, start=1)]


def test_overfitting_is_said_once_testing_is_no_longer_getting_better():
    losses = [0.3, 0.2, 0.25, 0.31]
    epochs = [epoch_ended(at, test_loss=loss) for at, loss in enumerate(losses, start=1)]
    assert rising_since(epochs) == 2
    assert rising_since(epochs[:3]) is None
    assert rising_since([]) is None


def test_the_gap_needs_both_accuracies():
    assert accuracy_gap(epoch_ended(train=0.99, test=0.97)) == pytest.approx(0.02)
    assert accuracy_gap(epoch_ended(train=None)) is None


@pytest.mark.parametrize(
    ("pairs", "words", "is_warning"),
    [
        ((), "", False),
        (((None, 0.9),), "", False),
        (((0.90, 0.92),), "last gap -2.00", False),
        (((0.95, 0.94),), "last gap +1.00", False),
        (((0.95, 0.92),), "last gap +3.00", True),
        (((0.91, 0.90), (0.93, 0.91), (0.95, 0.92), (0.96, 0.93)), "last gap +3.00 and growing", True),
        (((0.93, 0.90), (0.94, 0.91), (0.95, 0.92), (0.96, 0.93)), "last gap +3.00", True),
        (((0.93, 0.92), (0.95, 0.91), (0.97, 0.91), (0.99, 0.91)), "last gap +8.00, overfitting since epoch 1", True),
    ],
)
def test_how_far_training_is_ahead_is_said_as_it_grows(pairs, words, is_warning):
    assert describe_gap(epochs_of(*pairs)) == (words, is_warning)


RUN = view_of(
    started(),
    *(batch(1, step, accuracy=step / 100, loss=1 / step) for step in range(10, 101, 10)),
    epoch_ended(1, test=0.91, test_loss=0.4),
    ControlApplied(action="lr", value=0.002, by="ann"),
    batch(2, 10, accuracy=None, loss=0.1),
).state


def test_a_reading_has_the_exact_values_of_the_nearest_batch_and_of_the_last_test():
    reading = read_at(RUN, ACCURACY, 0.52, 0.01)
    assert (reading.epoch, reading.step, reading.trained, reading.tested) == (1, 50, 0.5, None)
    reading = read_at(RUN, LOSS, 1.08, 0.01)
    assert (reading.epoch, reading.step, reading.trained) == (2, 10, 0.1)
    assert LOSS.tested(reading.tested) == 0.4


def test_at_its_last_step_a_reading_is_still_of_that_epoch_and_knows_its_test():
    reading = read_at(RUN, LOSS, 0.998, 0.01)
    assert (reading.epoch, reading.step, reading.tested.epoch) == (1, 100, 1)


def test_a_reading_in_a_gap_says_that_there_is_no_value():
    assert read_at(RUN, ACCURACY, 1.1, 0.01).trained is None
    assert read_at(view_of().state, ACCURACY, 0.0, 0.01).trained is None


def test_a_reading_knows_what_happened_there_and_who_asked_for_it():
    assert [words_of(mark) for mark in read_at(RUN, LOSS, 1.0, 0.02).marks] == ["learning rate 0.002 (ann)"]
    assert read_at(RUN, LOSS, 0.5, 0.02).marks == ()
