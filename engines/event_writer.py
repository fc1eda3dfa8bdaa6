"""The writing end of `events.jsonl`: whole lines appended, whatever the disk does."""

import contextlib
import math
import os
import threading
import time
from collections import deque
from pathlib import Path

import msgspec

from engines.event_line import encode_event
from engines.events import Batch, Event, Filters, RunFinished, RunStarted, Samples, Telemetry
from engines.regular_file import open_to_append

_LIFECYCLE = (RunStarted, RunFinished)
_DROPPABLE = (Batch, Telemetry, Samples, Filters)


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


def nonfinite_fields(event: Event) -> tuple[str, ...]:
    """Name the fields of `event` whose number, or one of whose numbers, is not finite; JSON holds null for those."""
    return tuple(name for name in event.__struct_fields__ if _is_nonfinite(getattr(event, name)))


def _is_nonfinite(value: object) -> bool:
    match value:
        case float():
            return not math.isfinite(value)
        case list():
            return any(isinstance(item, float) and not math.isfinite(item) for item in value)
        case _:
            return False
