"""Text from files and names made safe to show: no escape sequence, control or direction character passes."""

import re
import unicodedata

# CSI, OSC/DCS/SOS/PM/APC up to their end, and two-byte escapes: removed whole, so that no "[31m" is left behind.
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_text(text: str, limit: int = 2_000) -> str:
    """Give `text` as one line of at most `limit` characters that no terminal takes for a command.

    Escape sequences go, white space of any kind becomes a space, other control, format (bidirectional, zero-width)
    and unassigned characters become U+FFFD.
    """
    text = text[: 4 * limit]
    if text.isascii() and text.isprintable():
        return text[:limit]
    text = _ESCAPE_SEQUENCE.sub("", text)
    text = re.sub(r"\s+", " ", text).strip()
    return "".join("\ufffd" if unicodedata.category(c) in _UNSAFE_CATEGORIES else c for c in text)[:limit]


def clean_value(value: object) -> object:
    """Clean every string in a value made of JSON's types."""
    match value:
        case str():
            return clean_text(value)
        case list():
            return [clean_value(item) for item in value]
        case dict():
            return {clean_value(key): clean_value(item) for key, item in value.items()}
        case _:
            return value
