"""The writer of the event file: a failing disk neither stops nor confuses it."""

import errno
import json
import os
import threading

import msgspec
import pytest
from event_files import LOG, line_of, read_to_end
from open_files import held_open

from engines import event_writer
from engines.event_line import encode_event
from engines.event_tail import EventTail
from engines.event_writer import EventWriter
from engines.events import Batch, Log, RunStarted, Samples, Telemetry

TELEMETRY = Telemetry(cpu_percent=1.0, memory=2, gpus=[])


def numbers(path):
    return [json.loads(line)["seq"] for line in path.read_bytes().splitlines()]


class FullDisk:
    """Takes `room` bytes, and then refuses as a full disk does."""

    def __init__(self, monkeypatch, room):
        self.room = room
        self.real_write = os.write
        monkeypatch.setattr(event_writer.os, "write", self.write)

    def write(self, fd, data):
        if not data:
            return self.real_write(fd, data)
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self.real_write(fd, data[: self.room])
        self.room -= written
        return written


def test_events_are_numbered_without_a_gap_by_however_many_threads(tmp_path):
    writer = EventWriter(tmp_path / "e")
    threads = [threading.Thread(target=lambda: [writer.write(LOG) for _ in range(200)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert numbers(tmp_path / "e") == list(range(1_000))


def test_the_file_is_private(tmp_path):
    EventWriter(tmp_path / "e").close()
    assert (tmp_path / "e").stat().st_mode & 0o777 == 0o600


def test_a_link_in_place_of_the_file_is_not_written_through(tmp_path):
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "e").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic"):
        EventWriter(tmp_path / "e")
    assert (tmp_path / "target").read_bytes() == b"precious"


def test_a_torn_tail_is_closed_with_a_newline_and_never_cut_off(tmp_path):
    path = tmp_path / "e"
    path.write_bytes(line_of(0) + b"\n" + line_of(1)[:20])
    writer = EventWriter(path, next_seq=1)
    writer.write(LOG)
    writer.close()
    assert path.read_bytes().startswith(line_of(0) + b"\n" + line_of(1)[:20] + b"\n{")
    tail = EventTail(path)
    assert [event.seq for event in read_to_end(tail)] == [0, 1]
    assert tail.bad_lines == 1


@pytest.mark.parametrize("earlier", [b"", line_of(0) + b"\n", line_of(0)[:20]], ids=["none", "whole", "torn"])
def test_its_events_begin_where_the_file_ends_when_it_is_opened(tmp_path, earlier):
    path = tmp_path / "e"
    path.write_bytes(earlier)
    writer = EventWriter(path, next_seq=1)
    begins = writer.size()
    writer.write(LOG)
    writer.close()
    assert json.loads(path.read_bytes()[begins:])["seq"] == 1
    assert path.read_bytes()[:begins] in (earlier, earlier + b"\n")
    assert b"\n\n" not in path.read_bytes()


def test_a_line_that_is_taken_piece_by_piece_is_whole(tmp_path, monkeypatch):
    writer, real_write = EventWriter(tmp_path / "e"), os.write
    monkeypatch.setattr(event_writer.os, "write", lambda fd, data: real_write(fd, data[:7]))
    writer.write(LOG)
    writer.write(LOG)
    assert writer.error is None
    assert numbers(tmp_path / "e") == [0, 1]


def test_closing_lets_go_of_the_file(tmp_path):
    writer = EventWriter(tmp_path / "e")
    assert held_open(tmp_path) == 1
    writer.close()
    assert held_open(tmp_path) == 0


def test_a_number_that_is_not_finite_is_null_and_named(tmp_path):
    writer = EventWriter(tmp_path / "e")
    batch = Batch(epoch=1, step=1, steps_per_epoch=9, loss=float("nan"), accuracy=0.5, images_per_second=1.0, lr=0.1)
    writer.write(batch)
    writer.write(Samples(indices=[1, 2], labels=[3, 4], predictions=[5, 6], confidences=[0.5, float("inf")]))
    writer.write(Samples(indices=[1], labels=[3], predictions=[5], confidences=[0.5]))
    writer.close()
    lines = [json.loads(line) for line in (tmp_path / "e").read_bytes().splitlines()]
    assert (lines[0]["loss"], lines[0]["nonfinite"]) == (None, ["loss"])
    assert (lines[1]["confidences"], lines[1]["nonfinite"]) == ([0.5, None], ["confidences"])
    assert "nonfinite" not in lines[2]


def test_an_event_that_cannot_be_encoded_does_not_block_those_after_it(tmp_path):
    writer = EventWriter(tmp_path / "e")
    with pytest.raises(UnicodeEncodeError):
        writer.write(Log(level="info", message="\ud800"))
    writer.write(LOG)
    writer.close()
    assert numbers(tmp_path / "e") == [0]


@pytest.mark.parametrize("droppable", [False, True])
def test_a_disk_that_fills_up_at_any_byte_and_is_freed_again_leaves_no_gap_and_no_double(
    tmp_path, monkeypatch, droppable
):
    event = TELEMETRY if droppable else LOG
    length = len(encode_event(msgspec.structs.replace(event, seq=1, time=1_800_000_000.123456)))
    for room in range(length + 2):
        path = tmp_path / f"e{room}"
        writer = EventWriter(path)
        writer.write(LOG)
        with monkeypatch.context() as patch:
            disk = FullDisk(patch, room)
            writer.write(event)
            writer.write(event)
            assert writer.error is not None
            disk.room = 10_000
            writer.write(LOG)
            assert writer.error is None
            writer.close()
        events = read_to_end(EventTail(path))
        assert [e.seq for e in events] == list(range(len(events)))
        kept = [e for e in events if isinstance(e, type(event))]
        assert len(kept) == 4 if not droppable else len(events) - len(kept) == 2


def test_what_comes_again_by_itself_is_dropped_while_the_disk_refuses(tmp_path, monkeypatch):
    writer = EventWriter(tmp_path / "e")
    disk = FullDisk(monkeypatch, 0)
    for _ in range(1_000):
        writer.write(TELEMETRY)
    writer.write(LOG)
    assert writer.error.errno == errno.ENOSPC
    assert len(writer._pending) == 1
    disk.room = 10_000
    writer.close()
    assert [type(event) for event in read_to_end(EventTail(tmp_path / "e"))] == [Log]


def test_lifecycle_events_are_synced_and_a_refused_sync_is_told(tmp_path, monkeypatch, recorded_run):
    def refuse(fd):
        raise OSError(errno.EIO, "Input/output error")

    started = next(e for e in read_to_end(EventTail(recorded_run / "events.jsonl")) if isinstance(e, RunStarted))
    writer = EventWriter(tmp_path / "e")
    monkeypatch.setattr(event_writer.os, "fsync", refuse)
    writer.write(LOG)
    assert writer.error is None
    writer.write(started)
    assert writer.error.errno == errno.EIO
