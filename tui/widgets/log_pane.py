"""What the run and its framework say: the run's own log events, then the tail of `worker.log`."""

import time as clock
from collections.abc import Hashable

from engines.events import CheckpointSaved, ControlApplied, Log
from engines.run_state import LOG_LINES
from tui import formats
from tui.lines import Line, fit, wrap
from tui.view import View
from tui.widgets.scrolled_pane import ScrolledPane

Happening = Log | ControlApplied | CheckpointSaved
_LEVEL_ROLES = {"info": "text", "warning": "warning", "error": "wrong"}


class LogPane(ScrolledPane):
    """The newest lines, at the bottom."""

    HEADING = "log"

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        state = view.state
        newest = state.logs[-1].seq if state.logs else -1, state.controls[-1].seq if state.controls else -1
        return newest, len(state.checkpoints), view.log_lines[-1:], len(view.log_lines)

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw as many lines as fit."""
        own, printed = log_lines(view, width)
        shown = self.window([*own, *printed], height)
        if not own and not printed:
            return [[], fit([("  nothing has been said yet", "muted")], width)]
        return list(shown) if self.is_back else draw_newest(own, printed, height)


def log_lines(view: View, width: int) -> tuple[list[Line], list[Line]]:
    """Give what happened, and what the framework printed, the newest last."""
    state = view.state
    happened: list[Happening] = [*state.logs, *state.controls, *state.checkpoints]
    happened.sort(key=lambda event: event.seq)
    own = [line for event in happened[-LOG_LINES:] for line in _draw_event(event, width)]
    return own, [[(part, "muted")] for text in view.log_lines for part in wrap(text, width)]


def draw_newest(own: list[Line], printed: list[Line], height: int) -> list[Line]:
    """Draw the newest of what happened, and below it the newest that the framework printed."""
    room = max(height - len(printed), height // 2) if own else 0
    own = own[-room:] if room else []
    return [*own, *printed[-(height - len(own)) :]] if len(own) < height else own


def describe_control(action: str, value: float | None) -> str:
    """Say what is now in force."""
    words = {
        "pause": "paused",
        "resume": "goes on",
        "stop": "stopping, with a checkpoint",
        "stop-now": "stopping at once",
        "checkpoint": "checkpoint asked for",
    }
    if action == "lr" and value:
        return f"learning rate is now {formats.number(value)}"
    if action == "epochs" and value:
        return f"{formats.number(value)} epoch{'s' * (value != 1)} more"
    return words.get(action, action)


def _draw_event(event: Happening, width: int) -> list[Line]:
    moment = clock.strftime("%H:%M:%S ", clock.localtime(event.time))
    match event:
        case Log():
            text, role = event.message, _LEVEL_ROLES.get(event.level, "text")
        case ControlApplied():
            by = f", asked by {event.by}" if event.by else ""
            text, role = describe_control(event.action, event.value) + by, "text"
        case CheckpointSaved():
            text, role = f"checkpoint saved ({event.kind}): epoch {event.epoch}, step {event.step:,}", "text"
    first, *more = wrap(text, max(10, width - len(moment)))
    indent = " " * len(moment)
    return [[(moment, "muted"), (first, role)], *([(indent, "text"), (part, role)] for part in more)]
