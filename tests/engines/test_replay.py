"""A run played again: its own time, and the state at any moment of it."""

import pytest

from engines.event_line import encode_event
from engines.events import ControlApplied, Log
from engines.replay import LONGEST_SILENCE_SECONDS, ReplayReader, RunClock, Timeline, TimelineReader
from engines.run_reader import RunReader


def timeline_of(directory):
    reader = TimelineReader(directory)
    timeline = reader.read()
    reader.close()
    return timeline


def write_log(directory, *times):
    lines = [encode_event(Log(level="info", message=str(at), seq=seq, time=at)) for seq, at in enumerate(times)]
    (directory / "events.jsonl").write_bytes(b"".join(lines))


def facts(state):
    return state.next_seq, state.batch_count, len(state.epochs), state.position, state.predictions


def test_a_moment_of_a_run_has_what_had_happened_by_then_and_no_more(recorded_run):
    timeline = timeline_of(recorded_run)
    reader = ReplayReader(recorded_run)
    for done, moment in enumerate(timeline.epochs):
        reader.advance_to(moment - 1e-6)
        assert len(reader.state.epochs) == done
        reader.advance_to(moment)
        assert len(reader.state.epochs) == done + 1
        assert reader.status() == "running"
    reader.advance_to(timeline.length)
    assert reader.status() == "completed"
    whole = RunReader(recorded_run)
    assert facts(reader.state) == facts(whole.read_all())


def test_the_timeline_knows_where_epochs_end_and_grows_with_its_run(store, recorded_run):
    lines = recorded_run.joinpath("events.jsonl").read_bytes().splitlines(keepends=True)
    directory = store.root / "growing"
    directory.mkdir(parents=True)
    file = directory / "events.jsonl"
    file.write_bytes(b"".join(lines[: len(lines) // 2]))
    reader = TimelineReader(directory)
    half = reader.read()
    file.write_bytes(b"".join(lines))
    whole = reader.read()
    reader.close()
    assert 0 < half.length < whole.length
    assert whole == timeline_of(recorded_run)
    assert len(whole.epochs) == 3


def test_a_night_without_a_worker_and_a_clock_put_back_take_no_time(store):
    directory = store.root / "odd"
    directory.mkdir(parents=True)
    write_log(directory, 1000.0, 1001.0, 90_000.0, 500.0, 502.0)
    assert timeline_of(directory).length == 1.0 + LONGEST_SILENCE_SECONDS + 0.0 + 2.0
    reader = ReplayReader(directory)
    reader.advance_to(2.0)
    assert [log.message for log in reader.state.logs] == ["1000.0", "1001.0"]
    assert reader.now == 1002.0


def test_the_last_word_of_a_run_that_died_is_followed_by_its_death(store):
    directory = store.root / "dead"
    directory.mkdir(parents=True)
    write_log(directory, 1000.0, 1001.0)
    reader = ReplayReader(directory)
    reader.advance_to(0.5)
    assert reader.status() == "running"
    reader.advance_to(1.0)
    assert reader.status() == "crashed"


def test_a_run_without_events_has_no_length():
    assert Timeline().epoch_beside(0.0, 1) == 0.0
    assert RunClock().moment == 0.0


@pytest.mark.parametrize(
    ("moment", "by", "there"),
    [(0, 1, 10), (10, 1, 20), (15, 1, 20), (20, 1, 25), (15, -1, 10), (10, -1, 0), (25, -1, 20)],
)
def test_the_ends_of_epochs_can_be_gone_to(moment, by, there):
    assert Timeline(25.0, (10.0, 20.0)).epoch_beside(moment, by) == there


def test_marks_are_what_was_asked_of_the_run(store):
    directory = store.root / "asked"
    directory.mkdir(parents=True)
    events = [Log(level="info", message="", seq=0, time=1.0), ControlApplied(action="lr", value=0.1, seq=1, time=2.5)]
    (directory / "events.jsonl").write_bytes(b"".join(map(encode_event, events)))
    assert timeline_of(directory).controls == (1.5,)
