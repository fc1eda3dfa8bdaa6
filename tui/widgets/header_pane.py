"""The first lines of the live screen: what is trained, on what device, and how it stands."""

from collections.abc import Hashable

from engines.run_reader import RunStatus
from tui import formats
from tui.lines import Line, justify
from tui.status_marks import STATUS_MARKS, status_role
from tui.view import View
from tui.widgets.pane import Pane

_LAMPS: dict[RunStatus, str] = {"running": "●", "paused": "○", "stalled": "○"}
"""Marks of a run that is alive: on while it trains."""


class HeaderPane(Pane):
    """Two lines above everything else."""

    DEFAULT_CSS = "HeaderPane { height: 2; }"

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        return view.status, view.title, view.state.started and view.state.started.seq, _silence(view)

    def draw_view(self, view: View, width: int, height: int) -> list[Line]:
        """Draw both lines."""
        return draw_header(view, width)


def draw_header(view: View, width: int) -> list[Line]:
    """Give the title with the status, then the device with the run's id."""
    mark = _LAMPS.get(view.status) or STATUS_MARKS[view.status]
    status = view.status + (f", nothing new for {formats.clock(silence)}" if (silence := _silence(view)) else "")
    return [
        justify([(view.title, "strong")], [(f"{mark} {status}", status_role(view.status))], width),
        justify([(describe_device(view), "muted")], [(view.directory.name, "muted")], width),
    ]


def describe_device(view: View) -> str:
    """Say what the run computes on; that there is no GPU in it is said plainly."""
    started = view.state.started
    if started is None:
        asked = view.spec.device if view.spec else "auto"
        return "device: auto, not chosen yet" if asked == "auto" else f"device: {asked}"
    if started.device.upper().startswith("CPU"):
        detail = started.device[3:].strip().strip("()")
        return f"CPU only: {detail}" if detail else "CPU only"
    return started.device


def _silence(view: View) -> int:
    """Give how many seconds a run that stalls has said nothing; 0 of one that never did, or does not stall."""
    last = view.state.last_time
    # A clock that was put back makes the last word seem to come.
    return int(abs(view.now - last)) if view.status == "stalled" and last is not None else 0
