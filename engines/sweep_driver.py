"""Trains the runs of a sweep that are missing, as many at a time as there are places.

The screen and the headless command alike call `step` until it is over, and show what it has found.
"""

import signal
import threading
import time
from dataclasses import dataclass
from math import inf
from pathlib import Path

from msgspec.structs import replace

from engines import begin_lock, launch, post_mortem
from engines.found_runs import FoundRuns
from engines.launch import Worker
from engines.places import Places, gpu_in
from engines.problems import Problem, RunBusy, StorageProblem
from engines.run_queue import RunQueue
from engines.run_reader import ALIVE, RunReader
from engines.run_state import RunState
from engines.runs import RunStore, RunSummary, summarise
from engines.spare_workers import SpareWorkers
from engines.spec import RunSpec
from engines.sweep import Sweep
from engines.sweep_progress import SweepProgress, look_at

_READ_SECONDS = 0.02


@dataclass(frozen=True)
class Ended:
    """A run has ended, `is_new` unless it was completed before; `row` is None where it could not even be begun."""

    spec: RunSpec
    row: RunSummary | None
    is_new: bool = True
    reason: str = ""


@dataclass
class _Training:
    spec: RunSpec
    place: str
    reader: RunReader
    worker: Worker | None
    told: int = 0
    kill_at: float = inf


