"""What a run is asked to be: the fields of `spec.json`, the same names as the command line's options."""

from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

from engines.text import clean_text

Framework = Literal["torch", "tensorflow", "rehearsal"]
OnNan = Literal["stop", "continue"]
Precision = Literal["float32", "bfloat16", "auto"]
RecipeName = Literal["article", "fast", "best"]
Optimizer = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "one-cycle", "cosine", "triangle"]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]

MAX_EPOCHS = 2**53
MAX_BUDGET = 1e9

DEVICE_PATTERN = r"^(auto|cpu|cuda|cuda:\d{1,3}|mps)$"


class RunSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Everything that decides what a run trains, every default filled in.

    `epochs` counts all epochs of the run, those of earlier attempts too. `budget`, where given, is in seconds of
    training steps, of all attempts: the run ends with the first step past it, and `epochs` may be None, as many as
    there is time for. `gpu_memory_limit` is in MiB.
    With `precision` bfloat16 products are taken in 16 bits, with auto where the hardware has units for that; weights,
    optimizer and loss stay in 32.
    `target_accuracy` is a fraction in 0..1. `data_dir` is None for the platform's cache folder.
    `validation` images of the training set are held out; the best epoch is chosen on them. Training ends after
    `patience` epochs without a better one.

    What follows `recipe` is what a recipe decides, beside epochs, batch size and rate: `lr` is the highest rate, which
    `schedule` and `warmup` (a fraction of the steps) make less; biases of batch norms learn at `bias_rate` times it.
    `sgd` has Nesterov's momentum of 0.9. `weight_average` is the decay a step of the moving average that is evaluated
    and saved, 0 for none. `flip` mirrors an image left to right in every other epoch; `shift` is in pixels, `erase`
    the side of a square in pixels. `rotate` is in degrees, `scale` a part of the width and of the height, `shear` how
    far a row moves for each row that it is from the middle; each is the most that is drawn, either way. With
    `test_flips` an image and its mirror image are evaluated together.
    """

    framework: Framework = "torch"
    model: str = "lenet"
    dataset: str = "mnist"
    epochs: Annotated[int, msgspec.Meta(ge=1, le=MAX_EPOCHS)] | None = 5
    budget: Annotated[float, msgspec.Meta(gt=0, le=MAX_BUDGET)] | None = None
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=2**53)] = 32
    lr: Annotated[float, msgspec.Meta(gt=0)] = 0.001
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    device: Annotated[str, msgspec.Meta(pattern=DEVICE_PATTERN)] = "auto"
    precision: Precision = "float32"
    gpu_memory_limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    data_dir: str | None = None
    target_accuracy: Fraction | None = None
    on_nan: OnNan = "stop"
    validation: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    patience: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None
    recipe: RecipeName = "article"
    optimizer: Optimizer = "adam"
    schedule: Schedule = "constant"
    warmup: Fraction = 0.0
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    bias_rate: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    label_smoothing: Share = 0.0
    weight_average: Share = 0.0
    test_flips: bool = False
    flip: bool = False
    shift: Annotated[int, msgspec.Meta(ge=0, le=27)] = 0
    erase: Annotated[int, msgspec.Meta(ge=0, le=28)] = 0
    rotate: Annotated[float, msgspec.Meta(ge=0, lt=180)] = 0.0
    scale: Share = 0.0
    shear: Share = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError where nothing would end the run."""
        if self.epochs is None and self.budget is None:
            raise ValueError("a run needs a number of epochs, or a budget")

    @property
    def title(self) -> str:
        """Framework, model and dataset, as a person names the run: `torch lenet mnist`."""
        return f"{self.framework} {self.model} {self.dataset}"


def lengthen(spec: RunSpec, more: float | None) -> RunSpec | None:
    """Give `spec` with `more` epochs; None where that is no whole number above 0, or they would be too many.

    None too where time alone decides when the run ends.
    """
    if spec.epochs is None or more is None or not 1 <= more <= MAX_EPOCHS - spec.epochs or more != int(more):
        return None
    return replace(spec, epochs=spec.epochs + int(more))


def encode_spec(spec: RunSpec) -> bytes:
    """Give `spec` as the indented JSON of `spec.json`, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(spec), indent=2) + b"\n"


def decode_spec(data: bytes) -> RunSpec:
    """Read the JSON of a `spec.json`; raises `msgspec.DecodeError` where it is not one."""
    return msgspec.json.decode(data, type=RunSpec)


def clean_spec(spec: RunSpec) -> RunSpec:
    """Give a spec that somebody wrote into a file, what it names safe to show."""
    return replace(spec, model=clean_text(spec.model, 100), dataset=clean_text(spec.dataset, 100))
