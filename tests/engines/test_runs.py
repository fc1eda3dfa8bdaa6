"""The folder of runs: each start has a directory of its own, and a person's short name finds the right one or none."""

import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import msgspec
import pytest
import real_worker
from rows import listed

from engines import run_lock, run_reader
from engines.event_line import decode_event, encode_event
from engines.events import Batch, ControlApplied, EpochEnded, Log, Phase, Telemetry
from engines.problems import RunNotFound, StorageProblem, UsageProblem
from engines.run_reader import RunReader
from engines.runs import RUN_NAME, RunStore, read_spec, summarise
from engines.spec import RunSpec, encode_spec

SPEC = RunSpec(framework="rehearsal", model="nn", dataset="digits")


def make(store, name, spec=SPEC, age=0.0):
    """Make a run's directory by hand; `age` is how many seconds ago its spec was written."""
    directory = store.root / name
    directory.mkdir(parents=True)
    (directory / "spec.json").write_bytes(encode_spec(spec))
    moment = time.time() - age
    os.utime(directory / "spec.json", (moment, moment))
    return directory


def names(store):
    return [directory.name for directory in store.directories()]


def test_a_new_run_is_named_after_its_time_and_what_it_trains(store):
    directory = store.create(RunSpec())
    assert re.fullmatch(r"\d{8}-\d{6}-torch-lenet-mnist-[0-9a-f]{4}", directory.name)
    assert RUN_NAME.fullmatch(directory.name)


def test_a_new_run_is_private_and_holds_its_spec_with_every_default(store):
    directory = store.create(SPEC)
    assert {path.stat().st_mode & 0o777 for path in (store.root, directory, directory / "checkpoints")} == {0o700}
    assert (directory / "spec.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((directory / "spec.json").read_text()) == msgspec.to_builtins(SPEC)
    assert read_spec(directory) == SPEC


def test_twenty_runs_in_one_second_are_twenty_runs(store, monkeypatch):
    # With so few names that the same one comes up again and again.
    draws, urandom = iter([(i // 3).to_bytes(2) for i in range(60)]), os.urandom
    monkeypatch.setattr(os, "urandom", lambda n: next(draws) if n == 2 else urandom(n))
    with ThreadPoolExecutor(20) as pool:
        directories = list(pool.map(lambda _: store.create(SPEC), range(20)))
    assert len(set(directories)) == 20
    assert len(names(store)) == 20


def create_in(root):
    return RunStore(root).create(SPEC).name


def test_twenty_processes_make_twenty_runs(store):
    with get_context("fork").Pool(20) as pool:
        made = pool.map(create_in, [store.root] * 20, chunksize=1)
    assert len(set(made)) == 20
    assert set(names(store)) == set(made)


@pytest.mark.parametrize("field", ["model", "dataset"])
def test_a_spec_can_never_name_a_place_outside_the_folder(store, field):
    directory = store.create(msgspec.structs.replace(SPEC, **{field: "../../../x\n\x1b[2J"}))
    assert directory.parent == store.root
    assert RUN_NAME.fullmatch(directory.name)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageProblem, match="--runs-dir") as caught:
        RunStore(tmp_path / "file").create(SPEC)
    assert caught.value.exit_code == 8


def test_a_name_that_is_no_text_is_wrong_usage_and_makes_nothing(tmp_path):
    with pytest.raises(UsageProblem):
        RunStore(tmp_path / "runs").create(msgspec.structs.replace(SPEC, data_dir=os.fsdecode(b"/\xff")))
    with pytest.raises(UsageProblem):
        RunStore(tmp_path / os.fsdecode(b"\xff")).create(SPEC)
    assert list(tmp_path.iterdir()) == []


def test_newest_first(store):
    make(store, "20260101-000000-a")
    make(store, "20270101-000000-b")
    make(store, "20260615-000000-c")
    assert names(store) == ["20270101-000000-b", "20260615-000000-c", "20260101-000000-a"]


def test_within_a_second_the_later_one_is_newer_whatever_its_name(store):
    make(store, "20260101-000000-zz", age=30)
    make(store, "20260101-000000-aa", age=10)
    make(store, "20260101-000000-mm", age=20)
    assert [name[-2:] for name in names(store)] == ["aa", "mm", "zz"]


def test_a_later_attempt_does_not_make_a_run_newer(store):
    older = make(store, "20260101-000000-older", age=30)
    newer = make(store, "20260101-000000-newer", age=10)
    for directory, age in ((older, 29), (newer, 9)):
        (directory / "lock").touch()
        os.utime(directory / "lock", (time.time() - age,) * 2)
    (older / "spec.json").write_bytes(encode_spec(SPEC))
    assert store.find("last") == newer


def test_a_run_of_another_name_takes_its_age_from_its_files(store):
    make(store, "by-hand", age=0.0)
    make(store, "20200101-000000-old")
    make(store, "20990101-000000-far")
    assert names(store) == ["20990101-000000-far", "by-hand", "20200101-000000-old"]


def test_what_is_no_run_is_left_out(store, tmp_path):
    run = make(store, "20260101-000000-run")
    (store.root / "empty").mkdir()
    (store.root / "file").write_text("spec.json")
    (store.root / "link").symlink_to(run)
    (store.root / "dangling").symlink_to(tmp_path / "nowhere")
    make(store, ".hidden")
    make(store, "-n")
    make(store, "with space")
    make(store, "esc\x1b[2Jape")
    make(store, "x" * 200)
    assert names(store) == ["20260101-000000-run"]


def test_events_without_a_spec_are_a_run_too(store):
    directory = make(store, "foreign")
    (directory / "spec.json").unlink()
    (directory / "events.jsonl").touch()
    assert names(store) == ["foreign"]
    assert summarise(directory).spec is None


def test_a_folder_that_is_not_there_has_no_runs(store):
    assert store.directories() == []


@pytest.fixture
def several(store):
    for name in ("20260101-000000-torch-nn-1111", "20260101-000000-torch-nn-1122", "20260202-000000-torch-nn-3333"):
        make(store, name, age=int(name[-4:]))
    return store


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("last", "20260202-000000-torch-nn-3333"),
        ("202602", "20260202-000000-torch-nn-3333"),
        ("20260101-000000-torch-nn-1122", "20260101-000000-torch-nn-1122"),
        ("20260101-000000-torch-nn-111", "20260101-000000-torch-nn-1111"),
    ],
)
def test_a_run_is_found_by_its_id_or_the_beginning_of_it_or_last(several, typed, found):
    assert several.find(typed).name == found


def test_a_whole_id_is_found_even_where_it_begins_another(several):
    make(several, "20260202-000000-torch-nn-3333-copy")
    assert several.find("20260202-000000-torch-nn-3333").name == "20260202-000000-torch-nn-3333"


def test_an_ambiguous_beginning_names_two_that_it_may_mean(several):
    with pytest.raises(RunNotFound, match=r"2 runs begin with '20260101'.*1111.*1122") as caught:
        several.find("20260101")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "typed", ["../../x", "..", ".", "", "/", "/etc", "20260202-000000-torch-nn-3333/", "*", "\x00"]
)
def test_what_names_no_run_finds_none(several, typed):
    (several.root.parent / "x").mkdir()
    with pytest.raises(RunNotFound) as caught:
        several.find(typed)
    assert caught.value.exit_code == 3


