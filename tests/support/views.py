"""Runs as the panes of the live screen see them, made of events, with no worker and no files."""

import base64
from pathlib import Path

from msgspec.structs import replace

from engines.catalog import DATASETS
from engines.events import (
    Batch,
    EpochEnded,
    Filters,
    Mistakes,
    Parameter,
    Phase,
    RunFinished,
    RunStarted,
    Samples,
    Telemetry,
)
from engines.run_state import RunState
from engines.spec import RunSpec
from tui.lines import plain, width_of
from tui.view import View

STEPS = 100
NOW = 1_000_100.0
BEGAN = 1_000_000.0
RUN_ID = "20261124-144501-torch-lenet-mnist-4f2a"


def view_of(*events, spec=None, **settings):
    """Give the view of a run that is running, ten seconds after its last event, unless `settings` say otherwise."""
    state = RunState()
    for seq, event in enumerate(events):
        state.apply(event if event.seq >= 0 else _stamped(event, seq))
    view = View(Path("/runs") / RUN_ID, state, "running", NOW, spec or state.spec or RunSpec(epochs=5))
    return replace(view, **settings)


def _stamped(event, seq):
    return type(event)(
        **{**{name: getattr(event, name) for name in event.__struct_fields__}, "seq": seq, "time": BEGAN}
    )


def started(dataset="mnist", device="CPU (AMD EPYC, 1 thread)", **spec):
    return RunStarted(
        run_id=RUN_ID,
        attempt=1,
        epochs_done=0,
        steps_done=0,
        spec=RunSpec(dataset=dataset, **spec),
        device=device,
        framework_version="2.14.1",
        parameter_count=61_706,
        parameters=[Parameter("conv1.weight", [6, 1, 5, 5], 150), Parameter("conv1.bias", [6], 6)],
        train_size=STEPS * 32,
        test_size=1000,
        class_names=list(DATASETS[dataset].class_names),
    )


def phase(name="import", state="finished", done=1, total=1, unit="frameworks", *, seconds=1.71):
    return Phase(name=name, state=state, done=done, total=total, unit=unit, seconds=seconds)


def batch(epoch=1, step=50, loss=0.5, accuracy=0.9, rate=9481.0):
    return Batch(
        epoch=epoch, step=step, steps_per_epoch=STEPS, loss=loss, accuracy=accuracy, images_per_second=rate, lr=0.001
    )


def epoch_ended(epoch=1, *, train=0.95, test=0.96, train_loss=0.2, test_loss=0.15, confusion=None):
    return EpochEnded(
        epoch=epoch,
        epochs=5,
        train_loss=train_loss,
        train_accuracy=train,
        test_loss=test_loss,
        test_accuracy=test,
        confusion=confusion or [[90 if a == b else 1 for b in range(10)] for a in range(10)],
        seconds=6.5,
        train_seconds=6.0,
        images_per_second=9481.0,
    )


def samples(labels, predictions=None, confidences=None, images=None):
    known = {} if images is None else {"images": images}
    if predictions is not None:
        known |= {"predictions": predictions, "confidences": confidences, "epoch": 1, "step": 50}
    return Samples(indices=list(range(len(labels))), labels=labels, **known)


def mistakes(*told, count=None, epoch=1):
    """Give the event of mistakes, each `(label, prediction, confidence)`; the image of the n-th is all of grey n."""
    at = list(range(len(told)))
    labels, predictions, confidences = map(list, zip(*told, strict=True)) if told else ([], [], [])
    images = base64.b64encode(b"".join(bytes([grey]) * 784 for grey in at)).decode()
    return Mistakes(
        epoch=epoch,
        count=len(told) if count is None else count,
        indices=at,
        labels=labels,
        predictions=predictions,
        confidences=confidences,
        image_indices=at,
        images=images,
    )


def filters(pictures, epoch=1, layer="conv1", scale=0.5):
    """Give the event that shows `pictures`, each a list of rows of values in 1..255, 128 for zero."""
    pixels = bytes(value for picture in pictures for row in picture for value in row)
    height, width = len(pictures[0]), len(pictures[0][0])
    text = base64.b64encode(pixels).decode()
    return Filters(epoch=epoch, layer=layer, count=len(pictures), height=height, width=width, scale=scale, pixels=text)


def telemetry(cpu=143.0, memory=512 << 20, gpus=()):
    return Telemetry(cpu_percent=cpu, memory=memory, gpus=list(gpus))


def finished(state="completed", error=None, **figures):
    known = {
        "epochs": 5,
        "seconds": 31.2,
        "train_accuracy": 0.9932,
        "train_loss": 0.0212,
        "test_accuracy": 0.9891,
        "test_loss": 0.0345,
        "best_epoch": 4,
        "best_test_accuracy": 0.9895,
    }
    return RunFinished(state=state, error=error, **{**known, **figures})


def text_of(lines, width):
    """Give lines as text, after a look that each fits into `width` cells."""
    assert all(width_of(line) <= width for line in lines), "a line is wider than its pane"
    return "\n".join(plain(line).rstrip() for line in lines)
