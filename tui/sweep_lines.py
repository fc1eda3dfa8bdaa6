"""A sweep as lines of text: how far it is, what trains, and the table of what the runs came to."""

from engines.sweep_progress import LiveRun
from tui import formats
from tui.lines import Line, Run, cut_words, draw_bar, fit, shorten, width_of
from tui.status_marks import STATUS_MARKS, status_role
from tui.sweep_layout import SweepLook, lay_out
from tui.sweep_table import draw_runs, draw_table
from tui.sweep_view import SweepView, common_words, name_of_run, verdict
from tui.view import describe_phase

_SHORTEST_BAR, _LONGEST_BAR = 8, 40


def draw_sweep(view: SweepView, look: SweepLook, width: int, height: int) -> list[Line]:
    """Draw everything in `height` lines of `width` cells."""
    layout = lay_out(view, look, height)
    lines = [*draw_head(view, width), []]
    if layout.training:
        lines += [*draw_training(view, layout.training, width), []]
    lines += draw_table(view, look, layout.groups, width)
    if layout.runs:
        lines += [[], *draw_runs(view, look, layout.runs, width)]
    return lines[:height]


def draw_head(view: SweepView, width: int) -> list[Line]:
    """Say what is compared and how many runs are done, which combination is best, and how long it will take."""
    progress = view.progress
    counts: Line = [(f"{progress.completed} of {formats.counted(len(view.sweep.specs), 'run')}", "text")]
    if progress.failed:
        counts += [(f", {progress.failed} failed", "wrong")]
    what: Line = [("sweep  ", "chosen"), (common_words(view.sweep), "strong")]
    right: Line = [("  ", "text"), *counts, ("  ", "text"), _state(view)]
    room = width - width_of(right)
    said: list[Line] = [[(words, "text")] for words in verdict(view)]
    return [
        fit([*fit(shorten(what, room), room), *right], width),
        fit(cut_words(said, width) or shorten(said[0], width), width),
        _progress_line(view, width),
    ]


def draw_training(view: SweepView, rows: int, width: int) -> list[Line]:
    """Draw a line for each of the first runs in training: a bar, where it is, how well, how long it still takes."""
    shown = view.progress.training[:rows]
    name_width = max(width_of([(name_of_run(view, run.spec), "text")]) for run in shown)
    return [_live_line(view, run, min(name_width, width // 2), width) for run in shown]


def _state(view: SweepView) -> Run:
    progress = view.progress
    if view.is_whole:
        return "✓ completed", "right"
    if not progress.is_over:
        training = len(progress.training)
        return ("‖ stopping", "warning") if progress.is_stopping else (f"▶ {training} in training", "right")
    return "■ stopped" if progress.is_stopping else "■ incomplete", "warning"


def _progress_line(view: SweepView, width: int) -> Line:
    figures = f"{int(100 * view.part):>4} %  elapsed {formats.clock(view.elapsed)}"
    if not view.progress.is_over:
        figures += f"  left {formats.clock(view.seconds_left())}"
        figures += f"  {view.at_once} at a time" if view.at_once > 1 else ""
    return fit([*draw_bar(view.part, width - len(figures)), (figures, "text")], width)


def _live_line(view: SweepView, run: LiveRun, name_width: int, width: int) -> Line:
    where = f"epoch {run.epoch} of {run.epochs}"
    if not run.epoch or run.phase not in (None, "train"):
        where = describe_phase(run.phase, run.spec) if run.phase else "starting"
    accuracy = run.train_accuracy if run.test_accuracy is None else run.test_accuracy
    kind = "train" if run.test_accuracy is None else "test"
    words: list[Line] = [
        [(f"{where:<16}", "text")],
        *([] if accuracy is None else [[(f"{kind} ", "muted"), (formats.percent(accuracy), "strong")]]),
        *([] if run.seconds_left is None else [[(f"left {formats.clock(run.seconds_left)}", "muted")]]),
        *([[(run.gpu, "muted")]] if run.gpu else []),
        *([] if run.is_ours else [[("started elsewhere", "muted")]]),
    ]
    mark: Run = (f"{STATUS_MARKS[run.status]} ", status_role(run.status))
    bar = min(_LONGEST_BAR, max(_SHORTEST_BAR, width // 6))
    name = fit(shorten([(name_of_run(view, run.spec), "text")], name_width), name_width)
    left = width - width_of([mark, *name]) - bar - 4
    return fit([mark, *name, ("  ", "text"), *draw_bar(run.part, bar), ("  ", "text"), *cut_words(words, left)], width)
