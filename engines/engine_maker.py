"""How an attempt comes by its engine: framework imported, engine made, data loaded; or why that cannot be."""

from types import ModuleType

from engines.catalog import FRAMEWORK_TITLES
from engines.datasets import ImageData
from engines.engine import Engine
from engines.engine_import import import_engine
from engines.phases import StopAsked
from engines.preparation import try_out
from engines.problems import OutOfMemory, Unavailable
from engines.spec import RunSpec


def import_framework(framework: str) -> ModuleType:
    """Import the engine of `framework`; raises `Unavailable` where it is missing or broken, `OutOfMemory`."""
    title = FRAMEWORK_TITLES[framework]
    try:
        return import_engine(framework)
    except (StopAsked, MemoryError):
        raise
    except Exception as error:  # a framework breaks in any way it likes
        # What the system's loader says where a process may not have as much memory as a library takes.
        if isinstance(error, ImportError) and "failed to map segment" in str(error):
            raise OutOfMemory(
                f"there is not enough memory to import {title} ({error}).", "Give the process more, as by ulimit -v."
            ) from error
        raise Unavailable(
            f"{title} cannot be imported ({type(error).__name__}: {error}).",
            f"Install it anew with `pip install {framework}`, or choose another --framework.",
        ) from error


def make_engine(module: ModuleType, spec: RunSpec, placed: RunSpec, data: ImageData) -> Engine:
    """Make an engine for `spec`, on the GPU that `placed` names if the framework finds it, and load `data` into it.

    Raises `Unavailable` where the device is not there, `OutOfMemory`.
    """
    try:
        engine: Engine = module.create(placed)
    except Unavailable:
        if placed == spec:
            raise
        engine = module.create(spec)  # This framework does not see the GPU that it was given.
    engine.load_data(data)
    if spec.budget is not None:
        try_out(engine, data)  # To trace and compile a step is no training, and may take all of a short budget.
    return engine
