"""What a run directory promises to whoever reads it, as checks on the bytes themselves and on nothing of ours."""

import base64
import json
import math
import re
import stat

PHASES = ["import", "data", "build", "train", "save", "evaluate"]
ERROR_KINDS = {
    *("failed", "usage", "run-not-found", "dataset", "checkpoint", "unavailable", "busy", "storage"),
    *("non-finite-loss", "out-of-memory", "worker-died"),
}


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_positive(value):
    return is_number(value) and value > 0


def is_seconds(value):
    return is_number(value) and value >= 0


def is_fraction(value):
    return is_number(value) and 0 <= value <= 1


def is_text(value):
    return isinstance(value, str)


def is_switch(value):
    return isinstance(value, bool)


def maybe(check):
    return lambda value: value is None or check(value)


def one_of(*values):
    return lambda value: value in values


def each(check):
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


def with_fields(**checks):
    return lambda value: (
        isinstance(value, dict) and value.keys() == checks.keys() and all(c(value[k]) for k, c in checks.items())
    )


is_epoch = is_positive_count = lambda value: is_count(value) and value > 0
is_label = one_of(*range(10))
is_spec = with_fields(
    framework=one_of("torch", "tensorflow", "rehearsal"),
    model=is_text,
    dataset=is_text,
    epochs=maybe(is_positive_count),
    budget=maybe(is_positive),
    batch_size=is_positive_count,
    lr=is_positive,
    seed=is_count,
    device=is_text,
    precision=one_of("float32", "bfloat16", "auto"),
    gpu_memory_limit=maybe(is_positive_count),
    data_dir=maybe(is_text),
    target_accuracy=maybe(is_fraction),
    on_nan=one_of("stop", "continue"),
    validation=is_count,
    patience=maybe(is_positive_count),
    recipe=one_of("article", "fast", "best"),
    optimizer=one_of("adam", "adamw", "sgd"),
    schedule=one_of("constant", "one-cycle", "cosine", "triangle"),
    warmup=is_fraction,
    weight_decay=is_seconds,
    bias_rate=is_positive,
    label_smoothing=is_fraction,
    weight_average=is_fraction,
    test_flips=is_switch,
    flip=is_switch,
    shift=is_count,
    erase=is_count,
    rotate=is_seconds,
    scale=is_fraction,
    shear=is_fraction,
)
is_gpu = with_fields(
    name=is_text,
    utilization=maybe(is_fraction),
    memory_used=maybe(is_count),
    memory_total=maybe(is_count),
    temperature=maybe(is_number),
    power=maybe(is_number),
    memory_run=maybe(is_count),
)

REQUIRED = {
    "run_started": {
        "run_id": is_text,
        "attempt": is_positive_count,
        "epochs_done": is_count,
        "steps_done": is_count,
        "spec": is_spec,
        "device": is_text,
        "framework_version": is_text,
        "parameter_count": is_count,
        "parameters": each(with_fields(name=is_text, shape=each(is_count), count=is_count)),
        "train_size": is_count,
        "test_size": is_count,
        "class_names": each(is_text),
    },
    "phase": {
        "name": one_of(*PHASES),
        "state": one_of("started", "progress", "finished"),
        "done": is_count,
        "total": maybe(is_count),
        "unit": is_text,
        "seconds": is_seconds,
    },
    "samples": {"indices": each(is_count), "labels": each(is_label)},
    "mistakes": {
        "epoch": is_epoch,
        "count": is_count,
        "indices": each(is_count),
        "labels": each(is_label),
        "predictions": each(is_label),
        "confidences": each(maybe(is_fraction)),
    },
    "filters": {
        "epoch": is_count,
        "layer": is_text,
        "count": is_positive_count,
        "height": is_positive_count,
        "width": is_positive_count,
        "scale": is_seconds,
        "pixels": is_text,
    },
    "batch": {
        "epoch": is_epoch,
        "step": is_positive_count,
        "steps_per_epoch": is_positive_count,
        "loss": maybe(is_number),
        "accuracy": is_fraction,
        "images_per_second": is_positive,
        "lr": is_positive,
    },
    "epoch": {
        "epoch": is_epoch,
        "epochs": is_positive_count,
        "train_loss": maybe(is_number),
        "train_accuracy": is_fraction,
        "test_loss": maybe(is_number),
        "test_accuracy": is_fraction,
        "confusion": each(each(is_count)),
        "seconds": is_seconds,
        "train_seconds": is_seconds,
        "images_per_second": is_positive,
    },
    "telemetry": {"cpu_percent": is_number, "memory": is_positive_count, "gpus": each(is_gpu)},
    "checkpoint": {"path": is_text, "epoch": is_epoch, "step": is_positive_count, "kind": one_of("last", "best")},
    "control": {"action": is_text, "value": maybe(is_number)},
    "log": {"level": one_of("info", "warning", "error"), "message": is_text},
    "run_finished": {
        "state": one_of("completed", "stopped", "failed"),
        "epochs": is_count,
        "seconds": is_seconds,
        "train_accuracy": maybe(is_fraction),
        "train_loss": maybe(is_number),
        "test_accuracy": maybe(is_fraction),
        "test_loss": maybe(is_number),
        "best_epoch": maybe(is_epoch),
        "best_test_accuracy": maybe(is_fraction),
    },
}
OPTIONAL = {
    "samples": {
        "images": is_text,
        "predictions": each(is_label),
        "confidences": each(maybe(is_fraction)),
        "epoch": is_epoch,
        "step": is_positive_count,
    },
    "mistakes": {"image_indices": each(is_count), "images": is_text},
    "control": {"id": is_text, "by": is_text},
    "epoch": {
        "evaluate_seconds": is_seconds,
        "validation_loss": maybe(is_number),
        "validation_accuracy": is_fraction,
        "part": is_fraction,
    },
    "run_started": {"epoch_seconds": is_seconds},
    "batch": {"trained_seconds": is_positive},
    "checkpoint": {"seconds": is_seconds},
    "run_finished": {
        "chosen_on": one_of("test", "validation"),
        "best_validation_accuracy": maybe(is_fraction),
        "highest_test_accuracy": is_fraction,
        "error": with_fields(kind=one_of(*ERROR_KINDS), message=is_text, hint=is_text),
    },
}


