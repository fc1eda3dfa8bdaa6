"""Rows of runs, as the tables show them, with no folder and no events."""

from engines.runs import RunSummary
from engines.spec import RunSpec


def row_of(run_id="r", **known):
    """Give the row of a run that is completed after one epoch, unless `known` says otherwise, and without figures."""
    usual = {"state": "completed", "spec": RunSpec(), "attempt": 1, "epochs_done": 1, "directory": f"/runs/{run_id}"}
    return RunSummary(run_id=run_id, **{**usual, **known})
