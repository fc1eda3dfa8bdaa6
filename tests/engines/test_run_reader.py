"""The truth about a run from its directory alone: what it is doing, however it came to be as it is."""

import os
import time

import msgspec
import pytest
import real_worker
from open_files import held_open
from real_worker import status_of

from engines import event_tail, run_lock, run_reader
from engines.event_line import encode_event
from engines.event_tail import READ_BYTES
from engines.events import Batch, ControlApplied, Log, Phase, RunStarted
from engines.run_reader import ALIVE, STALLED_AFTER_SECONDS, STARTING_SECONDS, RunReader


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "r").mkdir()
    return tmp_path / "r"


@pytest.fixture
def with_worker(monkeypatch):
    monkeypatch.setattr(run_lock, "holder", lambda path: 1234)


def tell(directory, *events, at=None):
    """Append events; `at` is when they were written."""
    with (directory / "events.jsonl").open("ab") as file:
        for event in events:
            file.write(encode_event(msgspec.structs.replace(event, seq=0, time=time.time() if at is None else at)))


LOG = Log(level="info", message="m")
IMPORTING = Phase(name="import", state="started", done=0, total=1, unit="frameworks", seconds=0.0)
BATCH = Batch(epoch=1, step=1, steps_per_epoch=9, loss=1.0, accuracy=0.5, images_per_second=1.0, lr=0.1)
PAUSED = ControlApplied(action="pause", value=None)


def test_a_finished_run_says_how_it_ended(finished_run):
    assert status_of(finished_run) == "completed"


def test_events_without_an_end_and_without_a_worker_are_a_crash(directory):
    tell(directory, LOG)
    assert status_of(directory) == "crashed"


def test_with_a_worker_it_is_running(directory, with_worker):
    tell(directory, LOG)
    assert status_of(directory) == "running"


def test_a_paused_run_is_paused_however_long(directory, with_worker):
    tell(directory, PAUSED, at=time.time() - 1_000)
    assert status_of(directory) == "paused"


def test_a_worker_that_says_nothing_for_long_is_stalled(directory, with_worker):
    tell(directory, LOG, at=time.time() - 11)
    assert status_of(directory) == "stalled"
    tell(directory, LOG, at=time.time() - 9)
    assert status_of(directory) == "running"


def test_an_event_of_a_type_that_we_do_not_know_is_a_sign_of_life_and_counts(directory, with_worker):
    tell(directory, LOG, at=time.time() - STALLED_AFTER_SECONDS - 1)
    with (directory / "events.jsonl").open("a") as file:
        file.write(f'{{"type":"from-the-future","seq":1,"time":{time.time()}}}\n')
    reader = RunReader(directory)
    assert reader.read_all().next_seq == 2
    assert reader.status() == "running"


def test_a_worker_that_has_said_nothing_since_it_took_the_lock_is_stalled(directory, with_worker):
    (directory / "lock").touch()
    assert status_of(directory) == "running"
    long_ago = time.time() - STALLED_AFTER_SECONDS - 1
    os.utime(directory / "lock", (long_ago, long_ago))
    assert status_of(directory) == "stalled"


def test_a_directory_just_made_is_starting_and_an_old_one_without_a_word_has_crashed(directory):
    assert status_of(directory) == "running"
    long_ago = time.time() - STARTING_SECONDS - 1
    os.utime(directory, (long_ago, long_ago))
    assert status_of(directory) == "crashed"


def test_a_directory_that_is_gone_has_crashed(directory):
    reader = RunReader(directory)
    directory.rmdir()
    assert reader.status() == "crashed"


def test_a_run_that_goes_on_is_no_longer_over(finished_run, with_worker):
    reader = RunReader(finished_run)
    reader.read_all()
    tell(finished_run, IMPORTING)
    reader.read_all()
    assert reader.status() == "running"


def test_a_live_run_is_alive_until_it_is_over(store):
    worker = real_worker.start(store, epochs=1)
    reader = RunReader(worker.run_directory)
    assert reader.status() in ALIVE
    assert reader.has_worker()
    worker.process.wait()
    reader.read_all()
    assert reader.status() == "completed"
    assert not reader.has_worker()


