"""One run told in full: what was asked, its state, its results, its files; as JSON or in lines."""

import time
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from engines import post_mortem
from engines.events import CheckpointSaved, EpochEnded, Parameter, Phase, RunFinished
from engines.label import read_label
from engines.run_queue import QueuedRun
from engines.run_reader import ALIVE, RunReader, RunStatus
from engines.runs import read_spec
from engines.spec import RunSpec
from engines.text import clean_text, clean_value
from tui import outcome, plain
from tui.formats import ago, count, counted, duration
from tui.lookup import turn_hint


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is now; `results` are those of its last event, `last_word` is what a person should know of its end.

    A run that waits for its turn is `queued`, and its last word is how it is taken out.
    """

    run_id: str
    state: RunStatus | Literal["queued"]
    name: str = ""
    tags: tuple[str, ...] = ()
    directory: str
    attempt: int
    spec: RunSpec | None
    device: str | None = None
    framework_version: str | None = None
    parameter_count: int | None = None
    parameters: list[Parameter] = []
    started: float | None = None
    last_event: float | None = None
    seconds: float | None = None
    epochs: list[EpochEnded] = []
    phases: list[Phase] = []
    results: RunFinished | None = None
    checkpoints: list[CheckpointSaved] = []
    bad_lines: int = 0
    last_word: str = ""
    log_lines: list[str] = []


def read_report(directory: Path) -> RunReport:
    """Read all of a run's directory."""
    with closing(RunReader(directory)) as reader:
        state = reader.read_all()
        status = reader.status()
        bad_lines = reader.bad_lines
    started, label = state.started, read_label(directory)
    return RunReport(
        run_id=directory.name,
        state=status,
        name=label.name,
        tags=label.tags,
        directory=str(directory),
        attempt=started.attempt if started else 1,
        spec=state.spec or read_spec(directory),
        device=started.device if started else None,
        framework_version=started.framework_version if started else None,
        parameter_count=started.parameter_count if started else None,
        parameters=started.parameters if started else [],
        started=state.first_time,
        last_event=state.last_time,
        seconds=state.seconds,
        epochs=state.epochs,
        phases=list(state.phases.values()),
        results=state.finished,
        checkpoints=state.checkpoints,
        bad_lines=bad_lines,
        last_word="" if status in ALIVE else outcome.last_word(directory, state),
        log_lines=post_mortem.examine(directory, state).last_words if status in ("failed", "crashed") else [],
    )


def report_waiting(order: QueuedRun) -> RunReport:
    """Tell of a run that waits what it will be."""
    row = order.summary()
    return RunReport(
        run_id=row.run_id,
        state=row.state,
        name=row.name,
        tags=row.tags,
        directory=row.directory,
        attempt=row.attempt,
        spec=row.spec,
        last_word=turn_hint(order),
    )


def report_lines(report: RunReport) -> list[str]:
    """Give the report in lines for a person."""
    lines = [f"run {report.run_id}: {report.state}"]
    if report.state != "queued":
        lines.append(f"in {clean_text(report.directory)}")
    if report.name:
        lines.append(f"name: {report.name}")
    if report.tags:
        lines.append(f"tags: {plain.tags_in_words(report.tags)}")
    if report.spec:
        asked = msgspec.structs.asdict(report.spec).items()
        told = ((name, clean_value(value)) for name, value in asked if value is not None)
        lines += ["", *(f"{name.replace('_', '-'):<16}  {value}" for name, value in told)]
    if report.device:
        lines += [
            f"{'trained on':<16}  {report.device}",
            f"{'version':<16}  {report.framework_version}",
            f"{'parameters':<16}  {count(report.parameter_count)}",
        ]
    if report.attempt > 1:
        lines.append(f"{'attempt':<16}  {report.attempt}")
    if report.started is not None:
        lines.append(f"{'began':<16}  {ago(time.time() - report.started)}")
    for part in (
        [plain.epoch_line(epoch) for epoch in report.epochs],
        [plain.phase_line(phase) for phase in report.phases if phase.state == "finished"],
        plain.summary_lines(report.results, duration(report.seconds or 0.0)) if report.results else [],
        [f"{counted(report.bad_lines, 'line')} of events.jsonl cannot be read."] if report.bad_lines else [],
        [report.last_word] if report.last_word else [],
        [f"worker.log: {line}" for line in report.log_lines],
    ):
        lines += ["", *part] if part else []
    return lines
