"""The event file: a reader that nothing in it upsets, and a writer that a failing disk neither stops nor confuses."""

import errno
import json
import os
import re
import threading

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engines import event_log
from engines.event_log import MAX_LINE_BYTES, EventTail, EventWriter, decode_event, encode_event
from engines.events import Batch, EpochEnded, Log, RunStarted, Telemetry
from engines.run_state import RunState

LOG = Log(level="info", message="a word")
TELEMETRY = Telemetry(cpu_percent=1.0, memory=2, gpus=[])


def tail_of(path, content):
    path.write_bytes(content)
    return EventTail(path)


def read_to_end(tail, max_bytes=event_log.READ_BYTES):
    events = tail.read(max_bytes)
    while not tail.at_end:
        events += tail.read(max_bytes)
    return events


def line_of(seq=0, **fields):
    return json.dumps({"type": "log", "seq": seq, "time": 1.0, "level": "info", "message": "m"} | fields).encode()


def numbers(path):
    return [json.loads(line)["seq"] for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def recording(recorded_run):
    return (recorded_run / "events.jsonl").read_bytes()


# Reading: what a user relies on is that good + bad + unknown = lines, whatever the file holds.


def test_a_recorded_run_reads_whole(recording, tmp_path):
    tail = tail_of(tmp_path / "e", recording)
    events = read_to_end(tail)
    assert (len(events), tail.bad_lines) == (tail.lines, 0)
    assert [event.seq for event in events] == list(range(tail.lines))


def check_cuts(path, content, cuts):
    whole = read_to_end(tail_of(path, content))
    for cut in cuts:
        tail = tail_of(path, content[:cut])
        assert read_to_end(tail) == whole[: content[:cut].count(b"\n")]
        assert tail.bad_lines == 0
        tail.close()


def test_a_recorded_run_cut_anywhere_gives_the_events_before_the_cut(recording, tmp_path):
    check_cuts(tmp_path / "e", recording, range(0, len(recording), 499))


def test_a_line_of_each_type_cut_at_every_byte_gives_those_before_the_cut(recording, tmp_path):
    of_each_type = {json.loads(line)["type"]: line for line in recording.splitlines(keepends=True)}
    assert len(of_each_type) == 10
    # A cut within the pixels of many images is like any other, and there are too many of them.
    content = re.sub(rb'"[A-Za-z0-9+/=]{99,}"', b'"AAAA"', b"".join(of_each_type.values()))
    check_cuts(tmp_path / "e", content, range(len(content) + 1))


@given(st.integers(1, 300))
def test_events_are_the_same_however_many_bytes_a_look_reads(recording_file, max_bytes):
    path, whole = recording_file
    assert read_to_end(EventTail(path), max_bytes * 37) == whole


@pytest.fixture(scope="module")
def recording_file(recorded_run):
    path = recorded_run / "events.jsonl"
    return path, read_to_end(EventTail(path))


def test_half_a_line_waits_for_its_end(tmp_path):
    line = encode_event(msgspec.structs.replace(LOG, seq=0, time=1.0))
    for cut in range(len(line)):
        tail = tail_of(tmp_path / "e", line[:cut])
        assert tail.read() == []
        with (tmp_path / "e").open("ab") as file:
            file.write(line[cut:])
        assert [event.message for event in read_to_end(tail)] == ["a word"]
        assert (tail.lines, tail.bad_lines) == (1, 0)
        tail.close()


GARBAGE = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=50).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_subnormal=False) | st.integers() | st.text(max_size=9),
        st.lists,
        max_leaves=9,
    ).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["log", "batch", "epoch", "samples", "phase", "run_started", "run_finished", "x"])},
        optional={
            name: st.none()
            | st.integers()
            | st.floats(allow_subnormal=False)
            | st.text(max_size=3)
            | st.lists(st.integers(), max_size=2)
            for name in (
                "seq",
                "time",
                "epoch",
                "step",
                "steps_per_epoch",
                "loss",
                "level",
                "message",
                "images",
                "spec",
            )
        },
    ).map(lambda value: json.dumps(value).encode()),
)


