"""The command palette: every action of the screen under it, with its key, and the ways to other screens."""

from collections.abc import Iterator
from functools import partial

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.screen import Screen
from textual.types import IgnoreReturnCallbackType

from tui.screens.help import key_name
from tui.screens.paced import Paced

Command = tuple[str, str, IgnoreReturnCallbackType]
"""The key, the words, and what is done."""

_NEVER_OFFERED = frozenset({"command_palette", "screen.copy_text", "app.focus_next", "app.focus_previous"})
_KEY_WIDTH = 11


class ActionPalette(Paced, CommandPalette):
    """Textual's palette in our dress: one line for each action."""

    DEFAULT_CSS = """
    ActionPalette {
        background: $background 40%;
        SearchIcon { display: none; }
        #--container { width: 74; max-width: 100%; margin-top: 1; background: $surface; }
        #--input { border: round $primary; background: $surface; padding: 0 1; }
        #--input.--list-visible { border-bottom: round $primary; }
        CommandInput, CommandInput:focus { border: none; height: 1; background: $surface; }
        #--results { width: 74; max-width: 100%; }
        CommandList { border: none; background: $surface; max-height: 75vh; scrollbar-size-vertical: 1; }
        CommandList > .option-list--option { padding: 0 2; text-style: none; }
        LoadingIndicator { border: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__([ActionProvider], placeholder="what to do, or where to go", id="--command-palette")


class ActionProvider(Provider):
    """Offers what the keys of the present screen do."""

    async def discover(self) -> Hits:
        """Give all of it: the screen's own first."""
        for key, words, act in self._commands():
            yield DiscoveryHit(_line(key, Content(words)), act, text=words)

    async def search(self, query: str) -> Hits:
        """Give what `query` fits."""
        matcher = self.matcher(query)
        for key, words, act in self._commands():
            score = matcher.match(words)
            if score > 0:
                yield Hit(score, _line(key, matcher.highlight(words)), act, text=words)

    def _commands(self) -> Iterator[Command]:
        known = set(_NEVER_OFFERED)
        bindings = self.screen.active_bindings.values()
        for active in sorted(bindings, key=lambda one: (one.node is self.app, not isinstance(one.node, Screen))):
            binding = active.binding
            is_ours = type(active.node).__module__.startswith("tui.")  # Textual's field has a key for each way to edit.
            if is_ours and active.enabled and binding.description and binding.action not in known:
                known.add(binding.action)
                act = partial(self.app.run_action, binding.action, active.node)
                yield (
                    binding.key_display or key_name(binding.key),
                    _describe(binding.description, active.tooltip),
                    act,
                )


def _describe(words: str, more: str) -> str:
    if more.startswith(words):
        return more
    return f"{words}: {more}" if more else words


def _line(key: str, words: Content) -> Content:
    return Content.assemble((f"{key:<{_KEY_WIDTH}}", "$accent"), words)