class SweepDriver:
    """Trains `sweep` in `store`; `progress` is how far it is. `step` may be called by one thread, then by another.

    A run that somebody else trains is waited for; one that was stopped, failed or died goes on from its checkpoint.
    """

    def __init__(self, store: RunStore, sweep: Sweep, places: Places) -> None:
        self.sweep = sweep
        self.places = places
        self._store = store
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._stops = 0
        self._signal = signal.SIGINT
        self._training: list[_Training] = []
        self._spares = SpareWorkers()
        self._found = FoundRuns(store, sweep)
        self._reasons: dict[RunSpec, str] = {}
        self._to_come = list(sweep.specs)
        self._untold = self._find_done()
        self.progress = self._look()

    def step(self) -> list[Ended]:
        """Take note of what has ended, begin what can begin now, and give the runs that ended since the last step."""
        with self._lock:
            ended, self._untold = self._untold, []
            for training in tuple(self._training):
                training.reader.advance(_READ_SECONDS)
                if self._is_over(training):
                    ended.append(self._end(training))
                elif self._stops and training.worker is None:
                    ended.append(self._let_go(training))
            if not self._stops:
                ended += self._begin_next()
            self._tell_all()  # A stop may have come while a worker came up.
            self._spares.get_ready(self._next_beside_gpus())
            self.progress = self._look()
            return ended

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Begin nothing more and have our runs stop with a checkpoint; asked for again, at once.

        From any thread, and from a signal's handler. Runs that somebody else has started go on.
        """
        self._signal = number
        self._stops += 1
        self._tell_all()

    def go_on(self) -> None:
        """Train what is missing, after a stop or failures."""
        with self._lock:
            self._stops = 0
            self._reasons = {}
            self._to_come = self._missing()
            self.progress = self._look()

    def hand_over(self) -> int:
        """Have the queue begin the runs that were not begun yet, and give how many; those in training go on.

        Raises the problems of `RunQueue.add`.
        """
        with self._lock, begin_lock.hold(self._store, wait=True):
            self._untold += self._find_done()
            new = [spec for spec in self._to_come if spec not in self._found.rows]
            RunQueue(self._store).add(new)
            self._to_come = [spec for spec in self._to_come if spec in self._found.rows]
            return len(new)

    def _next_beside_gpus(self) -> list[RunSpec]:
        """Give the runs that are likely to begin next, one for each that a GPU trains now."""
        on_gpus = sum(training.place in self.places.gpus for training in self._training)
        return [] if self._stops else self._to_come[:on_gpus]

    def _missing(self) -> list[RunSpec]:
        busy = {training.spec for training in self._training}
        return [spec for spec in self.sweep.specs if spec not in busy and not self._found.is_completed(spec)]

    def _find_done(self) -> list[Ended]:
        """Take note of what others have begun meanwhile, and give what is done already of what is to come."""
        self._found.look()
        self._join_others()
        done = [spec for spec in self._to_come if self._found.is_completed(spec)]
        self._to_come = [spec for spec in self._to_come if spec not in done]
        return [Ended(spec, self._found.rows[spec], is_new=False) for spec in done]

    def _join_others(self) -> None:
        """Wait for the runs that somebody else has at work; they have their places already."""
        for spec in tuple(self._to_come):
            if self._found.is_at_work(spec):
                self._to_come.remove(spec)
                self._watch(spec, RunReader(Path(self._found.rows[spec].directory)), None)

    def _watch(self, spec: RunSpec, reader: RunReader, worker: Worker | None, place: str = "") -> None:
        reader.advance(_READ_SECONDS)
        started = reader.state.started
        place = place or self.places.of((started and gpu_in(started.device)) or spec.device)
        self._training.append(_Training(spec, place, reader, worker))

    def _tell_all(self) -> None:
        """Pass on to each worker of ours every stop that it was not told of yet, and each only once."""
        if not self._telling.acquire(blocking=False):
            return  # Whoever is at it, perhaps under this very signal's handler, or the next step does it.
        try:
            for training in tuple(self._training):
                while training.worker and training.told < self._stops:
                    training.told += 1
                    training.worker.process.send_signal(self._signal)
        finally:
            self._telling.release()

    def _begin_next(self) -> list[Ended]:
        """Begin the next run that has a place, if any has; give what turns out to be done, or cannot be begun."""
        chosen = self._choose()
        if chosen is None:
            return []
        try:
            with begin_lock.hold(self._store):
                done = self._find_done()
                still = self._choose()
                return done + (self._begin(*still) if still else [])
        except RunBusy:
            return []  # Somebody else begins a run this very moment; the next step sees which.
        except StorageProblem as problem:
            self._to_come.remove(chosen[0])
            return [self._refuse(chosen[0], problem)]

    def _choose(self) -> tuple[RunSpec, str] | None:
        """Give the next run that has a place, and the place."""
        taken = [training.place for training in self._training]
        found = ((spec, self.places.free(spec.device, taken)) for spec in self._to_come)
        return next(((spec, place) for spec, place in found if place), None)

    def _begin(self, spec: RunSpec, place: str) -> list[Ended]:
        self._to_come.remove(spec)
        if spec in self._found.rows and self._found.read(spec).state == "completed":  # Somebody else went on with it.
            return [Ended(spec, self._found.rows[spec], is_new=False)]
        try:
            worker, directory = self._start(spec, self.places.assign(spec.device, place))
        except Problem as problem:
            return [self._refuse(spec, problem)]
        self._found.pass_over(directory)
        self._watch(spec, RunReader(directory), worker, place)
        return []

    def _refuse(self, spec: RunSpec, problem: Problem) -> Ended:
        self._reasons[spec] = str(problem)
        return Ended(spec, self._found.rows.get(spec), reason=str(problem))

    def _start(self, spec: RunSpec, device: str) -> tuple[Worker | None, Path]:
        """Start a run or its next attempt; no worker is given of one that somebody else has at work."""
        begun = self._found.rows.get(spec)
        if begun is None:
            self.sweep.take_back(self._store, (spec,))
            worker = launch.start(self._store, spec, self._spares.take(spec), device=device)
            return worker, worker.run_directory
        directory = Path(begun.directory)
        try:
            return launch.go_on(directory, spare=self._spares.take(spec), device=device), directory
        except RunBusy:
            return None, directory

    def _is_over(self, training: _Training) -> bool:
        worker, reader = training.worker, training.reader
        if worker is None:
            return not reader.has_worker() and reader.status() not in ALIVE
        if worker.process.poll() is not None:
            return True
        patience = launch.patience_with(training.told, is_finished=reader.state.finished is not None)
        # Without end as long as the only end that was read is that of the attempt before.
        training.kill_at = min(training.kill_at, time.monotonic() + patience) if patience < inf else inf
        if time.monotonic() > training.kill_at:
            worker.process.kill()
        return False

    def _let_go(self, training: _Training) -> Ended:
        self._training.remove(training)
        training.reader.close()
        self._found.rows[training.spec] = summarise(training.reader.directory)
        return Ended(training.spec, self._found.rows[training.spec])

    def _end(self, training: _Training) -> Ended:
        self._training.remove(training)
        state = training.reader.read_all()
        training.reader.close()
        row = summarise(training.reader.directory)
        if row.state in ALIVE:
            row = replace(row, state="crashed")  # Its worker is gone, however young it was.
        reason = _reason(training, state)
        self._found.rows[training.spec] = row
        if reason:
            self._reasons[training.spec] = reason
        return Ended(training.spec, row, reason=reason)

    def _look(self) -> SweepProgress:
        return SweepProgress(
            rows=dict(self._found.rows),
            reasons=dict(self._reasons),
            training=tuple(
                look_at(training.spec, training.reader, is_ours=training.worker is not None)
                for training in self._training
            ),
            to_come=tuple(self._to_come),
            is_stopping=bool(self._stops),
        )


def _reason(training: _Training, state: RunState) -> str:
    """Say why a run failed; empty where it did not."""
    finished = state.finished
    if finished:
        return f"{finished.error.message} {finished.error.hint}".strip() if finished.error else ""
    code = training.worker.process.returncode if training.worker else None
    death = post_mortem.examine(training.reader.directory, state, code)
    words = f" Its last words: {death.last_words[-1]}." if death.last_words else ""
    return f"the worker died: {death.how}.{words}"
