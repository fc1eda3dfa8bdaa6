"""Tells of the phases of an attempt: that one began, how far it is, and how long it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engines.events import Phase, PhaseName, PhaseState
from engines.progress_report import Report
from engines.requests import Requests

PROGRESS_SECONDS = 0.25


class StopAsked(Exception):  # noqa: N818 - an order that was given, not an error
    """Somebody asked the run to stop while it was not training yet."""


class PhaseReporter:
    """Writes `phase` events; progress at most four times a second."""

    def __init__(self, write: Callable[[Phase], None], requests: Requests) -> None:
        self._write = write
        self._requests = requests

    @contextmanager
    def phase(self, name: PhaseName, total: int | None, unit: str) -> Iterator[Report]:
        """Tell of a phase around its work, which reports progress by what it is given.

        The report raises `StopAsked` where a stop was asked for. A phase that raises is never told of as finished.
        """
        began = time.monotonic()
        latest = (0, total, unit)
        told = began

        def tell(state: PhaseState) -> None:
            done, of, counted = latest
            seconds = time.monotonic() - began
            self._write(Phase(name=name, state=state, done=done, total=of, unit=counted, seconds=seconds))

        def report(done: int, of: int | None, counted: str) -> None:
            nonlocal latest, told
            latest = (done, of, counted)
            now = time.monotonic()
            if now - told >= PROGRESS_SECONDS:
                told = now
                tell("progress")
            if name != "train" and self._requests.is_stop_asked():
                raise StopAsked

        tell("started")
        yield report
        tell("finished")
