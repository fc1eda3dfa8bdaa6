"""One run as the live screen has it: what is new read into a `View`, what is asked sent to its worker."""

import time

from engines import control, post_mortem
from engines.folders import is_folder
from engines.launch import Worker
from engines.run_reader import ALIVE, RunReader
from engines.run_state import RunState
from engines.runs import read_spec
from engines.spec import RunSpec
from engines.worker_log import last_log_lines
from tui.view import View

LOG_SECONDS = 1.0
LOG_LINES = 60


class Watch:
    """Watches the run that `reader` reads; `worker` is its process where that is ours."""

    def __init__(self, reader: RunReader, worker: Worker | None, *, ascii_only: bool) -> None:
        self._reader = reader
        self._worker = worker
        self._ascii_only = ascii_only
        self._asked_spec = read_spec(reader.directory)
        self._unanswered: list[control.Request] = []
        self._log_lines: tuple[str, ...] = ()
        self._log_read_at = float("-inf")
        self.has_more = False
        """Whether there was more to read than the last look had time for."""

    @property
    def spec(self) -> RunSpec | None:
        """What the run was asked to do; None where not even its directory tells."""
        return self._reader.state.spec or self._asked_spec

    @property
    def will_be_paused(self) -> bool:
        """Whether the run is paused once it has done all that was asked here."""
        asked = [request.action for request in self._waiting() if request.action in ("pause", "resume")]
        return asked[-1] == "pause" if asked else self._reader.state.paused

    @property
    def coming_rate(self) -> float | None:
        """The learning rate once the run has done all that was asked here; None where it has none yet."""
        asked = [request.value for request in self._waiting() if request.action == "lr"]
        return asked[-1] if asked else self._reader.state.lr

    @property
    def has_worker(self) -> bool:
        """Tell whether there is somebody to ask."""
        return self._reader.has_worker()

    @property
    def is_waiting(self) -> bool:
        """Tell whether something that was asked here has not been answered yet."""
        return bool(self._unanswered) and bool(self._waiting())

    def look(self, seconds: float) -> View:
        """Read what is new for at most about `seconds`, and give the run as it is then."""
        self._reader.advance(seconds)
        self.has_more = not self._reader.is_at_end
        now = time.monotonic()
        if now - self._log_read_at >= LOG_SECONDS:
            self._log_read_at = now
            self._log_lines = tuple(last_log_lines(self._reader.directory, LOG_LINES))
        status = self._reader.status()
        if status not in ALIVE:
            self._unanswered.clear()
        return View(
            directory=self._reader.directory,
            state=self._reader.state,
            status=status,
            now=time.time(),
            spec=self.spec,
            log_lines=self._log_lines,
            death=self._describe_death(self._reader.state) if status == "crashed" else "",
            is_gone=status == "crashed" and not is_folder(self._reader.directory),
            ascii_only=self._ascii_only,
        )

    def _describe_death(self, state: RunState) -> str:
        code = self._worker.process.poll() if self._worker else None
        return post_mortem.examine(self._reader.directory, state, code).how

    def ask(self, action: control.Action, value: float | None = None) -> bool:
        """Ask something of the run's worker; False where there is none. Raises `StorageProblem`."""
        if self.has_worker:
            self._unanswered.append(control.ask(self._reader.directory, action, value))
            return True
        return False

    def _waiting(self) -> list[control.Request]:
        """Give what was asked here since the last request that was answered; all before that is done with."""
        answered = {applied.id for applied in self._reader.state.controls}
        done = [at for at, request in enumerate(self._unanswered, 1) if request.id in answered]
        self._unanswered = self._unanswered[done[-1] :] if done else self._unanswered
        return self._unanswered

    def close(self) -> None:
        """Let go of the run's file."""
        self._reader.close()
