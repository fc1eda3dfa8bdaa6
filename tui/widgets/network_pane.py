"""What is trained: every parameter tensor with its shape and size, and what the first layer looks for."""

import re
from collections.abc import Hashable

from engines.events import Filters, Parameter
from engines.spec import Optimizer
from tui import formats
from tui.kernels import count_drawn, draw_kernels, draw_scale
from tui.lines import Line, columns, fit, justify
from tui.view import View
from tui.widgets.pane import TitledPane, draw_waiting

_SHAPE_WIDTH, _COUNT_WIDTH = 16, 10
_ROOM_FOR_FILTERS, _LEAST_FOR_FILTERS, _LEAST_FOR_BOTH = 12, 3, 6
_OPTIMIZER_TITLES: dict[Optimizer, str] = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD"}


class NetworkPane(TitledPane):
    """The table of parameters over the first layer's filters as they are now."""

    HEADING = "network"

    def key_of(self, view: View) -> Hashable:
        """Give what decides the picture."""
        started, filters = view.state.started, view.state.gallery.filters
        return started and started.seq, "" if started else view.waiting_for(), filters and filters.seq, view.state.lr

    def legend(self, view: View, width: int) -> Line:
        """Give the number of all parameters."""
        started = view.state.started
        return [(f"{formats.count(started.parameter_count)} parameters", "muted")] if started else []

    def draw_body(self, view: View, width: int, height: int) -> list[Line]:
        """Draw the table, and the filters where there are any and there is room."""
        filters = view.state.gallery.filters
        if view.state.started is None or filters is None:
            return draw_network(view, width, height)
        table = draw_network(view, width, height)
        if height - len(table) < _ROOM_FOR_FILTERS:
            table = draw_network(view, width, height, by_layer=True)
        room = height - len(table) - 1
        return [*table, [], *draw_filters(view, filters, width, room)] if room >= _LEAST_FOR_FILTERS else table


def draw_network(view: View, width: int, height: int, *, by_layer: bool = False) -> list[Line]:
    """Draw a line for each tensor, or `by_layer` for a layer's tensors together, and how the run was set."""
    started = view.state.started
    if started is None:
        return draw_waiting(view, width)
    rows = _rows(started.parameters, by_layer=by_layer)
    longest = max((len(name) for name, _, _ in rows), default=0)
    name_width = max(6, min(width - _SHAPE_WIDTH - _COUNT_WIDTH, longest + 2))
    shown = rows if len(rows) < height else rows[: height - 2]
    lines = [
        fit(
            columns([(name, name_width, "text"), (shape, -_SHAPE_WIDTH, "muted"), (count, -_COUNT_WIDTH, "text")]),
            width,
        )
        for name, shape, count in shown
    ]
    if left := len(rows) - len(shown):
        lines.append(fit([(f"and {left} more", "muted")], width))
    return [*lines, fit([(describe_settings(view), "muted")], width)]


def draw_filters(view: View, filters: Filters, width: int, height: int) -> list[Line]:
    """Draw the first layer's weights now, and where there is room, as they were at the start."""
    first, half = view.state.gallery.first_filters, (height - 1) // 2
    if first is None or first.seq == filters.seq or half < _LEAST_FOR_BOTH:
        return _draw_set(view, filters, width, height)
    in_half, in_all = (count_drawn(filters, width, rows, ascii_only=view.ascii_only) for rows in (half - 1, 2 * half))
    if in_half < in_all:
        return _draw_set(view, filters, width, height)
    return [*_draw_set(view, filters, width, half), [], *_draw_set(view, first, width, half)]


def _draw_set(view: View, filters: Filters, width: int, height: int) -> list[Line]:
    kind = "kernels" if filters.layer.startswith("conv") else "units"
    when = f"after epoch {filters.epoch}" if filters.epoch else "at the start"
    shown = count_drawn(filters, width, height - 1, ascii_only=view.ascii_only)
    number = f"{filters.count}" if shown == filters.count else f"{shown} of {filters.count}"
    words: Line = [(filters.layer, "strong"), (f"  {number} {kind} {when}", "muted")]
    title = justify(words, draw_scale(filters, ascii_only=view.ascii_only), width)
    return [title, *draw_kernels(filters, width, height - 1, ascii_only=view.ascii_only)]


def _rows(parameters: list[Parameter], *, by_layer: bool) -> list[tuple[str, str, str]]:
    """Give name, shape and count of each tensor, or of the tensors of each layer."""
    groups: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        layer = re.split(r"[./](?=[^./]*$)", parameter.name)[0] if by_layer else ""
        groups.setdefault(layer or parameter.name, []).append(parameter)
    return [
        (name, " + ".join(formats.shape(p.shape) for p in group), formats.count(sum(p.count for p in group)))
        for name, group in groups.items()
    ]


def describe_settings(view: View) -> str:
    """Say how the run was set, the learning rate as it is now."""
    spec = view.spec
    if spec is None:
        return ""
    lr = view.state.lr if view.state.lr is not None else spec.lr
    recipe = "" if spec.recipe == "article" else f"{spec.recipe}: "
    schedule = "" if spec.schedule == "constant" else f" {spec.schedule}"
    optimizer = _OPTIMIZER_TITLES[spec.optimizer]
    return f"{recipe}batch {spec.batch_size}, {optimizer}, lr {formats.number(lr)}{schedule}, seed {spec.seed}"