@given(st.lists(GARBAGE, max_size=20))
@example([b"", b"null", b'{"type":"log"}', b"[" * 10_000, b'{"a":' * 10_000])
@example([b'{"type":"later","seq":0,"time":0,"a":' + b"[" * 100_000])
@example([b'{"type":"log","seq":1' + b"0" * 4_000 + b',"time":1,"level":"info","message":"m"}'])
def test_every_line_is_good_or_unknown_or_bad(tmp_path_factory, lines):
    content = b"".join(line + b"\n" for line in lines)
    counts = {"good": 0, "unknown": 0, "bad": 0}
    for line in content.split(b"\n")[:-1]:
        try:
            counts["unknown" if decode_event(line) is None else "good"] += 1
        except ValueError:
            counts["bad"] += 1
    tail = tail_of(tmp_path_factory.getbasetemp() / "lines", content)
    assert len(read_to_end(tail)) == counts["good"]
    assert tail.bad_lines == counts["bad"]
    assert tail.lines == sum(counts.values())
    tail.close()


@given(st.binary(max_size=2_000))
def test_random_bytes_read_as_bad_lines(tmp_path_factory, content):
    tail = tail_of(tmp_path_factory.getbasetemp() / "random", content)
    events = read_to_end(tail)
    assert len(events) + tail.bad_lines == tail.lines == content.count(b"\n")
    tail.close()


@given(st.lists(st.binary(max_size=60).map(lambda junk: junk.replace(b"\n", b"")), max_size=12), st.randoms())
def test_good_lines_are_found_among_garbage(tmp_path_factory, junk, random):
    good = [line_of(seq) for seq in range(8)]
    places = sorted(random.randrange(len(junk) + 1) for _ in good)
    mixed = list(junk)
    for place, line in reversed(list(zip(places, good, strict=True))):
        mixed.insert(place, line)
    tail = tail_of(tmp_path_factory.getbasetemp() / "mixed", b"".join(line + b"\n" for line in mixed))
    assert [event.seq for event in read_to_end(tail)] == list(range(8))
    assert tail.bad_lines == len(junk)
    tail.close()


@given(st.lists(GARBAGE, max_size=12))
def test_whatever_reads_as_an_event_adds_up_to_a_state(lines):
    state = RunState()
    for line in lines:
        try:
            event = decode_event(line)
        except ValueError:
            continue
        if event is not None:
            state.apply(event)
            assert state.position >= 0


@pytest.mark.parametrize("moment", [b"1e12", b"1e308", b"-1", b"null", b'"now"'])
def test_a_time_that_no_clock_shows_is_no_event(moment):
    with pytest.raises(ValueError, match=r"\$\.time"):
        decode_event(b'{"type":"log","seq":0,"time":' + moment + b',"level":"info","message":"m"}')


def test_an_event_without_seq_or_time_is_none():
    for name in ("seq", "time"):
        fields = json.loads(line_of())
        del fields[name]
        with pytest.raises(ValueError, match="place in the order"):
            decode_event(json.dumps(fields).encode())


def test_types_and_fields_that_are_not_known_are_passed_over(tmp_path):
    later = json.dumps({"type": "hologram", "seq": 1, "time": 2.0, "depth": 3}).encode()
    tail = tail_of(tmp_path / "e", line_of(0, mood="good") + b"\n" + later + b"\n" + line_of(2) + b"\n")
    assert [event.seq for event in read_to_end(tail)] == [0, 2]
    assert (tail.lines, tail.bad_lines) == (3, 0)


@pytest.mark.parametrize(
    "message", ["\x1b[31mred", "\x7f", "\x9b2J", "\u202egpj.exe", "\x07\x08", "a\nb", "\ue000"], ids=ascii
)
def test_no_control_character_in_a_line_comes_through(message):
    assert decode_event(line_of(message=message)).message.isprintable()


@pytest.mark.parametrize("message", ["\x9b2J", "\u202egpj.exe", "\u2066", "\x7f"], ids=ascii)
def test_nor_does_one_that_is_not_escaped(message):
    assert decode_event(line_of(message="m").replace(b'"m"', f'"{message}"'.encode())).message.isprintable()


def test_a_huge_line_is_one_bad_line_and_never_held_in_memory(tmp_path):
    path = tmp_path / "e"
    with path.open("wb") as file:
        file.write(line_of(0) + b"\n" + b'{"type":"log","message":"')
        for _ in range(5):
            file.write(b"x" * MAX_LINE_BYTES)
        file.write(b'"}\n' + line_of(1) + b"\n")
    tail = EventTail(path)
    events = []
    while not tail.at_end:
        events += tail.read()
        assert len(tail._partial) <= MAX_LINE_BYTES + event_log.READ_BYTES
    assert [event.seq for event in events] == [0, 1]
    assert (tail.lines, tail.bad_lines) == (3, 1)


