"""The reading end of `events.jsonl`: a tail that survives whatever it finds there."""

import os
import re
import threading
from pathlib import Path

from engines.event_line import decode_event, decode_plain
from engines.events import AnyEvent
from engines.regular_file import open_regular

MAX_LINE_BYTES = 1 << 20
"""Longer lines are counted as bad and never held in memory; our longest, with two hundred images, has 220 KB."""

READ_BYTES = 1 << 18

THIN_ABOVE_BYTES = 12 << 20
"""With more than this still to read, a view decodes one batch in many: a million events open at once."""

WHOLE_BELOW_BYTES = 1 << 20
"""A backlog that is read thin is read whole from here on: what is newest is shown in every detail."""

_STRIDE_BYTES = 1 << 15
_BEFORE_RARE = re.compile(rb'\n(?!\{"type":"(?:batch|telemetry)",)')
"""The end of a line that is followed by none of those that a run writes all the time."""

_NOT_IN_A_ROW = re.compile(rb'\{"type":"(?:batch|samples|telemetry)",')
_BEFORE_TOLD_IN_A_ROW = re.compile(rb"\n(?!" + _NOT_IN_A_ROW.pattern + rb")")


class EventTail:
    """Reads a growing file of events in bounded bites, from `offset` on.

    Half a line is kept until its end arrives. `bad_lines` counts what is no event, `lines` all that were looked at.
    A file that is missing, or is no regular file, reads as empty; one that shrank is read again from its start, and
    `restarts` tells. With `thin`, a long backlog is read at the price of most of its batches and telemetry, with `skim`
    of all that a row in a list does not tell, but for each bite's last line, which tells when it was last heard of.
    Another thread may close it: whoever reads then comes to the end.
    """

    def __init__(self, path: Path, offset: int = 0, *, thin: bool = False, skim: bool = False) -> None:
        self._path = path
        self._closing = threading.Lock()
        self._is_closed = False
        self._fd = -1
        self._offset = offset
        self._partial = b""
        self._skipping = False
        self._thin = thin
        self._is_thinning = False
        self._skim = skim
        self.at_end = False
        self.lines = 0
        self.bad_lines = 0
        self.restarts = 0

    def read(self, max_bytes: int = READ_BYTES) -> list[AnyEvent]:
        """Give the events that ended in the next `max_bytes` of the file; `at_end` tells whether there was nothing new.

        There may be none in a part that is all garbage, or one long line.
        """
        with self._closing:
            chunk = b"" if self._is_closed else self._read_chunk(max_bytes)
        self.at_end = not chunk
        if self.at_end:
            return []
        text = self._partial + chunk
        if self._is_thinning:
            whole, self._partial = self._thinned(text)
        elif self._skim:
            whole, self._partial = self._skimmed(text)
        else:
            *whole, self._partial = text.split(b"\n")
        events = self._decode_all(whole)
        if len(self._partial) > MAX_LINE_BYTES:
            self._partial, self._skipping = b"", True
        return events

    def close(self) -> None:
        """Let go of the file for good."""
        with self._closing:
            self._is_closed = True
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _read_chunk(self, max_bytes: int) -> bytes:
        try:
            if self._fd < 0:
                self._fd = open_regular(self._path)
            size = os.fstat(self._fd).st_size
            self._choose_whether_to_thin(size - self._offset)
            if size < self._offset:
                self._offset, self._partial, self._skipping = 0, b"", False
                self.lines = self.bad_lines = 0
                self.restarts += 1
            chunk = os.pread(self._fd, max_bytes, self._offset)
        except OSError:
            # Not there yet, or not readable now: there is nothing to show, and the next look may find it.
            return b""
        self._offset += len(chunk)
        return chunk

    def _choose_whether_to_thin(self, backlog: int) -> None:
        if self._thin and backlog > THIN_ABOVE_BYTES:
            self._is_thinning = True
        elif backlog < WHOLE_BELOW_BYTES:
            self._is_thinning = False

    def _thinned(self, text: bytes) -> tuple[list[bytes], bytes]:
        """Give the lines to decode, found without a look at each: all rare ones, and one in `_STRIDE_BYTES`.

        Also gives what comes after the last line.
        """
        end = text.rfind(b"\n") + 1
        starts = {0} | {match.end() for match in _BEFORE_RARE.finditer(text, 0, end)}
        starts |= {text.find(b"\n", at, end) + 1 for at in range(_STRIDE_BYTES, end, _STRIDE_BYTES)}
        return _lines_at(starts, text, end), text[end:]

    def _skimmed(self, text: bytes) -> tuple[list[bytes], bytes]:
        """Give the lines to decode, and what comes after the last line."""
        end = text.rfind(b"\n") + 1
        starts = {match.end() for match in _BEFORE_TOLD_IN_A_ROW.finditer(text, 0, end)}
        starts |= {text.rfind(b"\n", 0, max(0, end - 1)) + 1} | (set() if _NOT_IN_A_ROW.match(text) else {0})
        return _lines_at(starts, text, end), text[end:]

    def _decode_all(self, lines: list[bytes]) -> list[AnyEvent]:
        is_plain = lines and not self._skipping and max(map(len, lines)) <= MAX_LINE_BYTES
        if is_plain and (events := decode_plain(lines)) is not None:
            self.lines += len(lines)
            return events
        return [event for line in lines if (event := self._decode(line)) is not None]

    def _decode(self, line: bytes) -> AnyEvent | None:
        self.lines += 1
        if self._skipping or len(line) > MAX_LINE_BYTES:
            self._skipping = False
            self.bad_lines += 1
            return None
        try:
            return decode_event(line.removeprefix(b"\xef\xbb\xbf") if self.lines == 1 else line)
        except ValueError:
            self.bad_lines += 1
            return None


def _lines_at(starts: set[int], text: bytes, end: int) -> list[bytes]:
    """Give the lines that begin at `starts`, in order, without those that begin at `end` or later."""
    return [text[start : text.find(b"\n", start)] for start in sorted(starts) if start < end]
