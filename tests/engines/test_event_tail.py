"""The reader of the event file: nothing in it upsets it, and good + bad = lines, whatever the file holds."""

import json
import os
import re
from itertools import pairwise

import msgspec
import pytest
from event_files import GARBAGE, LOG, line_of, read_to_end, tail_of
from hypothesis import example, given
from hypothesis import strategies as st
from open_files import held_open

from engines import event_tail
from engines.event_line import decode_event, encode_event
from engines.event_tail import MAX_LINE_BYTES, READ_BYTES, EventTail
from engines.events import Batch, Log, Samples, Telemetry, Unknown


@pytest.fixture(scope="module")
def recording(recorded_run):
    return (recorded_run / "events.jsonl").read_bytes()


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


def test_a_line_of_each_type_cut_at_any_seventh_byte_or_near_its_end_gives_the_one_before_it(recording, tmp_path):
    of_each_type = {json.loads(line)["type"]: line for line in recording.splitlines(keepends=True)}
    assert len(of_each_type) == 10
    # A cut within the pixels of many images is like any other, and there are too many of them.
    for line in of_each_type.values():
        content = line_of() + b"\n" + re.sub(rb'"[A-Za-z0-9+/=]{99,}"', b'"AAAA"', line)
        check_cuts(tmp_path / "e", content, [*range(0, len(content), 7), *range(len(content) - 9, len(content) + 1)])


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


@given(st.lists(GARBAGE, max_size=20))
@example([line_of() + line_of(), b"", line_of()])
@example([line_of()[:20], line_of()[20:], line_of()])
@example([b'{"type":"log","level":"info","message":"m"}', line_of()])
@example([b"", b"null", b'{"type":"log"}', b"[" * 10_000, b'{"a":' * 10_000])
@example([b'{"type":"later","seq":0,"time":0,"a":' + b"[" * 100_000])
@example([b'{"type":"log","seq":1' + b"0" * 4_000 + b',"time":1,"level":"info","message":"m"}'])
def test_every_line_is_good_or_bad(tmp_path_factory, lines):
    content = b"".join(line + b"\n" for line in lines)
    counts = {"good": 0, "bad": 0}
    for line in content.split(b"\n")[:-1]:
        try:
            decode_event(line)
            counts["good"] += 1
        except ValueError:
            counts["bad"] += 1
    tail = tail_of(tmp_path_factory.getbasetemp() / "lines", content)
    assert len(read_to_end(tail)) == counts["good"]
    assert tail.bad_lines == counts["bad"]
    assert tail.lines == sum(counts.values())
    tail.close()


@pytest.mark.parametrize("message", ['"\\u009b2J"', '"\x9b2J"', '"\x7f"'], ids=ascii)
def test_a_line_that_could_command_a_terminal_is_cleaned_among_others_too(tmp_path, message):
    command = line_of(1).replace(b'"m"', message.encode())
    tail = tail_of(tmp_path / "e", b"".join(line + b"\n" for line in (line_of(0), command, line_of(2))))
    events = read_to_end(tail)
    assert [event.seq for event in events] == [0, 1, 2]
    assert all(event.message.isprintable() for event in events)


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


def test_types_and_fields_that_are_not_known_are_passed_over(tmp_path):
    later = json.dumps({"type": "hologram", "seq": 1, "time": 2.0, "depth": 3}).encode()
    tail = tail_of(tmp_path / "e", line_of(0, mood="good") + b"\n" + later + b"\n" + line_of(2) + b"\n")
    first, unknown, third = read_to_end(tail)
    assert (first.seq, unknown, third.seq) == (0, Unknown(seq=1, time=2.0), 2)
    assert (tail.lines, tail.bad_lines) == (3, 0)


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
        assert len(tail._partial) <= MAX_LINE_BYTES + READ_BYTES
    assert [event.seq for event in events] == [0, 1]
    assert (tail.lines, tail.bad_lines) == (3, 1)


