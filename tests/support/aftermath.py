"""What must hold of a run after every fault, whatever the fault was; a check that fails says what it found instead."""

import hashlib
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import real_worker
import rows

from engines import run_lock
from engines.checkpoints import Manifest
from engines.event_tail import EventTail
from engines.run_reader import RunReader
from engines.runs import RunStore


def check(directory, state, *, goes_on=True, planted=False):
    """Check all that must hold of a run whose worker has ended, and that it goes on to its end from there.

    `planted` events are those of a test, which `seq` says nothing about.
    """
    check_events(directory, planted=planted)
    check_checkpoints(directory)
    check_listed(directory, state)
    assert run_lock.holder(directory / "lock") is None, "the lock is held"
    if goes_on:
        check_goes_on(directory, planted=planted)


def check_goes_on(directory, *, planted=False):
    """Go on with a run; its end must be whole, its curve without a doubled or backward step, its folder tidy."""
    ended = real_worker.go_on(directory)
    assert ended.exit_code == 0, f"going on ended with {ended.exit_code}: {ended.finished.error}"
    check(directory, "completed", goes_on=False, planted=planted)
    check_curve(directory)
    assert not list(directory.rglob(".tmp-*")), "temporary files are left"


def check_events(directory, *, planted=False):
    """Every line that ends in a newline is an event or counted as bad; `seq` grows without a gap."""
    path = directory / "events.jsonl"
    content = path.read_bytes() if path.exists() else b""
    with closing(EventTail(path)) as tail:
        events = tail.read()
        while not tail.at_end:
            events += tail.read()
        assert tail.lines == content.count(b"\n"), f"{tail.lines} lines were read of {content.count(10)}"
    if not planted:
        assert tail.bad_lines + len(events) == tail.lines, f"{tail.bad_lines} bad and {len(events)} good"
        numbers = [event.seq for event in events]
        assert numbers == list(range(len(numbers))), "seq has a gap"


def check_checkpoints(directory):
    """Every checkpoint that has a manifest of ours is what its manifest says."""
    for path in filter(Path.is_file, (directory / "checkpoints").glob("*.json")):
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        tensors = path.with_suffix(".safetensors").read_bytes()
        assert (len(tensors), hashlib.sha256(tensors).hexdigest()) == (manifest.size, manifest.sha256), path.name


def check_listed(directory, state):
    """The list of runs has the run, in its true state."""
    listed = {run.run_id: run.state for run in rows.listed(RunStore(directory.parent))}
    assert listed[directory.name] == state


def check_curve(directory):
    """Every epoch is there once, and no series has a doubled or backward step."""
    with closing(RunReader(directory)) as reader:
        state = reader.read_all()
    assert [epoch.epoch for epoch in state.epochs] == list(range(1, state.spec.epochs + 1))
    for series in (state.train_loss, state.train_accuracy, state.throughput):
        places = [point.x for point in series]
        assert all(a < b for a, b in pairwise(places)), f"the curve steps back: {places}"


def check_words(text):
    """A message is one to three lines, no traceback, and nothing in it commands a terminal."""
    lines = text.splitlines()
    assert 1 <= len(lines) <= 3, text
    assert "Traceback" not in text, text
    assert all(line.isprintable() for line in lines), ascii(text)


def learned(directory):
    """Give what a run came to, to compare two: every epoch's figures, and the hash of its last weights."""
    with closing(RunReader(directory)) as reader:
        epochs = reader.read_all().epochs
    (weights,) = (directory / "checkpoints").glob(f"last-{epochs[-1].epoch:05d}-*.safetensors")
    return real_worker.figures(epochs), hashlib.sha256(weights.read_bytes()).hexdigest()