def test_an_attack_in_a_name_comes_back_harmless(several):
    with pytest.raises(RunNotFound) as caught:
        several.find("\x1b[2J\u202e")
    assert str(caught.value).isprintable()


def test_without_runs_it_is_said_how_to_start_one(store):
    with pytest.raises(RunNotFound, match="Start one"):
        store.find("last")


def test_a_summary_tells_how_a_run_ended(finished_run):
    summary = summarise(finished_run)
    finished = real_worker.read_events(finished_run)[-1]
    assert (summary.run_id, summary.state, summary.attempt, summary.epochs_done) == (
        finished_run.name,
        "completed",
        1,
        3,
    )
    assert summary.test_accuracy == finished.test_accuracy
    assert summary.best_epoch == finished.best_epoch
    assert summary.spec == real_worker.spec_of(epochs=3)
    assert summary.started <= time.time()
    assert summary.seconds >= finished.seconds - 0.1


def test_the_time_between_two_attempts_is_not_what_a_run_took(finished_run):
    took = summarise(finished_run).seconds
    path = finished_run / "events.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    an_hour_later = [event | {"seq": event["seq"] + len(events), "time": event["time"] + 3600} for event in events]
    path.write_text("".join(f"{json.dumps(event)}\n" for event in (*events, *an_hour_later)))
    assert summarise(finished_run).seconds == pytest.approx(2 * took)


def test_an_epoch_that_ended_in_its_middle_counts_as_a_whole_one_in_what_an_epoch_takes(finished_run):
    path = finished_run / "events.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in (event for event in events if event["type"] == "epoch"):
        half = {"part": 0.5, "seconds": 5.0, "train_seconds": 4.0} if event["epoch"] == 3 else {"seconds": 9.0}
        event.update(half)
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    assert summarise(finished_run).epoch_seconds == pytest.approx(9.0)


def test_of_a_run_that_trained_for_hours_every_epoch_and_attempt_is_told(finished_run):
    path = finished_run / "events.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()][:-1]
    batch, epoch = (next(event for event in events if event["type"] == name) for name in ("batch", "epoch"))
    hours = [batch] * 12_000
    fourth = epoch | {"epoch": 4, "test_accuracy": 0.999}
    again = [event for event in events if event["type"] != "epoch"]
    start = next(event for event in again if event["type"] == "run_started")
    again[again.index(start)] = start | {"attempt": 2, "epochs_done": 4}
    began, ended = events[0]["time"], events[-1]["time"]
    first = [event | {"time": ended} for event in (*hours, fourth, *hours)]
    second = [event | {"time": event["time"] + 86_400} for event in again]
    last = [event | {"time": ended + 86_400} for event in hours]
    path.write_text("".join(f"{json.dumps(event)}\n" for event in (*events, *first, *second, *last)))

    row = summarise(finished_run)
    assert (row.attempt, row.best_epoch, row.best_test_accuracy) == (2, 4, 0.999)
    assert row.seconds == pytest.approx(2 * (ended - began))