def test_advance_tells_whether_there_was_anything_new(finished_run):
    reader = RunReader(finished_run)
    assert reader.advance(seconds=1.0)
    assert not reader.advance()
    tell(finished_run, LOG)
    assert reader.advance()


def test_advance_stops_when_its_time_is_over_and_goes_on_at_the_next_call(directory):
    tell(directory, *[LOG] * 20_000)
    reader = RunReader(directory)
    assert reader.advance(seconds=0.0)
    some = reader.state.next_seq, len(reader.state.logs), reader._tail.lines
    assert some[2] < 20_000
    assert not reader.is_at_end
    reader.advance(seconds=600.0)
    assert reader._tail.lines == 20_000
    assert reader.is_at_end


def test_a_dead_run_is_not_called_crashed_before_its_last_word_is_read(directory, monkeypatch):
    tell(directory, *[LOG] * 20_000)
    reader = RunReader(directory)
    with monkeypatch.context() as patch:
        patch.setattr(run_reader.time, "monotonic", iter(range(9)).__next__)  # No time for more than one look.
        assert reader.status() == "running"
    reader.read_all()
    assert reader.status() == "crashed"


@pytest.mark.parametrize("exact", [False, True])
def test_a_huge_file_is_read_thin_unless_every_number_is_wanted(directory, monkeypatch, exact):
    monkeypatch.setattr(event_tail, "THIN_ABOVE_BYTES", 20_000)
    monkeypatch.setattr(event_tail, "WHOLE_BELOW_BYTES", 10_000)
    tell(directory, *[BATCH] * 1_000)
    assert (RunReader(directory, exact=exact).read_all().batch_count == 1_000) == exact


def test_a_row_is_told_without_most_batches(recorded_run):
    row, whole = RunReader(recorded_run).read_ends(), RunReader(recorded_run).read_all()
    assert row.batch_count < whole.batch_count
    for name in ("started", "finished", "epochs", "checkpoints", "first_time", "last_time", "next_seq"):
        assert getattr(row, name) == getattr(whole, name)


def test_of_a_long_file_a_row_takes_no_more_than_the_ends(directory, monkeypatch):
    tell(directory, *[LOG] * 100)
    size = (directory / "events.jsonl").stat().st_size
    monkeypatch.setattr(run_reader, "WHOLE_FILE_BYTES", size)
    monkeypatch.setattr(run_reader, "HEAD_BYTES", size // 10)
    monkeypatch.setattr(run_reader, "TAIL_BYTES", size // 5)
    for more, read in ((0, 100), (1, 29)):
        tell(directory, *[LOG] * more)
        reader = RunReader(directory)
        assert len(reader.read_ends().logs) == pytest.approx(read, abs=1)
        reader.close()
        assert held_open(directory) == 0


@pytest.mark.parametrize("garbage", [b"\xff\n" * READ_BYTES, b"x" * 3 * READ_BYTES + b"\n"], ids=["lines", "line"])
def test_what_comes_after_a_stretch_of_garbage_is_read(directory, recorded_run, garbage):
    content = (recorded_run / "events.jsonl").read_bytes()
    half = content.index(b"\n", len(content) // 2) + 1
    (directory / "events.jsonl").write_bytes(content[:half] + garbage + content[half:])
    reader = RunReader(directory)
    assert reader.read_all().finished is not None
    assert reader.bad_lines == garbage.count(b"\n")


def test_a_file_that_was_replaced_by_a_shorter_one_is_a_new_story(finished_run):
    reader = RunReader(finished_run)
    reader.read_all()
    (finished_run / "events.jsonl").write_bytes(b"")
    assert reader.advance()
    assert reader.state.epochs == []
    tell(finished_run, LOG)
    assert reader.read_all().finished is None
    assert len(reader.state.logs) == 1


def test_only_the_newest_attempt_counts(finished_run):
    events = real_worker.read_events(finished_run)
    started = next(event for event in events if isinstance(event, RunStarted))
    tell(finished_run, IMPORTING, msgspec.structs.replace(started, attempt=2, epochs_done=1))
    state = RunReader(finished_run).read_all()
    assert [ended.epoch for ended in state.epochs] == [1]
    assert state.finished is None
