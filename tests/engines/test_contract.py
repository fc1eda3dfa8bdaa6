"""A real worker keeps the contract of the run directory line by line, however its run ends."""

import json

import contract
import pytest
import real_worker
from held_training import held

from engines import control


def check(run, attempt_offset=0, first_seq=0):
    contract.check_directory(run.directory)
    content = (run.directory / "events.jsonl").read_bytes()[attempt_offset:]
    return contract.check_attempt(content, first_seq)


def test_a_run_from_start_to_end(recorded_run):
    contract.check_directory(recorded_run)
    events = contract.check_attempt((recorded_run / "events.jsonl").read_bytes())
    assert {event["type"] for event in events} == contract.REQUIRED.keys() - {"control", "log"}
    assert events[-1]["state"] == "completed"
    assert [event["kind"] for event in events if event["type"] == "checkpoint"].count("last") == 3


def test_a_run_that_was_stopped_and_each_attempt_after_it(store):
    with held(0, within=True):
        worker = real_worker.start(store, batch_size=4)
        real_worker.wait_until(worker.run_directory, real_worker.in_training)
        control.ask(worker.run_directory, "stop")
        stopped = real_worker.ended(worker)
    first = check(stopped)
    assert (first[-1]["state"], stopped.exit_code) == ("stopped", 10)
    assert [(event["action"], event["by"] != "") for event in first if event["type"] == "control"] == [("stop", True)]
    offset = (stopped.directory / "events.jsonl").stat().st_size
    second = check(real_worker.go_on(stopped.directory), offset, len(first))
    start = next(event for event in second if event["type"] == "run_started")
    saved = [event for event in first if event["type"] == "checkpoint"][-1]
    assert start["attempt"] == 2
    assert start["epochs_done"] * 360 + start["steps_done"] == (saved["epoch"] - 1) * 360 + saved["step"]
    assert second[-1]["state"] == "completed"


def test_a_run_stopped_in_its_first_epoch_has_no_epoch_done(store):
    with held(0, within=True):
        worker = real_worker.start(store)
        real_worker.wait_until(worker.run_directory, real_worker.in_training)
        control.ask(worker.run_directory, "stop")
        events = check(real_worker.ended(worker))
    trained = [event for event in events if event["type"] == "phase" and event["name"] == "train"][-1]
    assert (trained["state"], trained["done"], trained["total"]) == ("finished", 0, 2)
    assert events[-1]["epochs"] == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"lr": 1e38},
        {"lr": 1e38, "on_nan": "continue"},
        {"device": "cuda"},
        {"dataset": "mnist", "data_dir": "/dev/null/x"},
    ],
    ids=["non-finite", "non-finite-continued", "no-device", "no-data"],
)
def test_a_run_in_which_things_go_wrong(store, asked):
    run = real_worker.train(store, **asked)
    assert check(run)[-1]["state"] == ("completed" if "on_nan" in asked else "failed")


def changed(content, change):
    events = [json.loads(line) for line in content.splitlines()]
    change(events)
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def first_of(events, kind):
    return next(event for event in events if event["type"] == kind)


BREACHES = {
    "a gap in seq": lambda events: events[5].update(seq=99),
    "an event lost": lambda events: events.pop(7),
    "time goes backward": lambda events: events[3].update(time=0.0),
    "a field is missing": lambda events: first_of(events, "batch").pop("lr"),
    "a field too many": lambda events: first_of(events, "batch").update(mood=1),
    "a field of another type": lambda events: first_of(events, "epoch").update(epoch=1.5),
    "an accuracy in percent": lambda events: first_of(events, "epoch").update(train_accuracy=97.0),
    "null without a word": lambda events: first_of(events, "batch").update(loss=None),
    "no images": lambda events: first_of(events, "samples").pop("images"),
    "a confusion that lost an image": lambda events: first_of(events, "epoch")["confusion"][0].__setitem__(0, 0),
    "an unfinished phase": lambda events: first_of(events, "phase").update(state="finished"),
    "something after the end": lambda events: events.append(dict(events[0], seq=len(events), time=9e9)),
    "an error without a failure": lambda events: events[-1].update(error={"kind": "failed", "message": "", "hint": ""}),
    "figures missing at the end": lambda events: events[-1].update(test_accuracy=None),
    "a run that never started": lambda events: first_of(events, "run_started").update(type="log", level="info"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_the_check_itself_sees_a_breach(recorded_run, breach):
    content = changed((recorded_run / "events.jsonl").read_bytes(), BREACHES[breach])
    with pytest.raises((AssertionError, KeyError)):
        contract.check_attempt(content)


def test_a_run_that_chooses_on_held_out_images_and_stops_early(store):
    run = real_worker.train(store, epochs=40, validation=200, patience=2, lr=0.05)
    events = check(run)
    start = next(event for event in events if event["type"] == "run_started")
    ended, end = [event for event in events if event["type"] == "epoch"], events[-1]
    assert (run.exit_code, start["train_size"]) == (0, 1237)
    assert (end["state"], end["chosen_on"], end["epochs"]) == ("completed", "validation", len(ended))
    assert len(ended) == end["best_epoch"] + 2 < 40
    # The figures at the end are those of the weights that are restored.
    assert end["test_accuracy"] == end["best_test_accuracy"] == ended[end["best_epoch"] - 1]["test_accuracy"]
    said = [event["message"] for event in events if event["type"] == "log"]
    assert said == [
        "Stopped early: 2 epochs without a better one. "
        f"The weights of epoch {end['best_epoch']}, best on the validation images, are restored."
    ]