def check_attempt(content, first_seq=0):
    """Check all that one attempt wrote, line by line and as a whole, and give its events as dictionaries."""
    assert content.endswith(b"\n")
    events = [json.loads(line, parse_constant=_refuse) for line in content.split(b"\n")[:-1]]
    for at, event in enumerate(events):
        assert event["seq"] == first_seq + at, f"seq {event['seq']} after {at} events from {first_seq} on"
        _check_fields(event)
    times = [event["time"] for event in events]
    assert times == sorted(times), "time goes backward"
    _check_phases(events)
    _check_start(events)
    _check_samples(_of(events, "samples"))
    _check_mistakes(events)
    _check_training(events)
    _check_end(events)
    return events


def check_directory(directory):
    """Check names and modes of all that a run has left."""
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "checkpoints").stat().st_mode) == 0o700
    names = {path.name for path in directory.iterdir()} - {"control.json"}
    assert names == {"spec.json", "events.jsonl", "lock", "worker.log", "checkpoints"}
    saved = {path.name for path in (directory / "checkpoints").iterdir()}
    assert all(re.fullmatch(r"(last|best)-\d+-\d+\.(json|safetensors)", name) for name in saved)
    assert {name[:-5] for name in saved if name.endswith(".json")} == {name[:-12] for name in saved if name[-1] == "s"}
    for path in [*directory.iterdir(), *(directory / "checkpoints").iterdir()]:
        assert path.is_dir() or stat.S_IMODE(path.stat().st_mode) == 0o600, f"{path.name} is not private"


def _refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def _of(events, *types):
    return [event for event in events if event["type"] in types]


def _check_fields(event):
    required, optional = REQUIRED[event["type"]], OPTIONAL.get(event["type"], {})
    assert is_number(event["time"])
    fields = event.keys() - {"type", "seq", "time", "nonfinite"}
    assert required.keys() <= fields, f"{event['type']} lacks {required.keys() - fields}"
    assert fields <= required.keys() | optional.keys(), (
        f"{event['type']} has {fields - required.keys() - optional.keys()}"
    )
    for name in fields:
        assert (required | optional)[name](event[name]), f"{event['type']}.{name} is {event[name]!r}"
    nonfinite = event.get("nonfinite", [])
    assert all(name in fields for name in nonfinite)
    if event["type"] in ("batch", "epoch"):
        assert {name for name in fields if event[name] is None} == set(nonfinite)


def _check_phases(events):
    phases = _of(events, "phase")
    started = [phase["name"] for phase in phases if phase["state"] == "started"]
    assert started == PHASES[: len(started)], f"phases began as {started}"
    current = None
    for phase in phases:
        if phase["state"] == "started":
            assert current is None, f"{phase['name']} began within {current and current['name']}"
            assert phase["done"] == 0
        else:
            assert current is not None
            assert phase["name"] == current["name"]
            assert phase["done"] >= current["done"]
            assert phase["seconds"] >= current["seconds"]
        if phase["total"] is not None:
            assert phase["done"] <= phase["total"]
        current = None if phase["state"] == "finished" else phase
    if events[-1]["state"] == "completed":
        assert current is None
        assert started == PHASES
        finished = {phase["name"]: phase for phase in phases if phase["state"] == "finished"}
        assert all(finished[name]["done"] == finished[name]["total"] for name in PHASES if name != "train")


def _check_start(events):
    if not (started := _of(events, "run_started")):
        assert events[-1]["state"] != "completed"
        return
    assert len(started) == 1
    start, at = started[0], events.index(started[0])
    assert {phase["name"] for phase in _of(events[:at], "phase") if phase["state"] == "finished"} == set(PHASES[:3])
    assert not _of(events[:at], "batch", "epoch", "samples", "mistakes", "filters", "checkpoint")
    assert start["parameter_count"] == sum(parameter["count"] for parameter in start["parameters"])
    assert all(parameter["count"] == math.prod(parameter["shape"]) for parameter in start["parameters"])
    assert len(start["class_names"]) == 10


