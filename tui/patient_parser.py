"""Reads keys from a line on which half of a sequence may come late, as mouse reports and pastes do where it is slow."""

from collections.abc import Iterable

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

PATIENCE_SECONDS = 2.0
"""So much longer the rest of a sequence is waited for: TCP sends again what was lost after a second or so."""

_ESCAPE = "\x1b"


class PatientParser(XTermParser):
    """Gives up on what has begun as a sequence later than Textual's, and never within a paste.

    Textual's takes both halves for keys that were typed, 100 ms after the first; where they were the end of a paste, it
    takes all keys that ever come for text of it. A lone escape is a key after that time all the same.
    """

    _last = ""
    _is_pasting = False

    def feed(self, data: str) -> Iterable[Message]:
        """See `Parser.feed`."""
        seen = self._last + data
        begun, ended = seen.rfind(BRACKETED_PASTE_START), seen.rfind(BRACKETED_PASTE_END)
        if begun != ended:
            self._is_pasting = begun > ended
        self._last = seen[1 - len(BRACKETED_PASTE_END) :]
        yield from super().feed(data)
        if self._is_pasting:
            self._timeout_time = None
        elif self._timeout_time is not None and not seen.endswith(_ESCAPE):
            self._timeout_time += PATIENCE_SECONDS
