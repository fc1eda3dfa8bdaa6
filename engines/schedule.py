"""The learning rate over a run: a pure function of how far it is, the same for every engine."""

from math import cos, pi

from engines.spec import Schedule

_LOWEST = 0.04
"""The part of the highest rate at which `one-cycle` begins."""


def rate_factor(schedule: Schedule, warmup: float, at: float) -> float:
    """Give by what part of `lr` a step learns that is `at` this part of its run (in 0..1): above 0 within, at most 1.

    Over the first `warmup` (a fraction) of the run it rises: along a cosine for `one-cycle`, else along a line. Then
    it stays (`constant`), falls along a line (`triangle`) or along a cosine (`cosine`, `one-cycle`), to about 0 at the
    end.
    """
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
