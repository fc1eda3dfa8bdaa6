"""Rows of runs, as the tables show them: of those in a folder, or of one with no folder and no events."""

from engines.runs import RunSummary, summarise
from engines.spec import RunSpec


def listed(store):
    """Give a row for each run, newest first."""
    return [summarise(directory) for directory in store.directories()]


def row_of(run_id="r", **known):
    """Give the row of a run that is completed after one epoch, unless `known` says otherwise, and without figures."""
    usual = {"state": "completed", "spec": RunSpec(), "attempt": 1, "epochs_done": 1, "directory": f"/runs/{run_id}"}
    return RunSummary(run_id=run_id, **{**usual, **known})
