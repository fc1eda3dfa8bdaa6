"""What works on this machine and what does not: each framework tried for real, devices, datasets, folders, terminal."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from engines.catalog import DATASETS, FRAMEWORK_TITLES, FRAMEWORKS
from engines.dataset_files import check, data_directory
from engines.folders import is_folder, is_there
from engines.problems import DatasetProblem, StorageProblem, Unavailable
from engines.runs import RunStore
from engines.text import clean_text
from tui import ui_log
from tui.dataset_look import look_at
from tui.formats import size
from tui.logout import WARNING, ends_at_logout
from tui.machine import installed_version, look_at_machine
from tui.streams import output_encoding
from tui.terminal import can_draw, own_size

PROBE_SECONDS = 120.0
LITTLE_SPACE = 1 << 30
_NAME_WIDTH = max(map(len, (*DATASETS, *FRAMEWORK_TITLES.values())))

# In a process of its own, because none of ours imports a framework. The engine itself is made, so that a device that a
# framework sees and cannot use is found out too.
_PROBE = """
import sys
from importlib import import_module
from engines.spec import RunSpec
engine = import_module(f"engines.{sys.argv[1]}_engine").create(RunSpec(framework=sys.argv[1]))
print(f"{engine.framework_version}\\t{engine.device_name}")
"""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at; `state` is `missing` where what needs it cannot work."""

    area: Literal["program", "framework", "device", "dataset", "folder", "terminal"]
    name: str
    state: Literal["ok", "warning", "missing"] = "ok"
    detail: str
    version: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found; `can_train` with at least one framework, where runs can be written."""

    can_train: bool
    findings: list[Finding]

    @property
    def has_framework(self) -> bool:
        """Whether at least one framework works."""
        return any(finding.area == "framework" and finding.state == "ok" for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 where training works, else what a run ends with that has no framework, or no place to be written to."""
        if self.can_train:
            return 0
        return StorageProblem.exit_code if self.has_framework else Unavailable.exit_code


def findings(store: RunStore, data_dir: str | None) -> Generator[Finding, None, None]:
    """Look at everything and give each finding as it is known: frameworks last, for their import takes seconds."""
    probes = {name: _start_probe(name) if installed_version(name) is not None else None for name in FRAMEWORKS}
    try:
        yield Finding(area="program", name="Python", version=platform.python_version(), detail=platform.platform())
        for line in look_at_machine().lines():
            yield Finding(area="device", name="machine", detail=line)
        for name in DATASETS:
            yield _examine_dataset(name, data_dir)
        yield _examine_folder("runs", store.root)
        yield _examine_folder("datasets", data_directory(data_dir))
        yield _examine_folder("log", ui_log.path().parent)
        yield _examine_terminal()
        yield from _examine_logout()
        for name, probe in probes.items():
            yield _read_probe(name, probe)
    finally:
        for probe in filter(None, probes.values()):
            _end_probe(probe)


def sum_up(found: Sequence[Finding]) -> Report:
    """Judge by all that was found."""
    report = Report(can_train=False, findings=list(found))
    can_write = any(finding.name == "runs" and finding.state != "missing" for finding in found)
    return replace(report, can_train=report.has_framework and can_write)


def finding_line(finding: Finding) -> str:
    """Give the line that a person reads."""
    words = f"{finding.version}  {clean_text(finding.detail)}".strip()
    return f"{finding.state:<7}  {finding.name:<{_NAME_WIDTH}}  {words}"


def verdict(report: Report) -> str:
    """Give the line that sums up."""
    if report.can_train:
        return "training works"
    return f"training does not work: {'no run can be written' if report.has_framework else 'no framework does'}"


def _start_probe(framework: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _PROBE, framework],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def _end_probe(probe: subprocess.Popen[str]) -> None:
    with probe:  # Closes its pipes and waits.
        probe.kill()


def _read_probe(framework: str, probe: subprocess.Popen[str] | None) -> Finding:
    title = FRAMEWORK_TITLES[framework]
    if probe is None:
        detail = f"not installed; install it with: pip install {framework}"
        return Finding(area="framework", name=title, state="missing", detail=detail)
    try:
        out, complaints = probe.communicate(timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        detail = f"still importing after {PROBE_SECONDS:.0f} s"
        return Finding(area="framework", name=title, state="missing", detail=detail)
    if probe.returncode:
        last = (complaints.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]
        return Finding(area="framework", name=title, state="missing", detail=f"does not work: {clean_text(last, 300)}")
    version, _, device = out.strip().splitlines()[-1].partition("\t")
    return Finding(area="framework", name=title, version=clean_text(version), detail=f"trains on {clean_text(device)}")


def _examine_dataset(name: str, data_dir: str | None) -> Finding:
    try:
        check(name, data_dir)
    except DatasetProblem as problem:
        return Finding(area="dataset", name=name, state="missing", detail=str(problem))
    look = look_at(name, data_dir, count=1)
    state: Literal["ok", "missing"] = "ok" if look.is_trainable else "missing"
    return Finding(area="dataset", name=name, state=state, detail=look.summary)


def _examine_folder(name: str, folder: Path) -> Finding:
    # What does not exist yet is made in the nearest folder that does.
    there = next(path for path in (folder, *folder.parents) if is_there(path))
    if not is_folder(there) or not os.access(there, os.W_OK | os.X_OK):
        detail = f"{folder} cannot be written"
        return Finding(area="folder", name=name, state="missing", detail=detail)
    free = shutil.disk_usage(there).free
    state: Literal["ok", "warning"] = "ok" if free > LITTLE_SPACE else "warning"
    return Finding(area="folder", name=name, state=state, detail=f"{folder}, {size(free)} free")


def _examine_terminal() -> Finding:
    if not sys.stdin.isatty() or not can_draw(sys.stdout):
        detail = "none that the app can be drawn on here; --no-ui works without"
        return Finding(area="terminal", name="terminal", state="warning", detail=detail)
    columns, rows = own_size(sys.stdout.fileno()) or shutil.get_terminal_size()
    colours = "no colours" if "NO_COLOR" in os.environ else "colours"
    detail = f"{os.environ['TERM']}, {columns}x{rows}, {output_encoding()}, {colours}"
    return Finding(area="terminal", name="terminal", detail=detail)


def _examine_logout() -> list[Finding]:
    return [Finding(area="terminal", name="logout", state="warning", detail=WARNING)] if ends_at_logout() else []
