"""Events that are damaged, between two attempts or while somebody watches: read past, counted, and gone on from."""

import json
import os
import resource
import subprocess
import sys
from contextlib import closing

import aftermath
import mishaps
import pytest
import real_worker
import rows
from held_training import held

from engines.events import EpochEnded
from engines.run_reader import RunReader

LOG = '{"type":"log","seq":%s,"time":1.0,"level":"info","message":%s}\n'
BATCH = (
    '{"type":"batch","seq":900,"time":1.0,"epoch":%s,"step":%s,"steps_per_epoch":%s,"loss":%s,"accuracy":0.5,'
    '"images_per_second":%s,"lr":0.001}\n'
)

DAMAGES = {
    "garbage": bytes(range(256)) * 64 + b"\n",
    "NUL runs": bytes(100_000) + b"\n",
    "empty lines": b"\n" * 1000,
    "CRLF": b"\r\n" * 10,
    "a BOM in the middle": b"\xef\xbb\xbf\n",
    "half an event": b'{"type":"batch","se\n',
    "no newline": b'{"type":"batch","se',
    "UTF-16": '{"type":"log"}\n'.encode("utf-16"),
    "no object": b'[]\n42\n"text"\nnull\ntrue\n',
    "no type": b'{"seq":1,"time":1.0}\n',
    "an unknown type": b'{"type":"from-the-future","seq":900,"time":1.0,"x":[1,2]}\n',
    "wrong types": (
        LOG % ('"one"', '"text"') + LOG % (1, "[1]") + BATCH % ('"x"', "{}", "[]", "true", "null")
    ).encode(),
    "NaN": (BATCH % (1, 1, 45, "NaN", 1.0)).encode(),
    "Infinity": (BATCH % (1, 1, 45, "-Infinity", 1.0)).encode(),
    "1e999": (BATCH % (1, 1, 45, "1e999", "1e999")).encode(),
    "1e308": (BATCH % (1, 1, 45, 1e308, 1e308)).encode(),
    "huge integers": (LOG % ("9" * 400, '"text"') + BATCH % ("9" * 400, 1, 45, 1.0, 1.0)).encode(),
    "negative numbers": (BATCH % (-1, -1, -45, -1.0, -1.0)).encode(),
    "100,000 brackets": b"[" * 100_000 + b"\n",
    "100,000 objects": b'{"a":' * 100_000 + b"\n",
    "escape sequences": (LOG % (900, json.dumps("\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"))).encode(),
    "raw escape bytes": (LOG % (900, '"\x1b[2J"')).encode(),
    "lone surrogates": (LOG % (900, r'"\ud800"')).encode(),
    "duplicate keys": b'{"type":"log","type":"batch","seq":1,"seq":2,"time":1.0}\n',
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_run_whose_events_are_damaged_is_read_past_it(crashed, damage):
    with (crashed / "events.jsonl").open("ab") as file:
        file.write(damage)
    aftermath.check_events(crashed, planted=True)
    aftermath.check_listed(crashed, "crashed")
    with closing(RunReader(crashed)) as reader:
        state = reader.read_all()
    assert [epoch.epoch for epoch in state.epochs][:4] == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["garbage", "no newline", "huge integers", "100,000 brackets", "NUL runs"])
def test_a_run_whose_events_are_damaged_goes_on(crashed, uninterrupted, name):
    with (crashed / "events.jsonl").open("ab") as file:
        file.write(DAMAGES[name])
    aftermath.check_goes_on(crashed)
    assert aftermath.learned(crashed) == aftermath.learned(uninterrupted)


@pytest.mark.parametrize("place", ["at its start", "at its end"])
def test_a_huge_line_costs_neither_memory_nor_what_is_beside_it(crashed, place):
    events = crashed / "events.jsonl"
    content = events.read_bytes()
    with events.open("wb") as file:
        if place == "at its end":
            file.write(content)
        file.seek(50 << 20, os.SEEK_CUR)  # A hole: 50 MB of NUL that take no room on the disk.
        file.write(b"\n")
        if place == "at its start":
            file.write(content)
    reads = (
        "import sys; from pathlib import Path; from engines.run_reader import RunReader;"
        "reader = RunReader(Path(sys.argv[1])); print(len(reader.read_all().epochs), reader.bad_lines)"
    )

    def little_memory():
        resource.setrlimit(resource.RLIMIT_AS, (120 << 20, 120 << 20))

    command = [sys.executable, "-c", reads, str(crashed)]
    told = subprocess.run(command, preexec_fn=little_memory, capture_output=True, text=True, check=True).stdout
    epochs, bad_lines = told.split()
    assert (int(epochs) >= 4, int(bad_lines)) == (True, 1)
    aftermath.check_goes_on(crashed)


def test_events_cut_off_while_they_are_written_and_watched(store):
    with held(3):
        worker = mishaps.start(store)
        reader = RunReader(worker.run_directory)
        mishaps.wait_for(lambda: reader.advance() and len(reader.state.epochs) >= 3, "three epochs")
        os.truncate(worker.run_directory / "events.jsonl", 0)
    with closing(reader):
        assert worker.process.wait(real_worker.PATIENCE_SECONDS) == 0
        assert reader.read_all().epochs[-1].epoch == mishaps.EPOCHS
        assert reader.status() == "completed"
    aftermath.check_listed(worker.run_directory, "completed")


def test_events_replaced_by_a_folder_while_they_are_written_and_watched(store):
    with held(1):
        worker = mishaps.start(store)
        events = worker.run_directory / "events.jsonl"
        reader = RunReader(worker.run_directory)
        mishaps.wait_for(lambda: reader.advance() and reader.state.epochs, "an epoch")
        moved = events.rename(worker.run_directory / "moved")
        events.mkdir()
    with closing(reader):
        assert worker.process.wait(real_worker.PATIENCE_SECONDS) == 0
        reader.read_all()
    aftermath.check_listed(worker.run_directory, "crashed")
    events.rmdir()
    moved.rename(events)
    aftermath.check(worker.run_directory, "completed", goes_on=False)


def test_events_that_were_removed_cost_the_curve_and_not_what_was_learned(crashed, uninterrupted):
    (crashed / "events.jsonl").unlink()
    ended = real_worker.go_on(crashed)
    assert ended.exit_code == 0
    assert [event.epoch for event in ended.events if isinstance(event, EpochEnded)][-1] == 6
    weights = aftermath.learned(crashed)[1]
    assert weights == aftermath.learned(uninterrupted)[1]


def test_a_clock_put_back_by_an_hour_between_two_attempts_is_no_stall_and_no_negative_time(crashed, store):
    events = crashed / "events.jsonl"
    lines = [json.loads(line) for line in events.read_bytes().splitlines()]
    ahead = [line | {"time": line["time"] + 3600} for line in lines]
    events.write_text("".join(json.dumps(line) + "\n" for line in ahead))
    aftermath.check(crashed, "crashed")
    (summary,) = rows.listed(store)
    assert summary.seconds >= 0
