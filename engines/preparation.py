"""What a spare worker has ready before it is told its run: the framework, the dataset, an engine that took a step."""

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from engines import dataset_files, datasets
from engines.datasets import ImageData
from engines.engine import Engine
from engines.engine_import import import_engine
from engines.sample_images import SampleImages
from engines.spec import RunSpec


class Preparation:
    """Holds at most one dataset and one engine; each is given away once, to the attempt that it fits."""

    def __init__(self) -> None:
        self._data_of = ("", "")
        self._data: ImageData | None = None
        self._spec: RunSpec | None = None
        self._engine: Engine | None = None

    def prepare(self, spec: RunSpec, is_outdated: Callable[[], bool]) -> None:
        """Get ready for a run of `spec` without any download; breaks off once `is_outdated` says so.

        What goes wrong is passed over: the attempt meets it again, and says so.
        """
        with suppress(Exception):
            if self._spec == spec:
                return
            self._spec = self._engine = None
            module = import_engine(spec.framework)
            data = self._have_data(spec)
            if data is None or is_outdated():
                return
            data = datasets.hold_out(data, spec.validation, spec.seed)
            engine: Engine = module.create(spec)
            engine.load_data(data)
            if not is_outdated():
                try_out(engine, data)
                self._spec, self._engine = spec, engine

    def take_data(self, spec: RunSpec) -> ImageData | None:
        """Give the dataset of `spec` away; None where it is not ready."""
        data = self._data if self._data_of == _source(spec) else None
        self._data = None
        return data

    def take_engine(self, spec: RunSpec) -> Engine | None:
        """Give away the engine that was made for exactly `spec`, its data loaded; None where there is none."""
        engine = self._engine if self._spec == spec else None
        self._spec = self._engine = None
        return engine

    def _have_data(self, spec: RunSpec) -> ImageData | None:
        if (self._data is None or self._data_of != _source(spec)) and dataset_files.on_disk(
            spec.dataset, spec.data_dir
        ):
            self._data = None  # Two datasets at once would be 110 MB.
            self._data = datasets.load(spec.dataset, spec.data_dir, lambda *_: None)
            self._data_of = _source(spec)
        return self._data if self._data_of == _source(spec) else None


def _source(spec: RunSpec) -> tuple[str, str]:
    return spec.dataset, spec.data_dir or ""


def try_out(engine: Engine, data: ImageData) -> None:
    """Do what a framework is slow at for the first time, and take it back: `state` is all that a step depends on."""
    state = engine.state()
    engine.begin_epoch(np.arange(len(data.train_labels)))
    engine.train(0, 1)
    engine.read_steps(0, 1)
    engine.predict("test", SampleImages(data).indices)
    engine.load_state(state)
