import msgspec
import pytest

from engines.events import RunError
from engines.problems import PROBLEMS
from engines.run_reader import RunReader
from tui import outcome


@pytest.fixture
def ended(finished_run):
    """The state of a run that is done, to which a test gives another end."""
    reader = RunReader(finished_run)
    state = reader.read_all()
    reader.close()
    return state


def give_end(run, **figures):
    run.apply(msgspec.structs.replace(run.finished, **figures))


def give_target(state, target):
    state.started = msgspec.structs.replace(
        state.started, spec=msgspec.structs.replace(state.spec, target_accuracy=target)
    )


def test_a_run_that_did_what_it_should_has_nothing_to_say(ended, finished_run):
    assert outcome.exit_code(ended) == 0
    assert outcome.last_word(finished_run, ended) == ""


@pytest.mark.parametrize("kind", list(PROBLEMS))
def test_a_failed_run_ends_with_its_errors_code_and_words(ended, finished_run, kind):
    give_end(ended, state="failed", error=RunError(kind=kind, message="It broke.", hint="Mend it."))

    assert outcome.exit_code(ended) == PROBLEMS[kind].exit_code
    assert outcome.last_word(finished_run, ended) == "It broke. Mend it."


def test_a_stopped_run_says_how_to_go_on(ended, finished_run):
    give_end(ended, state="stopped")

    assert outcome.exit_code(ended) == 10
    assert f"--continue-from {finished_run.name}`" in outcome.last_word(finished_run, ended)


def test_a_run_without_its_last_event_died(ended, finished_run):
    ended.finished = None
    (finished_run / "worker.log").write_text("Fatal Python error: Aborted\n", encoding="utf-8")

    assert outcome.exit_code(ended) == 12
    word = outcome.last_word(finished_run, ended, worker_exit=-6)
    assert "SIGABRT" in word
    assert "Fatal Python error: Aborted" in word
    assert "memory" not in word
    assert "memory" in outcome.last_word(finished_run, ended, worker_exit=-9)


def test_a_run_whose_folder_was_moved_is_out_of_sight_and_not_to_be_gone_on_with(ended, finished_run):
    ended.finished = None
    finished_run.rename(finished_run.with_name("elsewhere"))

    word = outcome.last_word(finished_run, ended)
    assert f"run {finished_run.name} is out of sight: its folder is gone from {finished_run.parent}." in word
    assert "--continue-from" not in word


@pytest.mark.parametrize(("target", "best", "code"), [(0.5, 0.6, 0), (0.6, 0.6, 0), (0.7, 0.6, 13), (0.0, None, 13)])
def test_a_target_is_missed_where_no_epoch_was_there(ended, target, best, code):
    give_target(ended, target)
    give_end(ended, best_test_accuracy=best, highest_test_accuracy=None)

    assert outcome.exit_code(ended) == code


def test_a_target_is_not_missed_where_another_epoch_than_the_chosen_one_was_there(ended, finished_run):
    give_target(ended, 0.7)
    give_end(ended, best_test_accuracy=0.6, highest_test_accuracy=0.75, chosen_on="validation")
    assert outcome.exit_code(ended) == 0

    give_end(ended, highest_test_accuracy=0.65)
    assert "70.00 % was not reached, the best was 65.00 %" in outcome.last_word(finished_run, ended)


@pytest.mark.parametrize("is_saved", [True, False], ids=["saved", "never-saved"])
def test_a_missed_target_says_how_to_train_longer_where_there_is_something_to_go_on_from(ended, finished_run, is_saved):
    give_target(ended, 1.0)
    ended.checkpoints = ended.checkpoints if is_saved else []

    assert ("--continue-from" in outcome.last_word(finished_run, ended)) == is_saved