def test_a_byte_order_mark_at_the_start_is_no_fault(tmp_path):
    tail = tail_of(tmp_path / "e", b"\xef\xbb\xbf" + line_of() + b"\n")
    assert len(tail.read()) == 1


def test_a_long_backlog_is_read_thin_where_a_view_asks_for_that(tmp_path, monkeypatch):
    monkeypatch.setattr(event_log, "THIN_ABOVE_BYTES", 30_000)
    monkeypatch.setattr(event_log, "WHOLE_BELOW_BYTES", 10_000)
    monkeypatch.setattr(event_log, "_STRIDE_BYTES", 1_000)
    batch = Batch(epoch=1, step=1, steps_per_epoch=9, loss=1.0, accuracy=0.5, images_per_second=1.0, lr=0.1)
    lines = []
    for seq in range(2_000):
        event = LOG if seq % 100 == 99 else batch
        lines.append(encode_event(msgspec.structs.replace(event, seq=seq, time=1.0)))
    path = tmp_path / "e"
    path.write_bytes(b"".join(lines))
    thin, exact = EventTail(path, thin=True), EventTail(path)
    some, every = read_to_end(thin, 3_000), read_to_end(exact, 3_000)
    assert len(every) == 2_000
    assert len(some) < 1_000
    assert [e for e in some if isinstance(e, Log)] == [e for e in every if isinstance(e, Log)]
    assert [event.seq for event in some[:-30]] == sorted({event.seq for event in some[:-30]})
    assert some[-30:] == every[-30:]
    assert (thin.lines, thin.bad_lines) == (2_000, 0)


@pytest.mark.parametrize("make", [lambda p: None, os.mkfifo, os.mkdir, lambda p: p.symlink_to("/etc/passwd")])
def test_what_is_no_regular_file_reads_as_empty_and_is_never_waited_for(tmp_path, make):
    path = tmp_path / "e"
    make(path)
    tail = EventTail(path)
    assert tail.read() == []
    assert tail.at_end


def test_a_file_that_appears_later_is_found(tmp_path):
    tail = EventTail(tmp_path / "e")
    assert tail.read() == []
    (tmp_path / "e").write_bytes(line_of() + b"\n")
    assert len(tail.read()) == 1


def test_a_file_that_shrank_is_read_again_from_its_start(tmp_path):
    tail = tail_of(tmp_path / "e", line_of(0) + b"\n" + line_of(1) + b"\n" + b"half")
    assert len(tail.read()) == 2
    (tmp_path / "e").write_bytes(line_of(7) + b"\n")
    assert [event.seq for event in tail.read()] == [7]
    assert (tail.restarts, tail.lines, tail.bad_lines) == (1, 1, 0)


# Writing.


class FullDisk:
    """Takes `room` bytes, and then refuses as a full disk does."""

    def __init__(self, monkeypatch, room):
        self.room = room
        self.real_write = os.write
        monkeypatch.setattr(event_log.os, "write", self.write)

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
    assert path.read_bytes().startswith(line_of(0) + b"\n" + line_of(1)[:20] + b"\n")
    tail = EventTail(path)
    assert [event.seq for event in read_to_end(tail)] == [0, 1]
    assert tail.bad_lines == 1


def test_a_number_that_is_not_finite_is_null_and_named(tmp_path):
    writer = EventWriter(tmp_path / "e")
    batch = Batch(epoch=1, step=1, steps_per_epoch=9, loss=float("nan"), accuracy=0.5, images_per_second=1.0, lr=0.1)
    writer.write(batch)
    writer.close()
    line = json.loads((tmp_path / "e").read_bytes())
    assert (line["loss"], line["nonfinite"]) == (None, ["loss"])


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
    monkeypatch.setattr(event_log.os, "fsync", refuse)
    writer.write(LOG)
    assert writer.error is None
    writer.write(started)
    assert writer.error.errno == errno.EIO


def test_every_event_reads_back_as_it_was_written(recorded_run):
    events = read_to_end(EventTail(recorded_run / "events.jsonl"))
    assert [decode_event(encode_event(event)) for event in events] == events
    assert any(isinstance(event, EpochEnded) for event in events)
