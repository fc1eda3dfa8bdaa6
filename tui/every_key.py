"""The screens whose keys the help names, by their headings; what works on the one that is shown comes first."""

from textual.dom import DOMNode

from tui.screens.cells import CellsScreen
from tui.screens.curve_keys import CurveKeys
from tui.screens.easel import EaselScreen
from tui.screens.launcher import LauncherScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.race import RaceScreen
from tui.screens.replay import ReplayScreen
from tui.screens.runs import RunsScreen
from tui.screens.sweep import SweepScreen
from tui.screens.worker_keys import WorkerKeys
from tui.widgets.run_form import RunForm
from tui.widgets.run_table import RunTable

Section = tuple[str, list[type[DOMNode]]]


def sections_for(here: type[DOMNode]) -> list[Section]:
    """Give each heading with the classes whose bindings stand under it: that of `here`, then those that it has too."""
    sections: list[Section] = [
        ("Launcher", [LauncherScreen, RunForm]),
        ("Live screen", [WorkerKeys, MonitorScreen]),
        ("Images of a cell", [CellsScreen]),
        ("Curves", [CurveKeys]),
        ("Drawing", [EaselScreen]),
        ("Replay", [ReplayScreen]),
        ("Runs", [RunsScreen, RunTable]),
        ("Race", [RaceScreen]),
        ("Sweep", [SweepScreen]),
    ]
    return sorted(sections, key=lambda section: (here not in section[1], not _has_keys_of(here, section)))


def _has_keys_of(here: type[DOMNode], section: Section) -> bool:
    return any(issubclass(here, owner) for owner in section[1])
