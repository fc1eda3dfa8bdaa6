"""A run played again: its own time, and the state at any moment of it."""

import pytest
from msgspec.structs import replace

from engines import replay
from engines.event_line import encode_event
from engines.events import ControlApplied, Log
from engines.replay import LONGEST_SILENCE_SECONDS, ReplayReader, RunClock, Timeline, TimelineReader
from engines.run_reader import RunReader


def timeline_of(directory):
    reader = TimelineReader(directory)
    timeline = reader.read()
    reader.close()
    return timeline


def write_events(directory, *events):
    directory.mkdir(parents=True, exist_ok=True)
    lines = [encode_event(replace(event, seq=seq)) for seq, event in enumerate(events)]
    (directory / "events.jsonl").write_bytes(b"".join(lines))


def write_log(directory, *times):
    write_events(directory, *(Log(level="info", message=str(at), time=at) for at in times))


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
    write_log(directory, 1000.0, 1001.0, 90_000.0, 500.0, 502.0)
    assert timeline_of(directory).length == 1.0 + LONGEST_SILENCE_SECONDS + 0.0 + 2.0
    reader = ReplayReader(directory)
    reader.advance_to(2.0)
    assert [log.message for log in reader.state.logs] == ["1000.0", "1001.0"]
    assert reader.now == 1002.0


def test_the_last_word_of_a_run_that_died_is_followed_by_its_death(store):
    directory = store.root / "dead"
    write_log(directory, 1000.0, 1001.0)
    reader = ReplayReader(directory)
    reader.advance_to(0.5)
    assert reader.status() == "running"
    reader.advance_to(1.0)
    assert reader.status() == "crashed"


def test_a_run_that_has_a_worker_is_not_dead_after_its_last_word(store, monkeypatch):
    monkeypatch.setattr(replay, "holder", lambda path: 1234)
    write_log(store.root / "alive", 1000.0, 1001.0)
    reader = ReplayReader(store.root / "alive")
    reader.advance_to(9.0)
    assert reader.status() == "running"


def test_a_run_is_paused_from_when_it_was_until_it_went_on(store):
    pause, resume = (ControlApplied(action=action, value=None, time=at) for action, at in (("pause", 2), ("resume", 4)))
    write_events(store.root / "r", Log(level="info", message="", time=1), pause, resume)
    reader = ReplayReader(store.root / "r")
    seen = []
    for moment in (0.0, 1.0, 2.9, 3.0):
        reader.advance_to(moment)
        seen.append(reader.status())
    assert seen == ["running", "paused", "paused", "crashed"]


def test_a_long_run_is_read_a_bite_at_a_time_where_there_is_no_time_for_more(store):
    write_log(store.root / "long", *(1000.0 + at / 10 for at in range(2_000)))
    reader = ReplayReader(store.root / "long")
    seen = []
    while not seen or reader.moment < 199.9:
        reader.advance_to(500.0, seconds=0.0)
        seen.append((reader.moment, reader.status()))
    assert len(seen) > 2
    assert [moment for moment, _ in seen] == sorted({moment for moment, _ in seen})
    assert {status for _, status in seen[:-1]} == {"running"}
    assert reader.state.next_seq == 2_000


def test_a_record_that_was_replaced_is_played_from_its_start(store):
    write_log(store.root / "r", *(1000.0 + at for at in range(9)))
    reader = ReplayReader(store.root / "r")
    reader.advance_to(8.0)
    write_log(store.root / "r", 5000.0, 5001.0)
    reader.advance_to(0.5)
    assert [log.message for log in reader.state.logs] == ["5000.0"]
    assert (reader.moment, reader.now) == (0.5, 5000.5)


def test_the_timeline_of_a_record_that_was_replaced_is_that_of_the_new_one(store):
    write_log(store.root / "r", *(1000.0 + at for at in range(9)))
    reader = TimelineReader(store.root / "r")
    assert reader.read().length == 8.0
    write_log(store.root / "r", 5000.0, 5001.0)
    assert reader.read() == Timeline(1.0)


def test_a_run_without_events_has_no_length(store):
    assert ReplayReader(store.root).now == 0.0
    assert Timeline().epoch_beside(0.0, 1) == 0.0
    assert RunClock().moment == 0.0


@pytest.mark.parametrize(
    ("moment", "by", "there"),
    [(0, 1, 10), (10, 1, 20), (15, 1, 20), (20, 1, 25), (15, -1, 10), (10, -1, 0), (25, -1, 20)],
)
def test_the_ends_of_epochs_can_be_gone_to(moment, by, there):
    assert Timeline(25.0, (10.0, 20.0)).epoch_beside(moment, by) == there


def test_marks_are_what_was_asked_of_the_run(store):
    asked = ControlApplied(action="lr", value=0.1, time=2.5)
    write_events(store.root / "asked", Log(level="info", message="", time=1.0), asked)
    assert timeline_of(store.root / "asked").controls == (1.5,)
