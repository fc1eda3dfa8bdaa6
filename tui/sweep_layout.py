"""What of a sweep is under the cursor, and which rows of its screen show what."""

from dataclasses import dataclass

from engines.sweep import ranking
from tui.sweep_view import SweepView

HEAD_ROWS = 4
"""Three lines about all of it, and one between them and the rest."""

_FEWEST_RUN_ROWS = 3
"""For the runs of the chosen combination: a gap, a heading, and one of them."""


@dataclass(frozen=True)
class SweepLook:
    """What is under the cursor: a combination and one of its runs, by their places; None follows what trains."""

    group: int | None = None
    run: int | None = None


@dataclass(frozen=True)
class Layout:
    """Which rows of the screen show what; `groups` and `runs` are the places of those that are shown."""

    training: int
    table: int
    groups: range
    detail: int
    runs: range


def chosen_group(view: SweepView, look: SweepLook) -> int:
    """Give the place of the combination under the cursor."""
    if look.group is not None:
        return look.group
    if view.progress.training:
        return view.sweep.place[view.progress.training[0].spec]
    ranked = ranking(view.groups)
    return ranked[0] if ranked else 0


def chosen_run(view: SweepView, look: SweepLook) -> int:
    """Give the place, in the chosen combination, of the run under the cursor: by itself one that trains, or failed."""
    specs = view.sweep.alike[chosen_group(view, look)]
    if look.run is not None:
        return min(look.run, len(specs) - 1)
    by_itself = (at for known in (view.live, view.progress.reasons) for at, spec in enumerate(specs) if spec in known)
    return next(by_itself, 0)


def lay_out(view: SweepView, look: SweepLook, height: int) -> Layout:
    """Share out `height` rows."""
    training = min(len(view.progress.training), max(1, height // 6))
    table = HEAD_ROWS + training + (1 if training else 0) + 1
    at = chosen_group(view, look)
    runs = len(view.sweep.alike[at])
    room = max(1, height - table)
    rows = min(len(view.groups), max(1, room - min(runs + 2, max(_FEWEST_RUN_ROWS, room // 3))))
    detail = table + rows + 2
    return Layout(
        training=training,
        table=table,
        groups=_window(len(view.groups), at, rows),
        detail=detail,
        runs=_window(runs, chosen_run(view, look), max(0, height - detail)),
    )


def _window(count: int, at: int, rows: int) -> range:
    """Give the places that are shown of `count` where there are `rows`: those around `at`."""
    first = max(0, min(at - rows // 2, count - rows))
    return range(first, min(count, first + rows))
