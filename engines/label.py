"""What a person calls a run: a name and tags, in `label.json` beside its spec. No reader needs it, none trusts it."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from engines.atomic_file import write_atomically
from engines.problems import StorageProblem, UsageProblem
from engines.regular_file import read_regular
from engines.text import clean_text

LONGEST_NAME = 60
LONGEST_TAG = 30
MOST_TAGS = 12
_FILE = "label.json"
_MAX_BYTES = 16 << 10


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A run's name, empty where it has none, and its tags, each once and in the order in which they came."""

    name: str = ""
    tags: tuple[str, ...] = ()

    def renamed(self, name: str) -> "Label":
        """Give this label with another name; an empty one takes the name away."""
        return msgspec.structs.replace(self, name=clean_text(name, LONGEST_NAME).strip())

    def tagged(self, tags: Iterable[str]) -> "Label":
        """Give this label with `tags` besides; raises `UsageProblem` for one that is none, or one too many."""
        together = tuple(dict.fromkeys((*self.tags, *map(_checked, tags))))
        if len(together) > MOST_TAGS:
            raise UsageProblem(f"a run has {MOST_TAGS} tags at most.", "Take one away first.")
        return msgspec.structs.replace(self, tags=together)

    def untagged(self, tags: Iterable[str]) -> "Label":
        """Give this label without `tags`."""
        gone = {tag.removeprefix("#") for tag in tags}
        return msgspec.structs.replace(self, tags=tuple(tag for tag in self.tags if tag not in gone))


def split_tags(text: str) -> list[str]:
    """Give the tags that a person typed, spaces or commas between them."""
    return re.findall(r"[^\s,]+", text)


def read_label(directory: Path) -> Label:
    """Read a run's label, safe to show; an empty one where there is none that makes sense."""
    try:
        return clean_label(msgspec.json.decode(read_regular(directory / _FILE, _MAX_BYTES), type=Label))
    except (OSError, ValueError, RecursionError):
        return Label()


def clean_label(label: Label) -> Label:
    """Give a label that somebody wrote into a file, safe to show."""
    tags = (clean_text(tag, LONGEST_TAG) for tag in label.tags[:MOST_TAGS])
    return Label(name=clean_text(label.name, LONGEST_NAME), tags=tuple(filter(None, tags)))


def write_label(directory: Path, label: Label) -> None:
    """Put `label` in the place of the one that a run has; raises `StorageProblem`."""
    try:
        write_atomically(directory / _FILE, msgspec.json.format(msgspec.json.encode(label)) + b"\n")
    except OSError as error:
        raise StorageProblem(
            f"cannot label {directory.name}: {error.strerror}.", "Check the disk and who owns the folder."
        ) from error


def _checked(tag: str) -> str:
    cleaned = clean_text(tag.removeprefix("#"), LONGEST_TAG + 1)
    if not re.fullmatch(r"[^\s,#]+", cleaned) or len(cleaned) > LONGEST_TAG:
        raise UsageProblem(
            f"{tag[:40]!r} is no tag.", f"A tag is a word of at most {LONGEST_TAG} characters, without spaces."
        )
    return cleaned
