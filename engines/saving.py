"""Saving checkpoints of a run while it trains: of places not saved yet, all finite; a refusing disk is told about."""

import math
import time
from collections.abc import Callable

import numpy as np

from engines.checkpoints import CheckpointStore, Kind, Progress
from engines.engine import Engine, State
from engines.events import AnyEvent, CheckpointSaved, Log

CHECKPOINT_SECONDS = 60.0
"""How old a checkpoint gets at most while an epoch goes on."""


class Saver:
    """Saves where `progress` is, with the state of `engine`."""

    def __init__(
        self, engine: Engine, progress: Progress, checkpoints: CheckpointStore, write: Callable[[AnyEvent], None]
    ) -> None:
        self._engine = engine
        self._progress = progress
        self._checkpoints = checkpoints
        self._write = write
        self._saved_at = (progress.epoch, progress.step)
        self._saved_time = time.monotonic()
        self._is_told = False

    @property
    def is_due(self) -> bool:
        """Whether the last checkpoint is so old that another should be saved within the epoch."""
        return time.monotonic() - self._saved_time >= CHECKPOINT_SECONDS

    @property
    def has_saved(self) -> bool:
        """Whether the run has any checkpoint."""
        return bool(self._checkpoints.names())

    def save(self) -> None:
        """Save a checkpoint of here, unless there is one."""
        if (self._progress.epoch, self._progress.step) != self._saved_at:
            self._save(["last"], self._engine.state())

    def save_epoch(self, state: State, *, is_best: bool) -> None:
        """Save `state`, which is the engine's at the end of an epoch."""
        # The best first: what is saved as the last knows which was the best, so that one must be there before it.
        self._save(["best", "last"] if is_best else ["last"], state)

    def _save(self, kinds: list[Kind], state: State) -> None:
        self._saved_time = time.monotonic()
        # A loss is of the weights before its step: they may have left the finite numbers since.
        if math.isfinite(self._progress.loss_sum) and all(np.isfinite(array).all() for array in state.values()):
            self._is_told = False
            for kind in kinds:
                self._save_as(kind, state)
        elif not self._is_told:
            self._is_told = True
            message = "No checkpoint is saved while the loss or a weight is no finite number."
            self._write(Log(level="warning", message=message))

    def _save_as(self, kind: Kind, state: State) -> None:
        progress, began = self._progress, time.monotonic()
        try:
            path = self._checkpoints.save(kind, progress, state)
        except OSError as error:
            message = f"no checkpoint could be saved: {error.strerror}. Training goes on."
            self._write(Log(level="error", message=message))
            return
        if kind == "last":
            self._saved_at = (progress.epoch, progress.step)
        seconds = time.monotonic() - began
        self._write(CheckpointSaved(path=path, epoch=progress.epoch, step=progress.step, kind=kind, seconds=seconds))
