"""The phases of the run, with how long each took."""

from collections.abc import Hashable

from engines import outlook
from engines.events import PHASES, Phase
from tui import formats
from tui.lines import Line, columns, fit
from tui.view import View, describe_progress
from tui.widgets.pane import TitledPane

_MARKS = {"finished": ("✓", "right"), "open": ("▸", "chosen"), "broken": ("✗", "wrong"), "ahead": ("·", "muted")}


class PhasesPane(TitledPane):
    """A line for each phase, done or not."""

    HEADING = "phases"

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        elapsed = int(view.elapsed or 0) if view.is_alive else -1
        return view.status, elapsed, tuple((phase.state, phase.done) for phase in view.state.phases.values())

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the phases."""
        return draw_phases(view, width)


def draw_phases(view: View, width: int) -> list[Line]:
    """Draw each phase's mark, name, time and what was done in it; then the sum."""
    lines: list[Line] = []
    total = 0.0
    for name in PHASES:
        phase = view.state.phases.get(name)
        seconds = _seconds(phase, view) if phase else None
        total += seconds or 0.0
        mark, role = _MARKS[_standing(phase, view)]
        words = _describe(phase, view) if phase else ""
        cells = [(mark, 2, role), (name, 10, "text" if phase else "muted")]
        took = formats.duration(seconds) if phase else ""
        lines.append(fit(columns([*cells, (took, -9, "strong"), ("  " + words, 0, "muted")]), width))
    lines.append(fit(columns([("", 2, "text"), ("all", 10, "muted"), (formats.duration(total), -9, "muted")]), width))
    return lines


def _standing(phase: Phase | None, view: View) -> str:
    if phase is None:
        return "ahead"
    if phase.state == "finished":
        return "finished"
    return "open" if view.is_alive else "broken"


def _seconds(phase: Phase, view: View) -> float | None:
    """Give how long a phase took; one that goes on has got older since it was last told of."""
    if phase.seconds is None or phase.state == "finished" or not view.is_alive:
        return phase.seconds
    return float(int(phase.seconds + max(0.0, view.now - phase.time)))


def _describe(phase: Phase, view: View) -> str:
    if phase.name == "train" and phase.state != "finished" and view.spec:
        return f"{len(view.state.epochs)} of {formats.counted(outlook.epochs_in_all(view.state, view.spec), 'epoch')}"
    if phase.name == "import" and view.spec:
        version = view.state.started.framework_version if view.state.started else ""
        return f"{view.spec.framework} {version}"
    return describe_progress(phase)
