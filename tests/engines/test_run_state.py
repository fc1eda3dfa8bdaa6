"""The fold of a run's events: one state, whatever number of attempts it took, with no step told twice or backward."""

import base64
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.events import (
    Batch,
    CheckpointSaved,
    ControlApplied,
    EpochEnded,
    Log,
    Phase,
    RunFinished,
    RunStarted,
    Samples,
    Telemetry,
)
from engines.marks import MAX_MARKS
from engines.run_state import LOG_LINES, TELEMETRY_POINTS, RunState
from engines.spec import RunSpec

STEPS = 10
SPEC = RunSpec(framework="rehearsal", model="nn", dataset="digits", epochs=4, batch_size=32)


def started(attempt=1, epochs_done=0, steps_done=0, spec=SPEC):
    return RunStarted(
        run_id="r",
        attempt=attempt,
        epochs_done=epochs_done,
        steps_done=steps_done,
        spec=spec,
        device="CPU",
        framework_version="1",
        parameter_count=1,
        parameters=[],
        train_size=STEPS * SPEC.batch_size,
        test_size=9,
        class_names=[],
    )


def batch(epoch, step, loss=1.0, rate=64.0, lr=0.001):
    return Batch(epoch=epoch, step=step, steps_per_epoch=STEPS, loss=loss, accuracy=0.5, images_per_second=rate, lr=lr)


def epoch(number, test_accuracy=0.5, seconds=5.0):
    return EpochEnded(
        epoch=number,
        epochs=4,
        train_loss=1.0,
        train_accuracy=0.5,
        test_loss=1.0,
        test_accuracy=test_accuracy,
        confusion=[],
        seconds=seconds,
        train_seconds=4.0,
        images_per_second=64.0,
    )


def saved(number, step=STEPS, kind="last"):
    return CheckpointSaved(path=f"{kind}-{number}-{step}", epoch=number, step=step, kind=kind)


def phase(name, state="started", done=0):
    return Phase(name=name, state=state, done=done, total=None, unit="epochs", seconds=0.0)


def finished(state="completed"):
    return RunFinished(
        state=state,
        epochs=4,
        seconds=9.0,
        train_accuracy=None,
        train_loss=None,
        test_accuracy=None,
        test_loss=None,
        best_epoch=None,
        best_test_accuracy=None,
    )


def fold(*events):
    state = RunState()
    for seq, event in enumerate(events):
        state.apply(msgspec.structs.replace(event, seq=seq, time=1_000.0 + seq))
    return state


def epoch_numbers(state):
    return [ended.epoch for ended in state.epochs]


def places(series):
    return [point.x for point in series]


def told(state):
    """Give all that a state knows of the batches, the series to their last digit."""
    series = (state.train_loss, state.train_accuracy, state.throughput)
    details = [line.zoomed(-1, 1e9, 1 << 20) for line in series[:2]]
    figures = (state.batch, state.batch_count, state.lr, state.marks, state.next_seq, state.first_time, state.last_time)
    return repr([*map(list, series), details, figures, epoch_numbers(state), list(state.logs)])


BATCHES = st.builds(
    batch,
    st.integers(1, 3),
    st.integers(1, STEPS),
    st.none() | st.floats(0, 9),
    rate=st.floats(0, 9),
    lr=st.floats(0, 1),
)
OTHERS = st.sampled_from([started(), started(2, 1, 5), epoch(1), Log(level="info", message="m")])


@given(st.lists(st.lists(BATCHES, max_size=30) | OTHERS.map(lambda event: [event]), max_size=12), st.integers(1, 40))
def test_events_add_up_to_the_same_one_by_one_and_many_at_once(groups, at_once):
    events = [event for group in groups for event in group]
    events = [msgspec.structs.replace(event, seq=seq, time=1_000.0 + seq) for seq, event in enumerate(events)]
    one_by_one, many = RunState(), RunState()
    for event in events:
        one_by_one.apply(event)
    for begin in range(0, len(events), at_once):
        many.apply_all(events[begin : begin + at_once])
    assert told(many) == told(one_by_one)


def test_nothing_adds_up_to_a_state_that_knows_nothing():
    state = RunState()
    assert (state.spec, state.position, state.best, state.next_seq) == (None, 0.0, None, 0)
    assert state.steps_per_epoch == 0


def test_batches_become_curves_over_epochs():
    state = fold(started(), batch(1, 5, loss=2.0), batch(1, 10, loss=1.0), epoch(1), batch(2, 5, loss=None))
    assert places(state.train_loss) == [0.5, 1.0, 1.5]
    assert [point.mean for point in state.train_loss][:2] == [2.0, 1.0]
    assert state.train_loss.last() is None
    assert state.position == 1.5
    assert (state.first_time, state.last_time, state.next_seq) == (1_000.0, 1_004.0, 5)


