"""Who may import whom: the screen stays light and free of frameworks, the engines free of the screen."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "torchvision", "tensorflow", "keras", "sklearn", "pandas", "numpy", "safetensors"}
IDLE_PARTS_OF_PLOTEXT = {"PIL", "plotext.prettydoc", "plotext._doc.doc", "plotext._tests.run", "unittest"}
DRAW_CURVE = """
import sys
from tui.drawing import Curve, draw_canvas
draw_canvas([Curve([(0, 0), (1, 1)], "train")], (0, 1), (0, 1), 20, 10)
print(*sys.modules)
"""
LOAD_TENSORFLOW = """
import sys
import engines.tensorflow_engine
from engines.digits import find_file
print(*sys.modules, find_file())
"""
OPEN_LAUNCHER = """
import sys
from types import ModuleType
import tui.cli, tui.training

guard = sys.modules["tui.guard"] = ModuleType("tui.guard")
guard.run_app = lambda app, pace, is_last: print(*sys.modules) or 0
tui.training.require_terminal = lambda: None
tui.cli.run([])
"""
"""All that is done before the app takes the terminal."""

AFTER_THE_FIRST_FRAME = {
    "ssl",
    "statistics",
    "tui.commands",
    "plotext",
    "hashlib",
    "zipfile",
    "pynvml",
    "psutil",
    "urllib.request",
    "importlib.metadata",
}
OPEN_APP = """
import asyncio, sys
from pathlib import Path
from engines.runs import RunStore
from engines.spec import RunSpec
from tui.app import MnistTuiApp

async def main():
    app = MnistTuiApp(RunStore(Path(sys.argv[1])), RunSpec(framework="rehearsal", dataset="digits"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(1.0)
        await pilot.press("r", "escape", "question_mark", "escape")
        await pilot.pause()
    print(*sys.modules)

asyncio.run(main())
"""


def imports(path):
    """Give the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def importers(folders, package):
    return {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if package in {name.partition(".")[0] for name in imports(path)}
    }


def loaded_by(script, *arguments):
    asked = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(asked.stdout.split())


def test_the_screen_imports_no_framework_and_nothing_as_heavy(tmp_path):
    loaded = loaded_by(OPEN_APP, str(tmp_path / "runs"))
    assert {"tui.screens.launcher", "tui.screens.monitor", "tui.screens.runs", "tui.screens.help"} <= loaded
    assert not loaded & HEAVY


def test_the_first_frame_waits_for_nothing_that_can_come_later(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MNIST_TUI_DATA_DIR", str(tmp_path))  # No dataset is there, and no mirror is asked for one yet.
    loaded = loaded_by(OPEN_LAUNCHER)
    assert "tui.screens.launcher" in loaded
    assert not loaded & AFTER_THE_FIRST_FRAME
    assert not loaded & {"tui.screens.monitor", "tui.screens.runs", "tui.screens.help", "tui.drawing"}
    ours = [ROOT / f"{name.replace('.', '/')}.py" for name in loaded if name.startswith(("tui.", "engines."))]
    slow_to_make = "@dataclass(frozen=True)"  # A struct of msgspec's is not.
    assert not [path.name for path in ours if path.exists() and slow_to_make in path.read_text()]


def test_a_curve_is_drawn_without_the_parts_of_plotext_that_draw_nothing():
    loaded = loaded_by(DRAW_CURVE)
    assert "plotext._plotter.plot" in loaded
    assert not loaded & IDLE_PARTS_OF_PLOTEXT


def test_tensorflow_brings_no_scikit_learn_along_of_which_the_digits_are_found_all_the_same():
    loaded = loaded_by(LOAD_TENSORFLOW)
    assert "keras" in loaded
    assert "sklearn" not in loaded
    assert any(name.endswith("digits.csv.gz") for name in loaded)


@pytest.mark.parametrize("package", ["tui", "textual", "rich", "plotext", "click"])
def test_the_engines_know_nothing_of_the_screen(package):
    assert importers(["engines"], package) == set()


@pytest.mark.parametrize(
    "module", ["chart", "exhibit", "form_lines", "kernels", "race_lines", "run_rows", "sweep_lines"]
)
def test_what_draws_lines_knows_nothing_of_the_widgets_that_show_them(module):
    loaded = loaded_by(f"import sys, tui.{module}; print(*sys.modules)")
    assert f"tui.{module}" in loaded
    assert "textual" not in loaded


def test_one_file_imports_plotext():
    assert importers(["engines", "tui"], "plotext") == {"tui/drawing.py"}


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_a_framework_is_imported_by_its_own_engine_alone(framework):
    files = importers(["engines", "tui"], framework)
    assert f"engines/{framework}_engine.py" in files
    assert all(file.startswith(f"engines/{framework}_") for file in files)


@pytest.mark.parametrize("package", sorted(HEAVY))
def test_no_file_of_the_screen_imports_it_even_late(package):
    assert importers(["tui"], package) == set()


def test_only_the_worker_imports_an_engine_and_by_its_name_alone():
    engines = {"engines.torch_engine", "engines.tensorflow_engine", "engines.rehearsal_engine"}
    named = {
        str(path)
        for folder in ("engines", "tui")
        for path in (ROOT / folder).rglob("*.py")
        if engines & {*imports(path)}
    }
    assert named == set()
