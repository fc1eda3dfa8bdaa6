"""One line of `events.jsonl`: an event as JSON, and back, safe to show whoever wrote it."""

from collections.abc import Sequence
from typing import get_args

import msgspec

from engines.events import AnyEvent, Count, Event, Moment, Unknown
from engines.text import clean_value

_KNOWN_TYPES = frozenset(str(event.__struct_config__.tag) for event in get_args(AnyEvent))

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class _Header(msgspec.Struct):
    type: str
    seq: Count
    time: Moment


_header_decoder = msgspec.json.Decoder(_Header)


def encode_event(event: Event) -> bytes:
    """Give `event` as one line of JSON, newline included."""
    return _encoder.encode(event) + b"\n"


def decode_event(line: bytes) -> AnyEvent:
    """Read one line; of a type that we do not know only its place in the order and in time.

    Text in it comes out safe to show. Raises ValueError (of which `msgspec.DecodeError` is one) for what is no event.
    """
    try:
        event = _decode_any(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if event.seq < 0 or event.time < 0:
        raise ValueError("without a place in the order or in time")
    return event


def decode_plain(lines: Sequence[bytes]) -> list[AnyEvent] | None:
    """Read many lines at once, a third faster than one by one; None where one of them wants a look of its own."""
    block = b"\n".join(lines)
    if _may_hold_commands(block):
        return None
    try:
        events = list(map(_decoder.decode, lines))
    except (ValueError, RecursionError):
        return None
    return events if all(event.seq >= 0 and event.time >= 0 for event in events) else None


def _may_hold_commands(text: bytes) -> bool:
    """Tell whether there may be a character in `text` that a terminal could take for a command."""
    return b"\\" in text or b"\x7f" in text or not text.isascii()


def _decode_any(line: bytes) -> AnyEvent:
    try:
        if _may_hold_commands(line):
            event: AnyEvent = msgspec.convert(clean_value(msgspec.json.decode(line)), AnyEvent)
            return event
        return _decoder.decode(line)
    except msgspec.ValidationError:
        header = _header_decoder.decode(line)
        if header.type in _KNOWN_TYPES:
            raise
        return Unknown(seq=header.seq, time=header.time)
