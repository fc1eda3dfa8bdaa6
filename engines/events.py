"""The events of a run, one small typed struct each; `events.jsonl` holds one a line. See `run_state` for their sum."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from engines.spec import Fraction, RunSpec

PhaseName = Literal["import", "data", "build", "train", "save", "evaluate"]
PHASES: tuple[PhaseName, ...] = get_args(PhaseName)
PhaseState = Literal["started", "progress", "finished"]

# Bounds that no real run comes near, so that a damaged file can neither overflow arithmetic nor a clock.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Moment = Annotated[float, msgspec.Meta(ge=0, le=2**37)]
Duration = Annotated[float, msgspec.Meta(ge=-(2**37), le=2**37)]


class Parameter(msgspec.Struct, frozen=True):
    """A tensor that is learned: its name, shape and how many numbers it holds."""

    name: str
    shape: list[Count]
    count: Count


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU at one moment: utilization in 0..1, memory in bytes, temperature in degrees Celsius, power in watts.

    `memory_run` is what the run's own process has of it, where the driver tells.
    """

    name: str
    utilization: float | None
    memory_used: Count | None
    memory_total: Count | None
    temperature: float | None
    power: float | None
    memory_run: Count | None = None


class RunError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed: `kind` is a key of `problems.PROBLEMS`, `hint` says what to do."""

    kind: str
    message: str
    hint: str


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """What all events have: `seq` counts from 0 with no gap, `time` is in Unix seconds.

    The writer fills both in. `nonfinite` names the fields that are null because their number was not finite.
    """

    seq: Count = -1
    time: Moment = -1.0
    nonfinite: tuple[str, ...] = ()


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    """An attempt began, after `epochs_done` whole epochs and `steps_done` steps of the next.

    To train those steps took `epoch_seconds`.
    """

    run_id: str
    attempt: Count
    epochs_done: Count
    steps_done: Count
    spec: RunSpec
    device: str
    framework_version: str
    parameter_count: Count
    parameters: list[Parameter]
    train_size: Count
    test_size: Count
    class_names: list[str]
    epoch_seconds: Duration = 0.0


class Phase(Event, frozen=True, kw_only=True, tag="phase"):
    """A phase of the work began, got on or ended; `done` of `total` counted in `unit`, `seconds` since it began."""

    name: PhaseName
    state: PhaseState
    done: Count
    total: Count | None
    unit: str
    seconds: Duration | None


class Samples(Event, frozen=True, kw_only=True, tag="samples"):
    """A fixed handful of test images and what the network makes of them.

    `images` is base64 of uint8, N x 28 x 28, in the first such event only; `confidences` are the probabilities of the
    predictions. `epoch` and `step` say when.
    """

    indices: list[Count]
    labels: list[Count]
    images: str | UnsetType = UNSET
    predictions: list[Count] | UnsetType = UNSET
    confidences: list[float | None] | UnsetType = UNSET
    epoch: Count | UnsetType = UNSET
    step: Count | UnsetType = UNSET


class Mistakes(Event, frozen=True, kw_only=True, tag="mistakes"):
    """Some of the `count` test images that the evaluation after `epoch` got wrong, the most confident mistakes first.

    `confidences` are the probabilities of the wrong classes. `images` is base64 of uint8, N x 28 x 28, of the images
    that `image_indices` names: each image of an attempt comes once. Not after every epoch of a long run.
    """

    epoch: Count
    count: Count
    indices: list[Count]
    labels: list[Count]
    predictions: list[Count]
    confidences: list[float | None]
    image_indices: list[Count] = []
    images: str = ""


ZERO_PIXEL, PIXEL_SPAN = 128, 127
"""What a weight of zero is as a pixel of `Filters`, and how far the largest weight, or its negative, is from it."""


class Filters(Event, frozen=True, kw_only=True, tag="filters"):
    """The weights of the first of `count` units of the first layer, as pictures, after `epoch` (0 at the start).

    `pixels` is base64 of uint8, N x `height` x `width`: 128 is zero, 255 is `scale` and 1 is minus `scale`. A
    convolution's are its kernels; a dense layer's 28x28 weights come as 14x14 means. Not after every epoch of a long
    run.
    """

    epoch: Count
    layer: str
    count: Count
    height: Count
    width: Count
    scale: float
    pixels: str


class Batch(Event, frozen=True, kw_only=True, tag="batch"):
    """Training got to `step` of `epoch` (both from 1); loss and accuracy are means since the last such event.

    `trained_seconds` are those of all training steps of the run so far, told where it has a budget of them.
    """

    epoch: Count
    step: Count
    steps_per_epoch: Count
    loss: float | None
    accuracy: float | None
    images_per_second: float | None
    lr: float | None
    trained_seconds: Moment | UnsetType = UNSET


class EpochEnded(Event, frozen=True, kw_only=True, tag="epoch", gc=False):
    """An epoch ended: running means in training, the whole test set in evaluation mode, `confusion` row = label.

    Validation figures are over the images that are held out, and absent where none are. `epochs` is how many the run is
    asked for, or is expected to come to in its budget. Only the `part` of an epoch is trained in which that is spent.
    A run may have many thousands: all is such that the garbage collector, which stops the screen, need not look at it.
    """

    epoch: Count
    epochs: Count
    train_loss: float | None
    train_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    confusion: tuple[tuple[Count, ...], ...]
    seconds: Duration | None
    train_seconds: Duration | None
    images_per_second: float | None
    evaluate_seconds: Duration | UnsetType = UNSET
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    part: Fraction | UnsetType = UNSET

    @property
    def place(self) -> float:
        """Where in the run it ended, in epochs."""
        return self.epoch - 1 + self.trained_part

    @property
    def trained_part(self) -> float:
        """What part of the epoch was trained: nearly always all of it."""
        return 1.0 if self.part is UNSET else self.part

    @property
    def whole_seconds(self) -> float | None:
        """What all of the epoch takes, its evaluation included, at the pace of the part that was trained."""
        if self.seconds is None or not self.trained_part:
            return None
        return self.seconds + (self.train_seconds or 0.0) * (1 / self.trained_part - 1)


class Telemetry(Event, frozen=True, kw_only=True, tag="telemetry"):
    """The machine at work: `cpu_percent` of the worker (100 is one core), `memory` its resident bytes."""

    cpu_percent: float | None
    memory: Count
    gpus: list[Gpu] = msgspec.field(default_factory=lambda: [])  # Not every writer has any; ours always says so.


class CheckpointSaved(Event, frozen=True, kw_only=True, tag="checkpoint"):
    """A checkpoint is whole on disk; it holds all up to `step` of `epoch`, both from 1.

    `path` is within the run, `seconds` what saving it took.
    """

    path: str
    epoch: Count
    step: Count
    kind: Literal["last", "best"]
    seconds: Duration | UnsetType = UNSET


class ControlApplied(Event, frozen=True, kw_only=True, tag="control"):
    """What somebody asked for and is now in force; `id` is the request's, `by` who asked."""

    action: str
    value: float | None = msgspec.field(default_factory=lambda: None)  # A pause has none; ours always says so.
    id: str = ""
    by: str = ""