def _check_samples(samples):
    for at, event in enumerate(samples):
        count = len(event["indices"])
        assert len(event["labels"]) == count
        assert ("images" in event) == (at == 0), "images are in the first samples event, and there only"
        if at == 0:
            assert len(base64.b64decode(event["images"], validate=True)) == count * 28 * 28
            assert "predictions" not in event
        else:
            assert len(event["predictions"]) == len(event["confidences"]) == count
            assert {"epoch", "step"} <= event.keys()
            assert (event["indices"], event["labels"]) == (samples[0]["indices"], samples[0]["labels"])


def _check_mistakes(events):
    confusions = {event["epoch"]: event["confusion"] for event in _of(events, "epoch")}
    seen = set()
    for event in _of(events, "mistakes"):
        confusion = confusions[event["epoch"]]
        assert event["count"] == sum(map(sum, confusion)) - sum(confusion[i][i] for i in range(10))
        cells = list(zip(event["labels"], event["predictions"], strict=True))
        assert all(a != b and cells.count((a, b)) <= confusion[a][b] for a, b in cells)
        assert len(event["indices"]) == len(cells) == len(event["confidences"]) <= 200
        new = event.get("image_indices", [])
        assert len(base64.b64decode(event.get("images", ""), validate=True)) == len(new) * 28 * 28
        assert not seen & set(new), "an image comes twice"
        seen.update(new)
        assert set(event["indices"]) <= seen, "a mistake has no image"


def _check_training(events):
    if not (started := _of(events, "run_started")):
        return
    start = started[0]
    steps = math.ceil(start["train_size"] / start["spec"]["batch_size"])
    batches, epochs = _of(events, "batch"), _of(events, "epoch")
    assert all(batch["steps_per_epoch"] == steps for batch in batches)
    places = [(batch["epoch"] - 1) * steps + batch["step"] for batch in batches]
    assert places == sorted(set(places)), "steps are told twice or backward"
    assert all(place > start["epochs_done"] * steps + start["steps_done"] for place in places)
    # The one that a loss ended in does not wait.
    between = [batch for batch in batches if batch["step"] < steps and batch["loss"] is not None]
    assert len(between) <= 10 * (events[-1]["time"] - start["time"]) + 1, "more than ten batches a second"
    numbers = [epoch["epoch"] for epoch in epochs]
    assert numbers == list(range(start["epochs_done"] + 1, start["epochs_done"] + 1 + len(epochs)))
    for epoch in epochs:
        if start["spec"]["budget"] is None:
            assert epoch["epochs"] == start["spec"]["epochs"]
            assert "part" not in epoch
        else:
            assert epoch["epochs"] >= epoch["epoch"]
            assert "part" not in epoch or epoch is epochs[-1], "an epoch in the middle of a run is whole"
        _check_confusion(epoch, start["test_size"])
        assert epoch["train_seconds"] <= epoch["seconds"] + 1e-6
        before = [batch for batch in batches if batch["seq"] < epoch["seq"]]
        assert (before[-1]["epoch"], before[-1]["step"]) == (
            epoch["epoch"],
            round(epoch.get("part", 1) * steps),
        ), "an epoch's last step is missing"
    for saved in _of(events, "checkpoint"):
        assert re.fullmatch(r"checkpoints/[a-z]+-\d+-\d+\.safetensors", saved["path"])
        assert saved["step"] <= steps


def _check_confusion(epoch, test_size):
    confusion = epoch["confusion"]
    assert [len(row) for row in confusion] == [10] * 10
    assert sum(map(sum, confusion)) == test_size
    assert math.isclose(sum(confusion[i][i] for i in range(10)) / test_size, epoch["test_accuracy"], abs_tol=1e-9)


def _check_end(events):
    end = events[-1]
    assert end["type"] == "run_finished"
    assert len(_of(events, "run_finished")) == 1
    assert ("error" in end) == (end["state"] == "failed")
    figures = [end[name] for name in ("train_accuracy", "train_loss", "test_accuracy", "test_loss")]
    if end["state"] == "completed":
        assert {n for n in ("train_loss", "test_loss", "train_accuracy", "test_accuracy") if end[n] is None} == set(
            end.get("nonfinite", [])
        )
        assert end["best_epoch"] is not None
    else:
        assert figures == [None] * 4
    assert (end["best_epoch"] is None) == (end["best_test_accuracy"] is None)
    own = {epoch["epoch"]: epoch["test_accuracy"] for epoch in _of(events, "epoch")}
    if end["best_epoch"] in own:
        assert end["best_test_accuracy"] == own[end["best_epoch"]]
        assert end["highest_test_accuracy"] >= max(own.values())
        held_out = [epoch["validation_accuracy"] for epoch in _of(events, "epoch") if "validation_accuracy" in epoch]
        if end.get("chosen_on") == "validation":
            assert end["best_validation_accuracy"] == max(held_out)
        else:
            assert not held_out
            assert end["best_test_accuracy"] == max(own.values())
