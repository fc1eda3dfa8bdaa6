"""How work that takes a while tells how far it is."""

from collections.abc import Callable

Report = Callable[[int, int | None, str], None]
"""Takes how much is done, how much there is in all (None where unknown), and of what ("bytes", "images")."""
