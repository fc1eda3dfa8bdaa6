"""Whether a run with a long record stands paused: looked for from the end backwards, as far as it takes."""

import os
import re
from pathlib import Path

from engines.regular_file import open_regular

BLOCK_BYTES = 1 << 18
_LONGEST_MATCH = 64

# A paused run trains nothing: after its pause come telemetry, and what else is asked of it.
_TELLING = re.compile(rb'"(?:type"\s*:\s*"(?:batch|epoch|phase|run_started)|action"\s*:\s*"(?:pause|resume))"')


def is_paused(path: Path) -> bool:
    """Tell whether the last that the events in `path` tell of training is a pause; a night of one is megabytes."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            at = file.seek(0, os.SEEK_END)
            while at > 0:
                end, at = at, max(0, at - BLOCK_BYTES)
                file.seek(at)
                # Some bytes more than the block, for what lies across its end.
                if found := _TELLING.findall(file.read(end - at + _LONGEST_MATCH)):
                    return bool(found[-1].endswith(b'"pause"'))
    except OSError:
        return False  # It is gone meanwhile, and its worker with it.
    return False