def test_what_an_attempt_did_past_the_start_of_the_next_is_dropped():
    state = fold(
        *(started(), batch(1, 10), epoch(1), saved(1), batch(2, 5), batch(2, 10), epoch(2), saved(2), batch(3, 4)),
        *(phase("import"), started(2, epochs_done=1, steps_done=0)),
    )
    assert epoch_numbers(state) == [1]
    assert places(state.train_loss) == places(state.train_accuracy) == places(state.throughput) == [1.0]
    assert [c.epoch for c in state.checkpoints] == [1]
    assert state.position == 1.0


def test_an_attempt_that_begins_within_an_epoch_keeps_the_part_before():
    state = fold(
        *(started(), batch(1, 10), epoch(1), batch(2, 3), batch(2, 6), saved(2, step=6), batch(2, 9)),
        *(started(2, epochs_done=1, steps_done=6), batch(2, 8)),
    )
    assert places(state.train_loss) == [1.0, 1.3, 1.6, 1.8]
    assert [(c.epoch, c.step) for c in state.checkpoints] == [(2, 6)]
    assert state.position == 1.8


@given(st.data())
def test_however_often_a_run_was_broken_off_no_step_is_doubled_or_goes_backward(data):
    events = []
    done = 0
    attempts = data.draw(st.integers(1, 5))
    for attempt in range(1, attempts + 1):
        events.append(started(attempt, *divmod(done, STEPS)))
        reached = data.draw(st.integers(done, 4 * STEPS))
        for at in range(done + 1, reached + 1):
            number, step = (at - 1) // STEPS + 1, (at - 1) % STEPS + 1
            events.append(batch(number, step, loss=float(attempt)))
            if step == STEPS:
                events.append(epoch(number))
        if attempt < attempts:
            done = data.draw(st.integers(done, reached))
    state = fold(*events)
    assert places(state.train_loss) == [pytest.approx((at + 1) / STEPS) for at in range(reached)]
    assert epoch_numbers(state) == list(range(1, reached // STEPS + 1))
    # Beyond where the last attempt began, all is its own.
    assert {point.mean for point in state.train_loss if point.x > done / STEPS + 1e-9} <= {float(attempts)}
    assert state.batch_count == sum(isinstance(event, Batch) for event in events)


def test_the_last_step_of_an_epoch_that_an_attempt_began_with_is_told_by_itself():
    before = (started(), batch(1, 9, loss=1.0), started(2, steps_done=8), batch(1, 9, loss=2.0))
    state = fold(*before, started(3, steps_done=9), batch(1, 10, loss=3.0))
    assert [point.mean for point in state.train_loss] == [2.0, 3.0]


def test_a_new_attempt_takes_back_that_the_run_is_over_from_its_first_word_on():
    over = (phase("data"), started(), ControlApplied(action="pause", value=None), finished("stopped"))
    for first_word in (phase("import"), started(2)):
        assert fold(*over, first_word).finished is None
    state = fold(*over[:-1], phase("import"))
    assert not state.paused
    assert list(state.phases) == ["import"]


def test_the_time_between_two_attempts_is_none_of_the_runs():
    events = [(phase("import"), 100.0), (batch(1, 5), 110.0), (phase("import"), 500.0), (batch(1, 9), 507.0)]
    state = RunState()
    assert state.seconds is None
    for event, time in events:
        state.apply(msgspec.structs.replace(event, seq=0, time=time))
    assert state.seconds == 17.0
    # The clock was put back while nobody was at work: what came before is as long as it was.
    for time in (300.0, 304.0):
        state.apply(msgspec.structs.replace(phase("import"), seq=0, time=time))
    assert state.seconds == 17.0


def test_a_clock_that_is_put_back_while_a_run_trains_takes_none_of_its_time_away():
    state = RunState()
    for at, time in enumerate([7000.0, 7010.0, 3400.0, 3420.0], 1):
        state.apply(msgspec.structs.replace(batch(1, at), seq=at, time=time))
    assert state.seconds == 30.0
    state.apply_all(msgspec.structs.replace(batch(1, at), seq=at, time=3415.0 + at) for at in range(5, 9))
    assert state.seconds == 33.0


def test_where_the_time_goes_is_told_of_the_newest_attempt():
    def attempt(number):
        checkpoint = msgspec.structs.replace(saved(number), seconds=0.5)
        return phase("import"), epoch(number), epoch(number + 1), checkpoint

    for events in (attempt(1), (*attempt(1), *attempt(3))):
        spent = fold(*events).spent
        assert (spent.training, spent.checkpoints) == (8.0, 0.5)


@pytest.mark.parametrize(("before", "trained"), [(0.0, 8.0), (1.5, 6.5), (9.0, 4.0)])
def test_of_an_epoch_that_an_earlier_attempt_began_only_the_rest_is_the_newest_attempts_time(before, trained):
    again = msgspec.structs.replace(started(2, 0, 4), epoch_seconds=before)
    assert fold(started(), batch(1, 4), phase("import"), again, epoch(1), epoch(2)).spent.training == trained


@pytest.mark.parametrize("seconds", [math.inf, -1.0, None])
def test_a_time_that_cannot_be_is_not_counted(seconds):
    assert fold(msgspec.structs.replace(epoch(1), train_seconds=seconds)).spent.training == 0.0


@pytest.mark.parametrize(("steps_done", "position"), [(4, 0.4), (5, 0.4), (3, 0.0)])
def test_the_newest_batch_stays_where_the_next_attempt_begins_after_it(steps_done, position):
    state = fold(started(), batch(1, 4), started(2, 0, steps_done))
    assert (state.position, state.batch is None) == (position, position == 0.0)
    assert state.batch_count == 1


def test_the_end_is_kept_with_its_state_and_ends_a_pause():
    state = fold(started(), ControlApplied(action="pause", value=None), finished("stopped"))
    assert (state.finished.state, state.paused) == ("stopped", False)


def test_pause_and_resume_and_the_rate_in_force():
    state = fold(started(), ControlApplied(action="pause", value=None, id="1", by="ann"))
    assert state.paused
    state.apply(ControlApplied(action="resume", value=None))
    assert not state.paused
    assert state.lr == SPEC.lr
    state.apply(ControlApplied(action="lr", value=0.5))
    assert state.lr == 0.5
    state.apply(batch(1, 1, lr=0.25))
    assert state.lr == 0.25
    assert state.controls[0].by == "ann"


def test_epochs_more_count_from_when_they_are_in_force():
    more = ControlApplied(action="epochs", value=3.0)
    state = fold(started(), more, more)
    assert state.spec.epochs == started().spec.epochs + 6
    for nonsense in (None, 0.0, -2.0, 0.5, 1e300):
        assert fold(started(), ControlApplied(action="epochs", value=nonsense)).spec == started().spec
    assert fold(more).spec is None


def test_what_was_asked_is_marked_where_it_came_into_force_and_what_an_attempt_undid_is_not():
    slower = ControlApplied(action="lr", value=0.0001, by="ann")
    state = fold(started(), batch(1, 3), slower, batch(1, 6), ControlApplied(action="pause", value=None))
    assert [(mark.what, mark.value, mark.by, mark.place) for mark in state.marks] == [
        ("rate down", 0.0001, "ann", 3 / STEPS),
        ("pause", None, "", 6 / STEPS),
    ]
    again = fold(
        started(), batch(1, 3), slower, batch(1, 6), ControlApplied(action="pause", value=None), started(2, 0, 3)
    )
    assert [(mark.what, mark.place) for mark in again.marks] == [("rate down", 3 / STEPS), ("attempt", 3 / STEPS)]


def test_a_rate_is_marked_as_up_or_down_from_the_one_before():
    lower, higher = (ControlApplied(action="lr", value=rate) for rate in (0.0001, 0.01))
    state = fold(started(), batch(1, 3), lower, batch(1, 6), higher)
    assert [mark.what for mark in state.marks] == ["rate down", "rate up"]


def test_a_loss_that_is_missing_is_marked_where_it_begins_to_be():
    losses = (None, None, 1.0, None, None)
    state = fold(started(), *(batch(1, step, loss) for step, loss in enumerate(losses, 1)))
    assert [(mark.what, mark.place) for mark in state.marks] == [("missing", 1 / STEPS), ("missing", 4 / STEPS)]


def test_many_gaps_leave_what_was_asked_in_sight():
    state = fold(started(), ControlApplied(action="checkpoint", value=None))
    for step in range(2 * MAX_MARKS + 2):
        state.apply(batch(1, step // 1000 + 1, loss=None if step % 2 else 0.5))
    whats = [mark.what for mark in state.marks]
    assert (whats.count("missing"), whats.count("checkpoint")) == (MAX_MARKS, 1)


def test_a_new_attempt_is_not_paused_by_what_the_last_one_was_asked():
    assert not fold(started(), ControlApplied(action="pause", value=None), started(2)).paused


def test_the_best_epoch_is_the_first_of_equals_and_never_one_without_a_figure():
    assert fold(epoch(1, 0.5), epoch(2, 0.7), epoch(3, 0.7)).best.epoch == 2
    assert fold(epoch(1, None), epoch(2, 0.1)).best.epoch == 2
    assert fold(epoch(1, math.nan), epoch(2, 0.1), epoch(3, math.inf)).best.epoch == 2
    assert fold(epoch(1, None), epoch(2, None)).best.epoch == 1


def test_what_a_later_attempt_did_not_keep_is_not_the_best():
    before = started(), epoch(1, 0.6), epoch(2, 0.9), epoch(3, 0.8)
    assert fold(*before, started(2, 1)).best.epoch == 1
    assert fold(*before, started(2, 1), epoch(2, 0.5), epoch(3, 0.7)).best.epoch == 3
    assert fold(started(), epoch(1, 0.6), epoch(2, 0.9), epoch(2, 0.5)).best.epoch == 1


def test_an_epoch_that_ended_in_its_middle_gives_way_to_the_whole_of_it():
    half = msgspec.structs.replace(epoch(2, 0.6), part=0.5)
    state = fold(started(), epoch(1), batch(2, 5), half)
    assert (epoch_numbers(state), state.position) == ([1, 2], 1.5)
    state = fold(started(), epoch(1), batch(2, 5), half, started(2, 1, 5))
    assert (epoch_numbers(state), state.position) == ([1, 2], 1.5)
    state = fold(started(), epoch(1), batch(2, 5), half, started(2, 1, 5), epoch(2, 0.7))
    assert [(ended.epoch, ended.test_accuracy) for ended in state.epochs] == [(1, 0.5), (2, 0.7)]
    assert epoch_numbers(fold(started(), epoch(1), half, started(2, 1, 2))) == [1]


def test_samples_keep_their_images_when_only_predictions_follow():
    pixels = bytes(range(196)) * 8
    state = fold(
        Samples(indices=[3, 5], labels=[1, 2], images=base64.b64encode(pixels).decode()),
        Samples(indices=[3, 5], labels=[1, 2], predictions=[1, 7], confidences=[0.9, None], epoch=1, step=2),
    )
    assert state.sample_images == [pixels[:784], pixels[784:]]
    assert (state.predictions, state.confidences) == ([1, 7], [0.9, None])
    state.apply(Samples(seq=2, time=2_000.0, indices=[3, 5], labels=[1, 2]))
    assert (state.predictions, state.confidences) == ([1, 7], [0.9, None])


@pytest.mark.parametrize("text", ["no base64!", "AAAA", "=", "\ufffd", "!" + "A" * 1048])
def test_images_that_are_none_are_left_out(text):
    assert fold(Samples(indices=[0], labels=[0], images=text)).sample_images == []


def test_a_checkpoint_written_again_is_listed_once_and_last():
    state = fold(started(), saved(1, 3), saved(1, 6), saved(1, 3))
    assert [c.step for c in state.checkpoints] == [6, 3]


def test_a_phase_shows_how_far_it_is():
    state = fold(phase("import"), phase("import", "finished", 1), phase("data"), phase("data", "progress", 7))
    assert {name: (at.state, at.done) for name, at in state.phases.items()} == {
        "import": ("finished", 1),
        "data": ("progress", 7),
    }


def test_memory_is_bounded_however_many_events_come():
    state = RunState()
    for seq in range(3_000):
        for event in (
            Log(level="info", message="m"),
            Telemetry(cpu_percent=1.0, memory=1, gpus=[]),
            ControlApplied(action="resume", value=None),
            batch(seq // STEPS + 1, seq % STEPS + 1),
        ):
            state.apply(event)
    assert (len(state.logs), len(state.controls), len(state.telemetry)) == (LOG_LINES, LOG_LINES, TELEMETRY_POINTS)
    assert len(state.train_loss) <= 1_024


def test_the_recorded_run_adds_up_to_what_its_last_event_says(recorded_run):
    from engines.run_reader import RunReader

    state = RunReader(recorded_run).read_all()
    assert epoch_numbers(state) == [1, 2, 3]
    assert state.position == 3.0
    assert state.best.epoch == state.finished.best_epoch
    assert state.epochs[-1].test_accuracy == state.finished.test_accuracy
    assert len(state.sample_images) == len(state.sample_labels) == len(state.predictions) == 20
    assert set(state.phases) == {"import", "data", "build", "train", "save", "evaluate"}
