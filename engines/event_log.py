"""The file `events.jsonl`: a writer that appends whole lines, and a tail that survives whatever it finds there."""

import contextlib
import os
import re
import threading
import time
from collections import deque
from pathlib import Path
from typing import get_args

import msgspec

from engines.events import (
    AnyEvent,
    Batch,
    Event,
    Filters,
    RunFinished,
    RunStarted,
    Samples,
    Telemetry,
    nonfinite_fields,
)
from engines.regular_file import open_regular, open_to_append
from engines.text import clean_value

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

_NOT_IN_A_ROW = (b'{"type":"batch",', b'{"type":"samples",', b'{"type":"telemetry",')
_KNOWN_TYPES = frozenset(str(event.__struct_config__.tag) for event in get_args(AnyEvent))
_LIFECYCLE = (RunStarted, RunFinished)
_DROPPABLE = (Batch, Telemetry, Samples, Filters)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class _Header(msgspec.Struct):
    type: str
    seq: int
    time: float


_header_decoder = msgspec.json.Decoder(_Header)


def encode_event(event: Event) -> bytes:
    """Give `event` as one line of JSON, newline included."""
    return _encoder.encode(event) + b"\n"


def decode_event(line: bytes) -> AnyEvent | None:
    """Read one line; None for a type that we do not know.

    Text in it comes out safe to show. Raises ValueError (of which `msgspec.DecodeError` is one) for what is no event.
    """
    try:
        event = _decode_known(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if event is not None and (event.seq < 0 or event.time < 0):
        raise ValueError("without a place in the order or in time")
    return event


def _decode_known(line: bytes) -> AnyEvent | None:
    try:
        # Only through one of these does a character come in that a terminal could take for a command.
        if b"\\" in line or b"\x7f" in line or not line.isascii():
            event: AnyEvent = msgspec.convert(clean_value(msgspec.json.decode(line)), AnyEvent)
            return event
        return _decoder.decode(line)
    except msgspec.ValidationError:
        if _header_decoder.decode(line).type in _KNOWN_TYPES:
            raise
        return None


class EventWriter:
    """Appends events to a file; several threads may share it.

    One `os.write` a line. Where the disk refuses, what matters is kept in memory and written once it can be, and what
    comes again by itself (batches, telemetry, samples, filters) is dropped: a full disk never stops a training run.
    Numbers in `seq` are given at the moment of writing, so that they have no gap.
    """

    def __init__(self, path: Path, next_seq: int = 0) -> None:
        """Open `path` for appending; raises OSError where that is refused."""
        self._fd = open_to_append(path)
        self._lock = threading.Lock()
        self._pending: deque[Event] = deque()
        self._torn = _ends_within_a_line(self._fd)
        self._error: OSError | None = None
        self._close_torn_line()
        self.next_seq = next_seq

    @property
    def error(self) -> OSError | None:
        """Why the disk refused the last write; None when all is written."""
        return self._error

    def write(self, event: Event) -> None:
        """Append `event` with its `seq` and `time`; never raises for a disk's refusal, see `error`."""
        with self._lock:  # The time is taken within it, so that the order of times is that of the file.
            stamped = msgspec.structs.replace(event, time=time.time(), nonfinite=nonfinite_fields(event))
            encode_event(stamped)  # What cannot be encoded fails here, before it stands in the way of the next.
            self._pending.append(stamped)
            self._write_pending()
            if self._error is None and isinstance(event, _LIFECYCLE):
                self._sync()

    def close(self) -> None:
        """Try once more to write what is pending, and close the file."""
        with self._lock:
            self._write_pending()
            os.close(self._fd)

    def size(self) -> int:
        """Give the length of the file in bytes."""
        return os.fstat(self._fd).st_size

    def _close_torn_line(self) -> None:
        if self._torn:
            with contextlib.suppress(OSError):  # The next write tries again, and tells.
                self._append(b"")

    def _write_pending(self) -> None:
        while self._pending:
            line = encode_event(msgspec.structs.replace(self._pending[0], seq=self.next_seq))
            try:
                self._append(line)
            except OSError as error:
                self._error = error
                self._pending = deque(event for event in self._pending if not isinstance(event, _DROPPABLE))
                return
            self._pending.popleft()
            self.next_seq += 1
        self._error = None

    def _append(self, line: bytes) -> None:
        if self._torn:
            line = b"\n" + line
        written = os.write(self._fd, line)
        # A short write comes first; only the next write tells why.
        while written < len(line):
            self._torn = True
            try:
                written += os.write(self._fd, line[written:])
            except OSError:
                if written < len(line) - 1:
                    raise
                return  # Only the newline is missing, and the next line brings it: said again, it would be there twice.
        self._torn = False

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._error = error


def _ends_within_a_line(fd: int) -> bool:
    size = os.fstat(fd).st_size
    return size > 0 and os.pread(fd, 1, size - 1) != b"\n"


class EventTail:
    """Reads a growing file of events in bounded bites, from `offset` on.

    Half a line is kept until its end arrives. `bad_lines` counts what is no event, `lines` all that ended in a newline.
    A file that is missing, or is no regular file, reads as empty; one that shrank is read again from its start, and
    `restarts` tells. With `thin`, a long backlog is read at the price of most of its batches and telemetry, with `skim`
    of all that a row in a list does not tell, but for each bite's last line, which tells when it was last heard of.
    """

    def __init__(self, path: Path, offset: int = 0, *, thin: bool = False, skim: bool = False) -> None:
        self._path = path
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
        chunk = self._read_chunk(max_bytes)
        self.at_end = not chunk
        if self.at_end:
            return []
        text = self._partial + chunk
        if self._is_thinning:
            whole, self._partial = self._thinned(text)
        else:
            *whole, self._partial = text.split(b"\n")
        if self._skim:
            whole = self._skimmed(whole)
        events = [event for line in whole if (event := self._decode(line)) is not None]
        if len(self._partial) > MAX_LINE_BYTES:
            self._partial, self._skipping = b"", True
        return events

    def close(self) -> None:
        """Let go of the file."""
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
        starts = {0} | {match.end() for match in _BEFORE_RARE.finditer(text, 0, max(0, end - 1))}
        starts |= {text.find(b"\n", at, end) + 1 for at in range(_STRIDE_BYTES, end, _STRIDE_BYTES)}
        kept = [text[start : text.find(b"\n", start)] for start in sorted(starts) if start < end]
        self.lines += text.count(b"\n", 0, end) - len(kept)
        return kept, text[end:]

    def _skimmed(self, lines: list[bytes]) -> list[bytes]:
        kept = [line for line in lines[:-1] if not line.startswith(_NOT_IN_A_ROW)] + lines[-1:]
        self.lines += len(lines) - len(kept)
        return kept

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
