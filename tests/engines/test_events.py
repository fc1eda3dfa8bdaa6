"""The events themselves: what is written can be read by anybody, and what is not finite is said to be so."""

import gc
import json
from math import inf, nan

import msgspec
import pytest

from engines.event_line import decode_event, encode_event
from engines.event_writer import nonfinite_fields
from engines.events import Batch, CheckpointSaved, EpochEnded, Samples

BATCH = Batch(epoch=1, step=5, steps_per_epoch=45, loss=2.3, accuracy=0.1, images_per_second=9.0, lr=0.001)
EPOCH = EpochEnded(
    epoch=1,
    epochs=5,
    train_loss=nan,
    train_accuracy=0.1,
    test_loss=inf,
    test_accuracy=0.1,
    confusion=((0,) * 10,) * 10,
    seconds=1.0,
    train_seconds=0.9,
    images_per_second=1.0,
)
SAVED = CheckpointSaved(path="checkpoints/last-00001-0000045.safetensors", epoch=1, step=45, kind="last")


def test_a_finite_event_says_nothing_of_what_is_not():
    assert nonfinite_fields(BATCH) == ()
    assert "nonfinite" not in json.loads(encode_event(BATCH))


def test_every_number_that_is_not_finite_is_named_and_null():
    assert nonfinite_fields(EPOCH) == ("train_loss", "test_loss")
    line = json.loads(encode_event(EPOCH))
    assert (line["train_loss"], line["test_loss"], line["train_accuracy"]) == (None, None, 0.1)


def test_a_list_with_one_such_number_is_named_too():
    samples = Samples(indices=[0, 1], labels=[3, 4], predictions=[3, 3], confidences=[0.9, nan], epoch=1, step=1)
    assert nonfinite_fields(samples) == ("confidences",)
    assert json.loads(encode_event(samples))["confidences"] == [0.9, None]


def test_fields_that_are_not_there_yet_are_left_out():
    assert set(json.loads(encode_event(Samples(indices=[0], labels=[1])))) == {"type", "indices", "labels"}


@pytest.mark.parametrize("event", [BATCH, EPOCH, SAVED], ids=["batch", "epoch", "checkpoint"])
def test_what_a_run_has_thousands_of_costs_the_garbage_collector_nothing(event):
    read = decode_event(encode_event(msgspec.structs.replace(event, seq=0, time=1.0)))
    gc.collect()
    gc.collect()  # A tuple leaves its sight once all that is in it has.
    kept = [read, *(getattr(read, name) for name in read.__struct_fields__), *getattr(read, "confusion", ())]
    assert not any(map(gc.is_tracked, kept))


@pytest.mark.parametrize("event", [BATCH, EPOCH], ids=["batch", "epoch"])
def test_an_event_takes_one_line(event):
    line = encode_event(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    "wrong",
    [{"epoch": -1}, {"epoch": 10**30}, {"step": 1.5}, {"loss": "low"}, {"epoch": None}, {"steps_per_epoch": True}],
    ids=str,
)
def test_a_field_of_another_kind_or_size_makes_it_no_event(wrong):
    fields = json.loads(encode_event(msgspec.structs.replace(BATCH, seq=0, time=1.0)))
    assert decode_event(json.dumps(fields).encode()) is not None
    with pytest.raises(msgspec.ValidationError):
        decode_event(json.dumps(fields | wrong).encode())
