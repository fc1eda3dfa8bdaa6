"""The launcher's form as lines of text: what can be chosen, what is, and where the cursor stands."""

from rich.cells import cell_len

from tui.form import Choice, Form, Number, Row
from tui.lines import Line, fit, shorten, width_of

HINT_COLUMN = 38
BEFORE, AFTER = "◂", "▸"
_ROOMY = 56
_SHORT_LABEL = len("batch size ")
_LONG_LABEL = len("gpu memory limit ")


def form_lines(form: Form, at: int, typing: bool, width: int) -> list[Line]:
    """Draw a line for each row of `form`, the cursor on row `at`; `typing` shows its number being typed.

    Every choice is seen where `width` has room for all, else the one that is made. Hints need `HINT_COLUMN` and more.
    """
    return [fit(_row_line(form, row, at == place, typing, width), width) for place, row in enumerate(form.rows)]


def _row_line(form: Form, row: Row, here: bool, typing: bool, width: int) -> Line:
    key = row.key if isinstance(row, Choice) else ""
    label_width = max(_LONG_LABEL if width >= _ROOMY else _SHORT_LABEL, len(row.label) + 1)
    label = f" {row.label:<{label_width}}"
    lead: Line = [("▸" if here else " ", "key"), (key or " ", "key"), (label, "strong" if here else "text")]
    text = form.texts[row.name]
    room = width - width_of(lead)
    value = _number(text, here, typing) if isinstance(row, Number) else _choices(row, text, here, room)
    line = fit([*lead, *value], max(HINT_COLUMN, width_of([*lead, *value])))
    # Beside choices that reach past its column a hint would read as one more of them.
    hint = f"· {row.hint}" if width_of(line) > HINT_COLUMN else f" {row.hint}"
    return [*line, (hint, "muted")] if row.hint and width_of(line) + cell_len(hint) <= width else line


def _number(text: str, here: bool, typing: bool) -> Line:
    if not here:
        return [(f" {text}", "strong")]
    return [(f" {text}", "chosen"), ("▏", "key")] if typing else [(BEFORE, "key"), (text, "chosen"), (AFTER, "key")]


def _choices(row: Choice, text: str, here: bool, room: int) -> Line:
    titles = [row.title(value) for value in row.values]
    chosen = row.values.index(text)
    if sum(len(title) + 2 for title in titles) > room:
        one: Line = [(BEFORE, "key"), (titles[chosen], "chosen"), (AFTER, "key")]
        place: Line = [(f" {chosen + 1}/{len(titles)}", "muted")]
        return [*one, *place] if width_of([*one, *place]) <= room else shorten(one, room)
    role = "chosen" if here else "strong"
    return [(f"[{title}]", role) if place == chosen else (f" {title} ", "muted") for place, title in enumerate(titles)]
