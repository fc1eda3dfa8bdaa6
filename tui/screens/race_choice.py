"""Who is to race whom: a short choice over the launcher, with what its form says for all else."""

from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from engines.catalog import FRAMEWORK_TITLES, FRAMEWORKS
from engines.models import ARTICLE_MODELS
from engines.problems import UsageProblem
from engines.recipes import check_combination
from engines.spec import RunSpec
from tui.lines import Line, shorten, wrap
from tui.messages import RaceAsked
from tui.plain import length_of
from tui.screens.fresh_size import FreshSize
from tui.widgets.picture import Picture

_KEYS = (
    ("Enter ", "One after another, or one a GPU: each has its device to itself, and seconds compare."),
    ("b     ", "All at once, beside each other: livelier, and slower."),
    ("Esc   ", "back"),
)


def races_of(spec: RunSpec) -> list[tuple[str, list[RunSpec]]]:
    """Give the races that a form leads to: what each is called, and the runs, alike in all else and of one seed."""
    frameworks = [msgspec.structs.replace(spec, framework=name) for name in FRAMEWORKS]
    models = [msgspec.structs.replace(spec, model=name) for name in ARTICLE_MODELS]
    races = [
        (f"{' against '.join(map(FRAMEWORK_TITLES.__getitem__, FRAMEWORKS))}: {spec.model}", frameworks),
        (f"{' against '.join(ARTICLE_MODELS)}: {FRAMEWORK_TITLES[spec.framework]}", models),
    ]
    return [(title, specs) for title, specs in races if all(map(_is_there, specs))]


def _is_there(spec: RunSpec) -> bool:
    try:
        check_combination(spec)
    except UsageProblem:
        return False
    return True


class RaceChoiceScreen(FreshSize, ModalScreen[RaceAsked | None]):
    """Is dismissed with the race that was chosen, or None."""

    DEFAULT_CSS = """
    RaceChoiceScreen { align: center middle; background: $background 40%; }
    RaceChoiceScreen Picture {
        width: 70; max-width: 100%; height: 12; padding: 0 1; background: $surface; border: round $primary;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,shift+tab", "move(-1)", show=False),
        Binding("down,tab,x", "move(1)", show=False),
        Binding("enter,y", "choose(False)", "start"),
        Binding("b", "choose(True)", "start beside each other"),
        Binding("escape,n", "leave", "back"),
    ]

    def __init__(self, spec: RunSpec) -> None:
        super().__init__()
        self._spec = spec
        self._races = races_of(spec)
        self._at = 0
        self._picture = _ChoicePicture(self)

    def compose(self) -> ComposeResult:
        """Lay out the choice."""
        yield self._picture

    def action_move(self, by: int) -> None:
        """Go to another race."""
        self._at = (self._at + by) % len(self._races)
        self._picture.redraw()

    def action_choose(self, beside: bool) -> None:
        """Give the race that was chosen."""
        self.dismiss(RaceAsked(self._races[self._at][1], beside=beside))

    def action_leave(self) -> None:
        """Go back; nothing was chosen."""
        self.dismiss(None)

    def lines(self, width: int) -> list[Line]:
        """Draw the choice as it is now."""
        return draw_choice(self._spec, [title for title, _ in self._races], self._at, width)


class _ChoicePicture(Picture):
    def __init__(self, choice: RaceChoiceScreen) -> None:
        super().__init__()
        self._choice = choice

    def draw(self, width: int, height: int) -> list[Line]:
        return self._choice.lines(width)


def draw_choice(spec: RunSpec, titles: list[str], at: int, width: int) -> list[Line]:
    """Draw the races, what they have in common, and what the keys do."""
    alike = f"{spec.dataset}, {length_of(spec)}, batch {spec.batch_size}, lr {spec.lr:g}, seed {spec.seed}"
    lines: list[Line] = [[("race  ", "muted"), (alike, "strong")], []]
    for place, title in enumerate(titles):
        here = place == at
        lines.append([("▸ " if here else "  ", "key"), (title, "chosen" if here else "text")])
    lines.append([])
    for key, words in _KEYS:
        first, *rest = wrap(words, width - len(key))
        lines.append([(key, "key"), (first, "text")])
        lines += [[(" " * len(key), "text"), (line, "text")] for line in rest]
    return [shorten(line, width) for line in lines]
