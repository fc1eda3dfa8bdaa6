"""What is trained: every parameter tensor with its shape and size."""

from collections.abc import Hashable

from tui import formats
from tui.lines import Line, columns, fit
from tui.view import View
from tui.widgets.pane import TitledPane, draw_waiting

_SHAPE_WIDTH, _COUNT_WIDTH = 14, 12


class NetworkPane(TitledPane):
    """The table of parameters."""

    HEADING = "network"

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        return view.state.started and view.state.started.seq, "" if view.state.started else view.waiting_for()

    def legend(self, view: View, width: int) -> Line:
        """Give the number of all parameters."""
        started = view.state.started
        return [(f"{formats.count(started.parameter_count)} parameters", "muted")] if started else []

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the table."""
        return draw_network(view, width, height)


def draw_network(view: View, width: int, height: int) -> list[Line]:
    """Draw a line for each tensor, and how the run was set."""
    started = view.state.started
    if started is None:
        return draw_waiting(view, width)
    name_width = max(6, min(width - _SHAPE_WIDTH - _COUNT_WIDTH, max(len(p.name) for p in started.parameters) + 2))
    rows = started.parameters if len(started.parameters) < height else started.parameters[: height - 2]
    lines = [
        fit(
            columns(
                [
                    (parameter.name, name_width, "text"),
                    (formats.shape(parameter.shape), -_SHAPE_WIDTH, "muted"),
                    (formats.count(parameter.count), -_COUNT_WIDTH, "text"),
                ]
            ),
            width,
        )
        for parameter in rows
    ]
    if left := len(started.parameters) - len(rows):
        lines.append(fit([(f"and {left} more", "muted")], width))
    return [*lines, fit([(describe_settings(view), "muted")], width)]


def describe_settings(view: View) -> str:
    """Say how the run was set, the learning rate as it is now."""
    spec = view.spec
    if spec is None:
        return ""
    lr = view.state.lr if view.state.lr is not None else spec.lr
    return f"batch {spec.batch_size}, Adam, lr {formats.number(lr)}, seed {spec.seed}"
