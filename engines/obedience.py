"""Doing what is asked of a run while it trains: pause, stop, a checkpoint, another rate, epochs more."""

import math
import time
from collections.abc import Callable
from typing import Literal

from engines.control import Request
from engines.events import AnyEvent, ControlApplied, Log
from engines.problems import StorageProblem
from engines.requests import Requests
from engines.run_plan import RunPlan
from engines.saving import Saver
from engines.spec import RunSpec

PAUSE_POLL_SECONDS = 0.05


class Obedience:
    """Takes requests between steps, does them, and says what is in force; `stop` is how the run is to stop, if it is.

    `paused_seconds` is how long it has held training up, in all.
    Epochs asked for are added to the plan, whose spec `keep_spec` keeps for the next attempt.
    """

    def __init__(
        self,
        *,
        requests: Requests,
        plan: RunPlan,
        saver: Saver,
        write: Callable[[AnyEvent], None],
        keep_spec: Callable[[RunSpec], None],
    ) -> None:
        self.stop: Literal["stop", "stop-now"] | None = None
        self.paused_seconds = 0.0
        self._requests = requests
        self._plan = plan
        self._saver = saver
        self._write = write
        self._keep_spec = keep_spec

    def obey(self) -> None:
        """Do what has been asked; while paused, wait here for what is asked next."""
        paused = False
        while self.stop is None:
            request = self._requests.take()
            if request is None:
                if not paused:
                    return
                self._rest()
                continue
            if request.action in ("pause", "resume"):
                paused = request.action == "pause"
            elif not self._do(request):
                continue
            self._write(ControlApplied(action=request.action, value=request.value, id=request.id, by=request.by))

    def _rest(self) -> None:
        began = time.monotonic()
        time.sleep(PAUSE_POLL_SECONDS)
        self.paused_seconds += time.monotonic() - began

    def _do(self, request: Request) -> bool:
        """Do what is asked; False, and said, where it makes no sense."""
        match request.action:
            case "stop" | "stop-now":
                self.stop = request.action
            case "checkpoint":
                self._saver.save()
            case "lr":
                return self._change_rate(request.value)
            case "epochs":
                return self._lengthen(request.value)
        return True

    def _change_rate(self, lr: float | None) -> bool:
        if lr is None or not (math.isfinite(lr) and lr > 0):
            self._write(Log(level="warning", message=f"learning rate {lr} asked for; kept."))
            return False
        self._plan.ask_rate(lr)
        return True

    def _lengthen(self, more: float | None) -> bool:
        if not self._plan.lengthen(more):
            kept = "kept" if self._plan.spec.epochs else "time alone ends this run"
            self._write(Log(level="warning", message=f"{more} epochs more asked for; {kept}."))
            return False
        try:
            self._keep_spec(self._plan.spec)
        except StorageProblem as problem:
            self._write(Log(level="error", message=f"{problem.message} Once continued, the run knows no more of them."))
        return True
