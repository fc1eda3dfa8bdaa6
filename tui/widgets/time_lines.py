"""Where the time of a run goes, as far as its events tell: data, compute, evaluation, checkpoints."""

from msgspec import UNSET

from tui import formats
from tui.lines import Line, columns, cut_words, fit
from tui.view import View

_LABEL_WIDTH = 9
_NAME_WIDTH, _SECONDS_WIDTH, _PERCENT_WIDTH, _MAX_BAR = 12, 9, 8, 40

Part = tuple[str, float]
"""What the time went into, and its seconds."""


def time_parts(view: View) -> list[Part]:
    """Give what was measured in this attempt by now; nothing before an epoch has ended."""
    state = view.state
    if not state.spent.training:
        return []
    phases = {name: phase.seconds or 0.0 for name, phase in state.phases.items() if phase.state == "finished"}
    parts = [
        ("start", phases.get("import", 0.0) + phases.get("build", 0.0)),
        ("data", phases.get("data", 0.0)),
        ("compute", state.spent.training),
        ("evaluation", state.spent.evaluation + phases.get("evaluate", 0.0)),
        ("checkpoints", state.spent.checkpoints + phases.get("save", 0.0)),
    ]
    return [(name, seconds) for name, seconds in parts if seconds > 0]


def draw_time(view: View, width: int) -> list[Line]:
    """Draw a line for each part with its seconds, its share and a bar; above them what a step takes."""
    parts = time_parts(view)
    if not parts:
        return []
    whole = sum(seconds for _, seconds in parts)
    room = min(_MAX_BAR, width - _NAME_WIDTH - _SECONDS_WIDTH - _PERCENT_WIDTH - 2)
    lines: list[Line] = [fit([("time     ", "muted"), (_step(view), "text")], width)]
    for name, seconds in parts:
        bar = "━" * max(1, round(seconds / whole * room)) if room > 0 else ""
        share = formats.percent(seconds / whole, 1)
        cells = [(f" {name}", _NAME_WIDTH, "muted"), (formats.duration(seconds), -_SECONDS_WIDTH, "text")]
        lines.append(fit(columns([*cells, (share, -_PERCENT_WIDTH, "strong"), (f"  {bar}", 0, "bar")]), width))
    return lines


def draw_time_in_a_line(view: View, width: int) -> list[Line]:
    """Draw the shares alone, the greatest first; no line where nothing is known."""
    parts = sorted(time_parts(view), key=lambda part: -part[1])
    whole = sum(seconds for _, seconds in parts)
    words: list[Line] = [
        [(f"{name} ", "muted"), (formats.percent(seconds / whole, 0), "text")] for name, seconds in parts
    ]
    return [fit([("time     ", "muted"), *cut_words(words, width - _LABEL_WIDTH)], width)] if parts else []


def _step(view: View) -> str:
    """Say what a step took in the epoch that ended last, and what its evaluation did."""
    epochs, steps = view.state.epochs, view.state.steps_per_epoch
    if not epochs or not steps:
        return ""
    last = epochs[-1]
    seconds, trained = last.train_seconds, steps * last.trained_part
    step = formats.MISSING if seconds is None or not trained else f"{1000 * seconds / trained:.3g} ms a step"
    if last.evaluate_seconds is UNSET:
        return step
    return f"{step}, {formats.duration(last.evaluate_seconds)} an evaluation"