@pytest.mark.parametrize("patience", [None, 1])
def test_validation_accuracy_is_that_of_the_weights_a_run_ended_with(store, patience):
    # With this rate the accuracy goes up and down, so that the best epoch is not the last.
    ended = real_worker.train(store, epochs=12, validation=200, patience=patience, lr=0.05)
    epochs = [event for event in ended.events if isinstance(event, EpochEnded)]
    best = max(epoch.validation_accuracy for epoch in epochs)
    assert epochs[-1].validation_accuracy < best
    assert summarise(ended.directory).validation_accuracy == (best if patience else epochs[-1].validation_accuracy)


def test_a_summary_of_a_long_file_reads_its_two_ends(finished_run, monkeypatch):
    whole = summarise(finished_run)
    events = finished_run / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    middle = next(i for i, line in enumerate(lines) if b'"type":"batch"' in line)
    chatter = encode_event(Log(level="info", message="m" * 200, seq=1, time=decode_event(lines[middle]).time))
    count = run_reader.WHOLE_FILE_BYTES // len(chatter) + 1
    events.write_bytes(b"".join(lines[:middle] + [chatter] * count + lines[middle:]))
    read = []
    real_pread = os.pread

    def note_read(fd, length, offset):
        read.append(real_pread(fd, length, offset))
        return read[-1]

    monkeypatch.setattr(os, "pread", note_read)
    assert summarise(finished_run) == whole
    assert sum(map(len, read)) <= run_reader.HEAD_BYTES + run_reader.TAIL_BYTES


def lengthened(run, *ends):
    """Give a run's record more than is read whole: batches, then each of `ends` with a night of telemetry after it."""
    batch = Batch(
        epoch=1, step=1, steps_per_epoch=9, loss=1.0, accuracy=0.5, images_per_second=9.0, lr=0.1, seq=1, time=1.0
    )
    silent = encode_event(Telemetry(cpu_percent=1.0, memory=1, gpus=[], seq=1, time=time.time()))
    night = silent * (2 * run_reader.TAIL_BYTES // len(silent))
    with (run / "events.jsonl").open("ab") as file:
        file.write(encode_event(batch) * (run_reader.WHOLE_FILE_BYTES // 100))
        for end in ends:
            file.write(encode_event(msgspec.structs.replace(end, seq=1, time=time.time())) + night)


@pytest.mark.parametrize(
    ("asked", "state"),
    [(["pause"], "paused"), (["pause", "lr"], "paused"), (["pause", "resume"], "running"), ([], "running")],
    ids=["paused", "paused-then-lr", "resumed", "never-paused"],
)
def test_a_summary_of_a_long_file_finds_a_pause_however_long_ago(store, monkeypatch, asked, state):
    directory = make(store, "r")
    began = Phase(name="train", state="started", done=0, total=5, unit="epochs", seconds=0.0)
    (directory / "events.jsonl").write_bytes(encode_event(msgspec.structs.replace(began, seq=0, time=1.0)))
    lengthened(directory, Log(level="info", message="m"), *(ControlApplied(action=action) for action in asked))
    monkeypatch.setattr(run_lock, "holder", lambda path: 1234)
    assert summarise(directory).state == state


def test_a_summary_of_a_long_file_does_not_take_an_earlier_attempts_end_for_its_own(finished_run, monkeypatch):
    head = (finished_run / "events.jsonl").stat().st_size
    reader = RunReader(finished_run)
    second = msgspec.structs.replace(reader.read_all().started, attempt=2, seq=reader.state.next_seq)
    reader.close()
    with (finished_run / "events.jsonl").open("ab") as file:
        file.write(encode_event(second))
    lengthened(finished_run, Log(level="info", message="m"))
    monkeypatch.setattr(run_reader, "HEAD_BYTES", head)
    assert summarise(finished_run).state == "crashed"


def test_a_pipe_or_a_huge_file_in_the_place_of_a_spec_is_none_and_never_waited_for(store):
    directory = make(store, "r")
    (directory / "spec.json").write_bytes(b" " * (1 << 20) + encode_spec(SPEC))
    assert read_spec(directory) is None
    (directory / "spec.json").unlink()
    os.mkfifo(directory / "spec.json")
    assert read_spec(directory) is None
    assert summarise(directory).spec is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"x":' + b"[" * 60_000, b'{"epochs":0}', b'{"framework":"jax"}', b'{"device":"/x"}'],
)
def test_a_spec_that_makes_no_sense_is_none(store, content):
    directory = make(store, "r")
    (directory / "spec.json").write_bytes(content)
    assert read_spec(directory) is None


def test_only_runs_with_a_worker_are_alive(store, finished_run):
    worker = real_worker.start(store, epochs=100_000)
    try:
        assert store.alive() == [worker.run_directory]
        assert {summary.state for summary in listed(store)} == {"running", "completed"}
    finally:
        worker.process.kill()
        worker.process.wait()
    assert store.alive() == []
