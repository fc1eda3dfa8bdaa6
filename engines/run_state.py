"""What a run's events add up to: one fold for every view, live, finished or replayed."""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from math import ceil, inf, isfinite
from typing import cast

from msgspec import UNSET
from msgspec.structs import replace

from engines.detailed_series import DetailedSeries
from engines.epoch_tail import EpochTail
from engines.events import (
    AnyEvent,
    Batch,
    CheckpointSaved,
    ControlApplied,
    EpochEnded,
    Filters,
    Log,
    Mistakes,
    Phase,
    PhaseName,
    RunFinished,
    RunStarted,
    Samples,
    Telemetry,
)
from engines.gallery import Gallery, decode_images
from engines.marks import MAX_MARKS, Mark, mark_attempt, mark_control, mark_missing
from engines.series import Series
from engines.spec import RunSpec, lengthen
from engines.time_spent import TimeSpent

LOG_LINES = 200
TELEMETRY_POINTS = 240
_SAME_PLACE = 1e-9


class RunState:
    """The sum of a run's events; `apply` adds one. What an earlier attempt did past the next one's start is dropped."""

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.finished: RunFinished | None = None
        self.epochs: list[EpochEnded] = []
        self.best: EpochEnded | None = None
        """The epoch with the highest accuracy on what it is chosen on, validation or test; the first of equals."""
        self.phases: dict[PhaseName, Phase] = {}
        self.batch: Batch | None = None
        self.batch_count = 0
        self.train_loss = DetailedSeries()
        self.train_accuracy = DetailedSeries()
        self.throughput = Series()
        self.sample_labels: list[int] = []
        self.sample_images: list[bytes] = []
        self.predictions: list[int] = []
        self.confidences: list[float | None] = []
        self.gallery = Gallery()
        self.telemetry: deque[Telemetry] = deque(maxlen=TELEMETRY_POINTS)
        self.checkpoints: list[CheckpointSaved] = []
        self._checkpoint_paths: set[str] = set()
        self.controls: deque[ControlApplied] = deque(maxlen=LOG_LINES)
        self.logs: deque[Log] = deque(maxlen=LOG_LINES)
        self._asked: deque[Mark] = deque(maxlen=MAX_MARKS)
        self._gaps: deque[Mark] = deque(maxlen=MAX_MARKS)
        self.paused = False
        self.lr: float | None = None
        self.spent = TimeSpent()
        self._tail = EpochTail()
        self.first_time: float | None = None
        self.last_time: float | None = None
        self._worked = 0.0
        self.next_seq = 0

    @property
    def spec(self) -> RunSpec | None:
        """What the newest attempt was asked to do, later wishes included; None until it has started."""
        return self.started.spec if self.started else None

    @property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch has; 0 while that is not known."""
        return ceil(self.started.train_size / self.started.spec.batch_size) if self.started else 0

    @property
    def is_getting_ready(self) -> bool:
        """Tell whether the newest attempt has begun and does not train yet: the last batch is one of an earlier one."""
        told = max((phase.seq for phase in self.phases.values()), default=-1)
        return "train" not in self.phases and (self.batch is None or told > self.batch.seq)

    @property
    def position(self) -> float:
        """How far training is, in epochs."""
        ended = self.epochs[-1].place if self.epochs else 0.0
        within = _place(self.batch.epoch, self.batch.step, self.batch.steps_per_epoch) if self.batch else 0.0
        return max(ended, within)

    @property
    def epochs_done(self) -> int:
        """How many whole epochs have ended."""
        return int(self.epochs[-1].place) if self.epochs else 0

    @property
    def marks(self) -> list[Mark]:
        """What happened to the run, by place, the newest of each kind; many gaps take no room from what was asked."""
        return sorted([*self._gaps, *self._asked], key=lambda mark: mark.place)

    @property
    def seconds(self) -> float | None:
        """Seconds from each event to the next, but for those between attempts; none where the clock was put back."""
        return None if self.last_time is None else self._worked

    def apply(self, event: AnyEvent) -> None:
        """Add `event`; the order is that of the file."""
        self._take_time(event)
        self.next_seq = event.seq + 1
        match event:
            case RunStarted():
                self._begin_attempt(event)
            case Phase():
                self._apply_phase(event)
            case Batch():
                self._apply_batches([event])
            case EpochEnded():
                self._apply_epoch(event)
            case Samples():
                self._apply_samples(event)
            case Mistakes():
                self.gallery.apply_mistakes(event)
            case Filters():
                self.gallery.apply_filters(event)
            case Telemetry():
                self.telemetry.append(event)
            case CheckpointSaved():
                self._apply_checkpoint(event)
            case ControlApplied():
                self._apply_control(event)
            case Log():
                self.logs.append(event)
            case RunFinished():
                self.finished = event
                self.paused = False

    def apply_all(self, events: Iterable[AnyEvent]) -> None:
        """Add `events` in their order; batches that follow one another cost a third of what they do one by one."""
        for kind, group in groupby(events, type):
            if kind is Batch:
                batches = cast(list[Batch], list(group))
                self._take_time(batches[0])
                self._take_time(batches[-1])
                self.next_seq = batches[-1].seq + 1
                self._apply_batches(batches)
            else:
                for event in group:
                    self.apply(event)

    def _take_time(self, event: AnyEvent) -> None:
        self.first_time = event.time if self.first_time is None else self.first_time
        if self.last_time is not None and not _is_first_of_attempt(event):
            self._worked += max(0.0, event.time - self.last_time)
        self.last_time = event.time

    def _begin_attempt(self, event: RunStarted) -> None:
        self.started = event
        self.finished = None
        self.paused = False
        self.lr = event.spec.lr
        self.spent = TimeSpent(event.epoch_seconds)
        self._tail = EpochTail(event.steps_done)
        place = _place(event.epochs_done + 1, event.steps_done, self.steps_per_epoch)
        self.epochs = [epoch for epoch in self.epochs if epoch.place <= place + _SAME_PLACE]
        self.best = _best_of(self.epochs)
        self.checkpoints = [
            saved
            for saved in self.checkpoints
            if (saved.epoch - 1) * self.steps_per_epoch + saved.step
            <= event.epochs_done * self.steps_per_epoch + event.steps_done
        ]
        self.gallery.begin_attempt(event.epochs_done)
        for series in (self.train_loss, self.train_accuracy, self.throughput):
            series.cut_after(place)
        if self.batch and _place(self.batch.epoch, self.batch.step, self.batch.steps_per_epoch) > place:
            self.batch = None
        for marks in (self._asked, self._gaps):
            while marks and marks[-1].place > place:
                marks.pop()
        if mark := mark_attempt(event, place):
            self._asked.append(mark)

    def _apply_phase(self, event: Phase) -> None:
        if _is_first_of_attempt(event):
            # A new attempt begins: its first words are this phase, before it knows enough for `run_started`.
            self.finished = None
            self.paused = False
            self.phases = {}
            self.spent = TimeSpent()
        self.phases[event.name] = event

    def _apply_batches(self, events: list[Batch]) -> None:
        places: list[float] = []
        losses: list[float | None] = []
        accuracies: list[float | None] = []
        for event in events:
            place = _place(event.epoch, event.step, event.steps_per_epoch)
            if event.loss is None and (mark := mark_missing(event, self.batch, place)):
                self._gaps.append(mark)
            loss, accuracy = self._tail.take(event)
            places.append(place)
            losses.append(loss)
            accuracies.append(accuracy)
            self.batch = event
        self.batch_count += len(events)
        self.lr = events[-1].lr
        self.train_loss.extend(places, losses)
        self.train_accuracy.extend(places, accuracies)
        self.throughput.extend(places, [event.images_per_second for event in events])

    def _apply_epoch(self, event: EpochEnded) -> None:
        if self.epochs and self.epochs[-1].epoch == event.epoch:
            self.epochs.pop()  # It had ended in its middle, and the next attempt has done the rest of it.
            self.best = _best_of(self.epochs)
        self.epochs.append(event)
        self.best = _best_of([self.best, event]) if self.best else event
        self.spent.add_epoch(event)

    def _apply_samples(self, event: Samples) -> None:
        self.sample_labels = event.labels
        if event.images is not UNSET:
            self.sample_images = decode_images(event.images)
        if event.predictions is not UNSET:
            self.predictions = event.predictions
        if event.confidences is not UNSET:
            self.confidences = event.confidences

    def _apply_checkpoint(self, event: CheckpointSaved) -> None:
        self.spent.add_checkpoint(event)
        if event.path in self._checkpoint_paths:
            self.checkpoints = [saved for saved in self.checkpoints if saved.path != event.path]
        self._checkpoint_paths.add(event.path)
        self.checkpoints.append(event)

    def _apply_control(self, event: ControlApplied) -> None:
        self.controls.append(event)
        if mark := mark_control(event, self.position, self.lr):
            self._asked.append(mark)
        if event.action in ("pause", "resume"):
            self.paused = event.action == "pause"
        elif event.action == "lr":
            self.lr = event.value
        elif event.action == "epochs" and self.started and (longer := lengthen(self.started.spec, event.value)):
            self.started = replace(self.started, spec=longer)


def _is_first_of_attempt(event: AnyEvent) -> bool:
    return isinstance(event, Phase) and event.name == "import" and event.state == "started"


def _place(epoch: int, step: int, steps_per_epoch: int) -> float:
    return epoch - 1 + step / max(1, steps_per_epoch)


def _best_of(epochs: Sequence[EpochEnded]) -> EpochEnded | None:
    return max(epochs, key=_chosen_by, default=None)


def _chosen_by(epoch: EpochEnded) -> float:
    held_out = epoch.validation_accuracy
    return _or_minus_inf(epoch.test_accuracy if held_out is None else held_out)


def _or_minus_inf(value: float | None) -> float:
    return value if value is not None and isfinite(value) else -inf
