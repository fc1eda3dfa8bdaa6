"""The launcher's form as data: a row for each of a run's options, what stands in it, and the run it asks for."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import suppress
from math import isfinite
from typing import get_args

import msgspec

from engines.catalog import DATASETS, FRAMEWORK_TITLES, FRAMEWORKS
from engines.models import MODELS
from engines.problems import UsageProblem
from engines.recipes import RECIPES, check_combination, follow
from engines.spec import Precision, RunSpec

NONE = "none"
_RECIPE_CHOICES = ("model", "dataset", "recipe")
AUTO_HINT = "auto takes a GPU if there is one"
NUMBER_CHARACTERS = frozenset("0123456789.e-")
LONGEST_NUMBER = 12


class Choice(msgspec.Struct, frozen=True):
    """A row with a few values to step through; `key` does so from anywhere on the screen."""

    name: str
    label: str
    values: tuple[str, ...]
    key: str = ""
    hint: str = ""

    def step(self, text: str, by: int) -> str:
        """Give the value `by` places on from `text`, round and round."""
        return self.values[(self.values.index(text) + by) % len(self.values)]

    def title(self, value: str) -> str:
        """Give `value` as a person calls it."""
        return FRAMEWORK_TITLES[value] if self.name == "framework" else value


class Number(msgspec.Struct, frozen=True):
    """A row with a number that is typed, or stepped along `ladder`; `rule` says in words what is allowed.

    Where it is `optional`, `none` is a value too, one step below the ladder.
    """

    name: str
    label: str
    rule: str
    ladder: Sequence[float]
    hint: str = ""
    whole: bool = True
    optional: bool = False

    def step(self, text: str, by: int) -> str:
        """Give the ladder's next value above `text`, or with a negative `by` below it, and stay at its ends."""
        try:
            value = float(text)
        except ValueError:
            return NONE if self.optional and by < 0 else self.show(self.ladder[0])
        at = bisect_right(self.ladder, value) if by > 0 else bisect_left(self.ladder, value) - 1
        if at < 0 and self.optional:
            return NONE
        return self.show(self.ladder[max(0, min(at, len(self.ladder) - 1))])

    def show(self, value: float | None) -> str:
        """Give `value` as it stands in the row."""
        if value is None:
            return NONE
        if self.whole:
            return str(int(value))
        short = f"{value:g}"
        return short if float(short) == value else repr(value)  # What stands there is what is trained.

    def read(self, text: str) -> float | int | None:
        """Give the number that `text` means; raises ValueError where it means none."""
        if self.optional and text in ("", NONE):
            return None
        if self.whole:
            return int(text)
        value = float(text)
        if not isfinite(value):
            raise ValueError("not finite")
        return value


Row = Choice | Number

