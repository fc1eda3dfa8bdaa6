"""Many runs at once: every combination of the values asked for, and what they came to, with means and spreads."""

from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import msgspec
from msgspec.structs import replace

from engines.problems import RunBusy, RunNotFound
from engines.recipes import fill_in
from engines.run_queue import RunQueue
from engines.runs import RunStore, RunSummary, read_spec, summarise
from engines.spec import RunSpec


class Group(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="group"):
    """Runs that differ in their seeds alone; figures are over those that are completed, and None where none is.

    `varied` are the fields in which the groups of a sweep differ. Accuracies are fractions of the test images, and of
    those that are held out where some are; a spread is the standard deviation of a single run, None where there are
    fewer than two; `seconds` is the mean of what the runs took, all attempts together.
    """

    varied: dict[str, Any]
    runs: int
    completed: int
    mean: float | None
    spread: float | None
    lowest: float | None
    highest: float | None
    validation_mean: float | None = None
    validation_spread: float | None = None
    seconds: float | None


@dataclass(frozen=True)
class Sweep:
    """The runs of a sweep in the order in which they are trained, and the fields that they differ in, seeds apart."""

    specs: tuple[RunSpec, ...]
    varied: tuple[str, ...]

    @cached_property
    def alike(self) -> tuple[tuple[RunSpec, ...], ...]:
        """The runs of each group, in the order of `groups`."""
        found: dict[tuple[Any, ...], list[RunSpec]] = {}
        for spec in self.specs:
            found.setdefault(tuple(getattr(spec, name) for name in self.varied), []).append(spec)
        return tuple(map(tuple, found.values()))

    @cached_property
    def place(self) -> dict[RunSpec, int]:
        """The place of each run's group."""
        return {spec: at for at, specs in enumerate(self.alike) for spec in specs}

    def groups(self, rows: Mapping[RunSpec, RunSummary]) -> list[Group]:
        """Give a group for each combination, given what is known of the runs that were begun."""
        return [
            _group(
                {name: getattr(specs[0], name) for name in self.varied},
                specs,
                [rows[spec] for spec in specs if spec in rows],
            )
            for specs in self.alike
        ]

    def find_runs(self, directories: Sequence[Path]) -> dict[RunSpec, RunSummary]:
        """Give the run of each spec: the first that was completed, else the newest; `directories` are newest first."""
        found: dict[RunSpec, RunSummary] = {}
        for directory in reversed(directories):
            begun = read_spec(directory)
            spec = self._asked_as(begun) if begun else None
            if spec and (spec not in found or found[spec].state != "completed"):
                found[spec] = summarise(directory)
        return found

    def waiting(self, store: RunStore) -> dict[RunSpec, str]:
        """Give the runs that wait in the queue, by their ids."""
        waiting = ((self._asked_as(order.spec), order.run_id) for order in RunQueue(store).waiting())
        return {spec: run_id for spec, run_id in waiting if spec}

    def take_back(self, store: RunStore, specs: Container[RunSpec]) -> None:
        """Take those of `specs` that wait out of the queue, for whoever trains them now. Raises `StorageProblem`."""
        queue = RunQueue(store)
        for spec, run_id in self.waiting(store).items():
            if spec in specs:
                with suppress(RunNotFound, RunBusy):  # It has begun this moment, and is found as any other.
                    queue.remove(run_id)

    @cached_property
    def _asked(self) -> dict[RunSpec, RunSpec]:
        return {_comparable(spec): spec for spec in self.specs}

    def _asked_as(self, begun: RunSpec) -> RunSpec | None:
        """Give the spec that a run is one of; where its data lay does not matter, and any GPU will do for `auto`."""
        alike = _comparable(begun)
        on_any = replace(alike, device="auto") if begun.device.startswith("cuda") else alike
        return self._asked.get(alike) or self._asked.get(on_any)


def expand(axes: Mapping[str, Sequence[Any]], seeds: Iterable[int] = (0,)) -> Sweep:
    """Give every combination of the values of `axes` (by a spec's field) with every seed, each once.

    What no axis says is as each combination's recipe says it, or the default. All combinations of one seed come before
    the next seed's, so that a sweep that is broken off has compared all of them.
    """
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    specs = [fill_in({**values, "seed": seed}) for seed in seeds for values in combinations]
    return Sweep(tuple(dict.fromkeys(specs)), tuple(name for name, values in axes.items() if len(set(values)) > 1))


def ranking(groups: Sequence[Group]) -> list[int]:
    """Give the places of the groups that have figures, the best first, the first of equals before the others.

    The mean on held out images decides, on test images where not all of them hold some out.
    """
    known = [at for at, group in enumerate(groups) if group.mean is not None]
    by_validation = is_chosen_on_validation(groups)
    return sorted(known, key=lambda at: -((groups[at].validation_mean if by_validation else groups[at].mean) or 0.0))


def is_chosen_on_validation(groups: Sequence[Group]) -> bool:
    """Tell whether all groups that have figures have them of held out images too."""
    known = [group for group in groups if group.mean is not None]
    return bool(known) and all(group.validation_mean is not None for group in known)


def _comparable(spec: RunSpec) -> RunSpec:
    return replace(spec, data_dir=None)


def _group(varied: dict[str, Any], specs: Sequence[RunSpec], rows: list[RunSummary]) -> Group:
    done = [row for row in rows if row.state == "completed" and row.test_accuracy is not None]
    accuracies = [row.test_accuracy for row in done if row.test_accuracy is not None]
    held_out = [row.validation_accuracy for row in done if row.validation_accuracy is not None]
    seconds = [row.seconds for row in done if row.seconds is not None]
    return Group(
        varied=varied,
        runs=len(specs),
        completed=len(done),
        mean=fmean(accuracies) if accuracies else None,
        spread=stdev(accuracies) if len(accuracies) > 1 else None,
        lowest=min(accuracies, default=None),
        highest=max(accuracies, default=None),
        validation_mean=fmean(held_out) if held_out else None,
        validation_spread=stdev(held_out) if len(held_out) > 1 else None,
        seconds=fmean(seconds) if seconds else None,
    )
