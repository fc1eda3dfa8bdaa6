"""What the run and its framework say: the run's own log events, then the tail of `worker.log`."""

import time as clock
from collections.abc import Hashable

from engines.events import CheckpointSaved, ControlApplied, Log
from engines.run_state import LOG_LINES
from tui import formats
from tui.lines import Line, fit, wrap
from tui.view import View
from tui.widgets.scrolled_pane import Name, ScrolledPane

Happening = Log | ControlApplied | CheckpointSaved
_LEVEL_ROLES = {"info": "text", "warning": "warning", "error": "wrong"}
_AFTER_ALL = 2**63


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
        named, printed = own_lines(view, width), printed_lines(view, width)
        own = [line for _, line in named]
        names = [*(name for name, _ in named), *((_AFTER_ALL, number) for number in range(len(printed)))]
        shown = self.window([*own, *printed], names, height)
        if not own and not printed:
            return [[], fit([("  nothing has been said yet", "muted")], width)]
        return list(shown) if self.is_back else draw_newest(own, printed, height)


def own_lines(view: View, width: int) -> list[tuple[Name, Line]]:
    """Give the lines of what happened, the newest last, each with its event's `seq` and which of its lines it is."""
    state = view.state
    happened: list[Happening] = [*state.logs, *state.controls, *state.checkpoints]
    happened.sort(key=lambda event: event.seq)
    return [
        ((event.seq, number), line)
        for event in happened[-LOG_LINES:]
        for number, line in enumerate(_draw_event(event, width))
    ]


def printed_lines(view: View, width: int) -> list[Line]:
    """Give the lines that the framework printed, the newest last."""
    return [[(part, "muted")] for text in view.log_lines for part in wrap(text, width)]


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