def test_a_line_may_be_as_long_as_the_longest_and_no_longer(tmp_path):
    room = MAX_LINE_BYTES - len(line_of(1, message=""))
    for message, bad_lines in (("x" * room, 0), ("x" * (room + 1), 1)):
        tail = tail_of(tmp_path / "e", b"".join(line + b"\n" for line in (line_of(0), line_of(1, message=message))))
        assert len(read_to_end(tail, 2 * MAX_LINE_BYTES)) == 2 - bad_lines
        assert (tail.lines, tail.bad_lines) == (2, bad_lines)


def test_the_end_of_a_huge_line_is_none_of_its_own(tmp_path):
    tail = tail_of(tmp_path / "e", b"x" * (MAX_LINE_BYTES + 1) + line_of(1) + b"\n" + line_of(2) + b"\n")
    assert tail.read(MAX_LINE_BYTES + 1) == []
    assert [event.seq for event in read_to_end(tail)] == [2]
    assert (tail.lines, tail.bad_lines) == (2, 1)


def test_a_byte_order_mark_at_the_start_is_no_fault(tmp_path):
    tail = tail_of(tmp_path / "e", b"\xef\xbb\xbf" + line_of() + b"\n")
    assert len(tail.read()) == 1


def test_a_long_backlog_is_read_thin_where_a_view_asks_for_that(tmp_path, monkeypatch):
    monkeypatch.setattr(event_tail, "THIN_ABOVE_BYTES", 30_000)
    monkeypatch.setattr(event_tail, "WHOLE_BELOW_BYTES", 10_000)
    monkeypatch.setattr(event_tail, "_STRIDE_BYTES", 1_000)
    batch = Batch(epoch=1, step=1, steps_per_epoch=9, loss=1.0, accuracy=0.5, images_per_second=1.0, lr=0.1)
    lines = []
    for seq in range(2_000):
        event = LOG if seq % 100 == 99 else batch
        lines.append(encode_event(msgspec.structs.replace(event, seq=seq, time=1.0)))
    path = tmp_path / "e"
    path.write_bytes(b"".join(lines))
    thin, exact = EventTail(path, thin=True), EventTail(path)
    some, every = read_to_end(thin, 5_000), read_to_end(exact, 5_000)
    assert len(every) == 2_000
    assert len(some) < 1_000
    assert [e for e in some if isinstance(e, Log)] == [e for e in every if isinstance(e, Log)]
    steps = [after.seq - before.seq for before, after in pairwise(some)]
    assert min(steps) >= 1
    assert max(steps) <= 20
    assert some[-30:] == every[-30:]
    assert some[-120:] != every[-120:]
    assert (thin.lines, thin.bad_lines) == (len(some), 0)


def test_a_skimmed_bite_gives_no_more_than_a_row_tells_and_its_newest_line(tmp_path):
    often = [
        Batch(epoch=1, step=1, steps_per_epoch=9, loss=1.0, accuracy=0.5, images_per_second=1.0, lr=0.1),
        Telemetry(cpu_percent=1.0, memory=2, gpus=[]),
        Samples(indices=[1], labels=[2]),
    ]
    events = [msgspec.structs.replace(e, seq=seq, time=1.0) for seq, e in enumerate([*often, LOG, *often])]
    (tmp_path / "e").write_bytes(b"".join(map(encode_event, events)))
    assert [event.seq for event in EventTail(tmp_path / "e", skim=True).read()] == [3, 6]


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


def test_a_file_is_opened_once_and_let_go_of_for_good(tmp_path):
    tail = tail_of(tmp_path / "e", line_of(0) + b"\n")
    assert len(read_to_end(tail)) == 1
    assert held_open(tmp_path) == 1
    for _ in range(2):
        tail.close()
        assert held_open(tmp_path) == 0
    with (tmp_path / "e").open("ab") as file:
        file.write(line_of(1) + b"\n")
    assert (read_to_end(tail), tail.at_end) == ([], True)
    assert held_open(tmp_path) == 0


def test_a_file_that_shrank_is_read_again_from_its_start(tmp_path):
    tail = tail_of(tmp_path / "e", line_of(0) + b"\n" + line_of(1) + b"\n" + b"half")
    assert len(tail.read()) == 2
    (tmp_path / "e").write_bytes(line_of(7) + b"\n")
    assert [event.seq for event in tail.read()] == [7]
    assert (tail.restarts, tail.lines, tail.bad_lines) == (1, 1, 0)
