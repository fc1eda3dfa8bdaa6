"""What is asked of a worker while it trains: by `control.json` and by signals, in one queue."""

import faulthandler
import os
import signal
import threading
from collections import deque
from pathlib import Path
from types import FrameType
from typing import TextIO

from engines.control import STOPS, Action, Inbox, Request
from engines.problems import StorageProblem

AT_ONCE_SECONDS = 1.5
"""How long a second INT or TERM waits for the loop to end by itself."""


class Requests:
    """Collects requests; signal handlers only set flags here, the training loop does the work.

    Looking for one raises `StorageProblem` where the run's `lock` has been removed, be it with all of the run: nobody
    sees any more that a worker has it, and another may take it.
    """

    def __init__(self, inbox: Inbox, lock_path: Path, lock: int, log: TextIO) -> None:
        self._inbox = inbox
        self._lock_path = lock_path
        self._lock = lock
        self._stops: list[signal.Signals] = []
        self._checkpoint_asked = False
        self._answered_stops = 0
        self._waiting: deque[Request] = deque()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGUSR1, self._on_checkpoint)
        # A worker survives its terminal: own session, streams off it, and this.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        faulthandler.register(signal.SIGQUIT, file=log, all_threads=True)
        faulthandler.enable(file=log)

    @property
    def stop_signal(self) -> signal.Signals | None:
        """The first INT or TERM that came; None while none has."""
        return self._stops[0] if self._stops else None

    def is_stop_asked(self) -> bool:
        """Tell whether one of the requests that wait is to stop, and leave them to be taken."""
        while request := self._receive():
            self._waiting.append(request)
        return any(request.action in STOPS for request in self._waiting)

    def take(self) -> Request | None:
        """Give the next request that was not given yet."""
        return self._waiting.popleft() if self._waiting else self._receive()

    def _receive(self) -> Request | None:
        if len(self._stops) > self._answered_stops:
            self._answered_stops = len(self._stops)
            action: Action = "stop" if len(self._stops) == 1 else "stop-now"
            return Request(id="", action=action, by=self._stops[-1].name)
        if self._checkpoint_asked:
            self._checkpoint_asked = False
            return Request(id="", action="checkpoint", by="SIGUSR1")
        # A run that was only moved still has its lock.
        if os.fstat(self._lock).st_nlink == 0:
            raise StorageProblem(
                f"{self._lock_path} was removed while its run trained.", "Go on with what is left of it."
            )
        return self._inbox.take()

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        self._stops.append(signal.Signals(number))
        if len(self._stops) == 2:
            # Where the framework does not come back in time, "at once" still means at once.
            guard = threading.Timer(AT_ONCE_SECONDS, os._exit, [128 + number])
            guard.daemon = True
            guard.start()

    def _on_checkpoint(self, _number: int, _frame: FrameType | None) -> None:
        self._checkpoint_asked = True
