"""How a run's status is shown wherever it stands: its mark, and the role that gives it its colour."""

from typing import Literal

from engines.run_reader import RunStatus

Status = RunStatus | Literal["queued", "gone"]
"""A run's status; `queued` waits for its turn and has no directory yet, of one that is `gone` nobody knows."""

STATUS_MARKS: dict[Status, str] = {
    "queued": "…",
    "running": "▶",
    "paused": "‖",
    "stalled": "?",
    "completed": "✓",
    "stopped": "■",
    "failed": "✗",
    "crashed": "✗",
    "gone": "?",
}
_ROLES: dict[Status, str] = {
    "queued": "muted",
    "running": "right",
    "paused": "warning",
    "stalled": "warning",
    "completed": "right",
    "stopped": "warning",
    "failed": "wrong",
    "crashed": "wrong",
    "gone": "warning",
}


def status_role(status: Status) -> str:
    """Give the role in which a status is shown."""
    return _ROLES[status]
