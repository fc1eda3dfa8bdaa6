"""The learning rate over a run: a pure function of the step, the same for every engine."""

from math import cos, pi

from engines.spec import Schedule

_LOWEST = 0.04
"""The part of the highest rate at which `one-cycle` begins."""


def rate_factor(schedule: Schedule, warmup: float, step: int, step_count: int) -> float:
    """Give by what part of `lr` step `step` (from 0) of the `step_count` of a run learns: above 0, at most 1.

    Over the first `warmup` (a fraction) of the steps it rises: along a cosine for `one-cycle`, else along a line. Then
    it stays (`constant`), falls along a line (`triangle`) or along a cosine (`cosine`, `one-cycle`), to about 0 in the
    last step. A step is taken at its middle, so that no step learns nothing.
    """
    at = min((step + 0.5) / step_count, 1 - 0.5 / step_count)
    if at < warmup:
        risen = at / warmup
        return _LOWEST + (1 - _LOWEST) * (1 - cos(pi * risen)) / 2 if schedule == "one-cycle" else risen
    fallen = (at - warmup) / (1 - warmup) if warmup < 1 else 0.0
    match schedule:
        case "constant":
            return 1.0
        case "triangle":
            return 1 - fallen
        case "cosine" | "one-cycle":
            return (1 + cos(pi * fallen)) / 2