_EPOCHS = Number("epochs", "epochs", "a whole number, 1 or more", range(1, 1_000), "times through the images")
_BUDGET = Number(
    "budget",
    "budget",
    "a number of seconds above 0, or none",
    [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 900, 1_200, 1_800, 2_700, 3_600],
    "seconds of training, at most",
    whole=False,
    optional=True,
)
_BATCH_SIZE = Number(
    "batch_size", "batch size", "a whole number, 1 or more", [2**power for power in range(17)], "images in a step"
)
_LR = Number(
    "lr",
    "lr",
    "a number above 0",
    [float(f"{digit}e{power}") for power in range(-7, 1) for digit in (1, 2, 5)],
    "the highest learning rate",
    whole=False,
)
_SEED = Number("seed", "seed", "a whole number, 0 or more", range(1_000_000), "the same seed gives the same run")
_VALIDATION = Number(
    "validation",
    "validation",
    "a whole number, 0 or more, below the training images",
    [0, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
    "images held out to choose the best on",
)
_PATIENCE = Number(
    "patience",
    "patience",
    "a whole number, 1 or more, or none",
    range(1, 100),
    "epochs without a better one, then stop",
    optional=True,
)
_TARGET = Number(
    "target_accuracy",
    "target accuracy",
    "between 0 and 1, or none",
    [0.5, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 1.0],
    "stop at this test accuracy",
    whole=False,
    optional=True,
)
_GPU_MEMORY = Number(
    "gpu_memory_limit",
    "gpu memory limit",
    "a whole number of MiB, 1 or more, or none",
    [2**power for power in range(9, 18)],
    "in MiB",
    optional=True,
)


class Form:
    """What stands in each row; options that have no row stay as they came, or as the recipe says."""

    def __init__(self, asked: RunSpec) -> None:
        self._asked = asked
        self.rows: list[Row] = [
            Choice("framework", "framework", _with(FRAMEWORKS, asked.framework), "f"),
            Choice("model", "model", _with(tuple(MODELS), asked.model), "m"),
            Choice("dataset", "dataset", _with(tuple(DATASETS), asked.dataset), "d"),
            _EPOCHS,
            _BUDGET,
            _BATCH_SIZE,
            _LR,
            Choice("recipe", "recipe", tuple(RECIPES), hint="how it is trained"),
            _SEED,
            Choice("device", "device", _with(("auto", "cpu"), asked.device), hint=AUTO_HINT),
            Choice("precision", "precision", get_args(Precision), hint="auto: as suits the hardware"),
            _GPU_MEMORY,
            _TARGET,
            _VALIDATION,
            _PATIENCE,
            Choice("on_nan", "on nan", ("stop", "continue"), hint="if the loss is no longer finite"),
        ]
        self.texts: dict[str, str] = {}
        for row in self.rows:
            value = getattr(asked, row.name)
            self.texts[row.name] = row.show(value) if isinstance(row, Number) else value
        self._offer_no_epochs()

    def offer_devices(self, devices: tuple[str, ...], hint: str = AUTO_HINT) -> None:
        """Let the device be one of `devices`, or what it was asked to be; `hint` says what to take."""
        offered = _with(devices, self.texts["device"])
        self.rows = [
            msgspec.structs.replace(row, values=offered, hint=hint)
            if isinstance(row, Choice) and row.name == "device"
            else row
            for row in self.rows
        ]

    def row(self, name: str) -> Row:
        """Give the row called `name`."""
        return next(row for row in self.rows if row.name == name)

    def step(self, row: Row, by: int) -> None:
        """Put the value after the present one (before it, with a negative `by`) into `row`."""
        self.put(row, row.step(self.texts[row.name], by))

    def put(self, row: Row, text: str) -> None:
        """Put `text` into `row`, and bring along what depends on it."""
        self.texts[row.name] = text
        if isinstance(row, Choice) and row.name in _RECIPE_CHOICES:
            self._follow(**{row.name: text})
        elif isinstance(row, Number) and row.name == "budget":
            with suppress(ValueError):
                self._follow(budget=row.read(text))

    def _follow(self, **changed: str | float | None) -> None:
        """Bring what stood as the recipe said, also where it has no row, to what it says now."""
        before = msgspec.structs.replace(self._asked, **self._written())
        self._asked = follow(before, **changed)
        self._offer_no_epochs()
        for row in self.rows:
            value = getattr(self._asked, row.name)
            if value != getattr(before, row.name):
                self.texts[row.name] = row.show(value) if isinstance(row, Number) else value

    def _offer_no_epochs(self) -> None:
        """Let the number of epochs be none where a budget ends the run."""
        epochs = msgspec.structs.replace(_EPOCHS, optional=self._asked.budget is not None)
        self.rows = [epochs if row.name == "epochs" else row for row in self.rows]

    def _written(self) -> dict[str, float | int | str | None]:
        """Give what stands in rows and makes sense, but for what others follow."""
        written: dict[str, float | int | str | None] = {}
        for row in self.rows:
            text = self.texts[row.name]
            if isinstance(row, Number) and row.name != "budget":
                with suppress(ValueError):
                    written[row.name] = row.read(text)
            elif isinstance(row, Choice) and row.name not in _RECIPE_CHOICES:
                written[row.name] = text
        return written

    def spec(self) -> RunSpec:
        """Give the run that is asked for; raises `UsageProblem` with a line about the first row that is wrong."""
        values = msgspec.to_builtins(self._asked) | {"epochs": 1, "budget": None}
        # The epochs last: whether they may be none depends on the budget.
        for row in sorted(self.rows, key=lambda row: row.name == "epochs"):
            text = self.texts[row.name]
            try:
                values[row.name] = row.read(text) if isinstance(row, Number) else text
                spec = msgspec.convert(values, RunSpec)
            except ValueError as error:
                rule = row.rule if isinstance(row, Number) else f"one of {', '.join(row.values)}"
                raise UsageProblem(f"{row.label} must be {rule}; it is {text or 'empty'}.") from error
        check_combination(spec)
        return spec


def _with(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return values if value in values else (*values, value)
