"""How a worker comes by an engine: by its framework's name, and without looking for garbage meanwhile."""

import gc
import sys
from importlib import import_module
from types import ModuleType


def import_engine(framework: str) -> ModuleType:
    """Import the engine of `framework`; raises whatever the framework does where it is missing or broken.

    A framework makes hundreds of thousands of objects that stay. To look through them for garbage again and again takes
    a fifth of the time of its import, and finds nothing; they are not looked at later either.
    """
    name = f"engines.{framework}_engine"
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()
