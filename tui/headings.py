"""Lines that name what stands below them: words, and a rule to the end of the line."""

from tui.lines import Line, shorten, width_of


def titled(title: Line, width: int) -> Line:
    """Give a heading: its words, then a rule to the end of the line; where they fill it, as many as fit."""
    rest = width - width_of(title)
    return [*title, (" " + "─" * (rest - 1), "rule")] if rest > 0 else shorten(title, width)


def draw_title(number: int, heading: str, legend: Line, width: int, *, is_chosen: bool) -> Line:
    """Give a title: its key, its name, a rule, heavy where it is chosen, and the legend where it fits."""
    name: Line = [(f"{number} ", "key"), (heading, "title"), (" ", "text")]
    rest = width - width_of(name)
    end: Line = [(" ", "text"), *legend] if legend and width_of(legend) + 3 <= rest else []
    dash, role = ("━", "chosen") if is_chosen else ("─", "rule")
    return [*name, (dash * (rest - width_of(end)), role), *end]