class Log(Event, frozen=True, kw_only=True, tag="log"):
    """A line for a person; ours have the level `info`, `warning` or `error`."""

    level: str
    message: str


class RunFinished(Event, frozen=True, kw_only=True, tag="run_finished"):
    """An attempt ended; figures over the whole sets in evaluation mode, null where there are none.

    The best epoch is that with the highest accuracy on the set that it is `chosen_on`; `highest_test_accuracy` is that
    of any epoch.
    """

    state: Literal["completed", "stopped", "failed"]
    epochs: Count
    seconds: Duration | None
    train_accuracy: float | None
    train_loss: float | None
    test_accuracy: float | None
    test_loss: float | None
    best_epoch: Count | None
    best_test_accuracy: float | None
    chosen_on: Literal["test", "validation"] = "test"
    best_validation_accuracy: float | None = None
    highest_test_accuracy: float | None = None
    error: RunError | None = None


class Unknown(Event, frozen=True, kw_only=True, tag="unknown"):
    """An event of a type that we do not know: all that it tells is that the run goes on, and how far it has counted."""


AnyEvent = (
    RunStarted
    | Phase
    | Samples
    | Mistakes
    | Filters
    | Batch
    | EpochEnded
    | Telemetry
    | CheckpointSaved
    | ControlApplied
    | Log
    | RunFinished
    | Unknown
)
