"""Many runs at once: every combination of the values asked for, and what they came to, with means and spreads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean, stdev
from typing import Any

import msgspec

from engines.recipes import fill_in
from engines.runs import RunSummary
from engines.spec import RunSpec


class Group(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="group"):
    """Runs that differ in their seeds alone; figures are over those that are completed, and None where none is.

    `varied` are the fields in which the groups of a sweep differ. Accuracies are fractions; `spread` is the standard
    deviation of a single run, None where there are fewer than two; `seconds` is the mean from first event to last.
    """

    varied: dict[str, Any]
    runs: int
    completed: int
    mean: float | None
    spread: float | None
    lowest: float | None
    highest: float | None
    seconds: float | None


@dataclass(frozen=True)
class Sweep:
    """The runs of a sweep in the order in which they are trained, and the fields that they differ in, seeds apart."""

    specs: tuple[RunSpec, ...]
    varied: tuple[str, ...]

    def groups(self, rows: Mapping[RunSpec, RunSummary]) -> list[Group]:
        """Give a group for each combination, given what is known of the runs that were begun."""
        alike: dict[tuple[Any, ...], list[RunSpec]] = {}
        for spec in self.specs:
            alike.setdefault(tuple(getattr(spec, name) for name in self.varied), []).append(spec)
        return [
            _group(dict(zip(self.varied, values, strict=True)), specs, [rows[spec] for spec in specs if spec in rows])
            for values, specs in alike.items()
        ]


def expand(axes: Mapping[str, Sequence[Any]], seeds: Iterable[int] = (0,)) -> Sweep:
    """Give every combination of the values of `axes` (by a spec's field) with every seed, each once.

    What no axis says is as each combination's recipe says it, or the default. All combinations of one seed come before
    the next seed's, so that a sweep that is broken off has compared all of them.
    """
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    specs = [fill_in({**values, "seed": seed}) for seed in seeds for values in combinations]
    return Sweep(tuple(dict.fromkeys(specs)), tuple(name for name, values in axes.items() if len(set(values)) > 1))


def _group(varied: dict[str, Any], specs: list[RunSpec], rows: list[RunSummary]) -> Group:
    done = [row for row in rows if row.state == "completed" and row.test_accuracy is not None]
    accuracies = [row.test_accuracy for row in done if row.test_accuracy is not None]
    seconds = [row.seconds for row in done if row.seconds is not None]
    return Group(
        varied=varied,
        runs=len(specs),
        completed=len(done),
        mean=fmean(accuracies) if accuracies else None,
        spread=stdev(accuracies) if len(accuracies) > 1 else None,
        lowest=min(accuracies, default=None),
        highest=max(accuracies, default=None),
        seconds=fmean(seconds) if seconds else None,
    )
