"""Imports without what an import brings along that nobody here needs: it costs a start its time, and memory."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def left_out(*names: str, stand_ins: tuple[ModuleType, ...] = ()) -> Iterator[None]:
    """While entered, have modules called `names` count as not installed, and those of `stand_ins` taken for imported.

    What is imported already stays, and afterwards each can be imported as ever.
    """
    substitutes = dict.fromkeys(names) | {module.__name__: module for module in stand_ins}
    substitutes = {name: module for name, module in substitutes.items() if name not in sys.modules}
    sys.modules.update(substitutes)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in substitutes:
            del sys.modules[name]
