import json
from itertools import takewhile

import command_line
import psutil
import pytest
import small_dataset
from real_terminal import RealTerminal

from engines.runs import RunStore
from engines.text import clean_text
from tui import doctor


@pytest.fixture
def broken_frameworks(tmp_path, monkeypatch):
    """Put a torch and a tensorflow that cannot be imported before the real ones."""
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in ("torch", "tensorflow"):
        text = f"raise ImportError('lib{name}.so: \\x1b[31mcannot open')"
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:1")


@pytest.fixture
def missing_frameworks(monkeypatch):
    monkeypatch.setattr(doctor, "installed_version", lambda _name: None)
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:1")


@pytest.fixture
def working_framework(monkeypatch):
    monkeypatch.setattr(doctor, "_PROBE", "print('1.0\\tCPU')")
    monkeypatch.setenv("MNIST_TUI_MIRROR", "http://127.0.0.1:1")


def examine(store, data_dir=None):
    return doctor.sum_up(list(doctor.findings(store, data_dir)))


def found(report, area):
    return {finding.name: finding for finding in report.findings if finding.area == area}


def test_frameworks_that_break_on_import_are_told_from_missing_ones(broken_frameworks):
    asked = command_line.run("doctor", "--json")

    report = json.loads(asked.stdout)
    assert asked.returncode == 6
    assert report["can_train"] is False
    frameworks = {finding["name"]: finding for finding in report["findings"] if finding["area"] == "framework"}
    assert "libtorch.so: cannot open" in frameworks["PyTorch"]["detail"]
    assert "libtensorflow.so: cannot open" in frameworks["TensorFlow"]["detail"]
    assert all(line.isprintable() for line in asked.stdout.splitlines())


def test_missing_frameworks_are_said_with_how_to_install_them(missing_frameworks, store):
    report = examine(store)

    assert report.exit_code == 6
    assert found(report, "framework")["TensorFlow"].detail == "not installed; install it with: pip install tensorflow"


def test_a_damaged_dataset_does_not_work(missing_frameworks, store, tmp_path):
    (tmp_path / "mnist").mkdir()
    for name in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        dimensions = 3 if "images" in name else 1
        (tmp_path / "mnist" / f"{name}-idx{dimensions}-ubyte").write_bytes(b"<html>not found</html>")

    mnist = found(examine(store, str(tmp_path)), "dataset")["mnist"]

    assert mnist.state == "missing"
    assert "Delete it" in mnist.detail


def test_a_dataset_does_not_work_of_which_one_file_is_damaged_though_its_images_can_be_shown(
    missing_frameworks, store, tmp_path, monkeypatch
):
    data = small_dataset.install(monkeypatch, tmp_path)
    small_dataset.write(data / "mnist")
    assert found(examine(store, str(data)), "dataset")["mnist"].state == "ok"
    tests = data / "mnist" / "t10k-images-idx3-ubyte.gz"
    tests.write_bytes(tests.read_bytes()[:-40])

    mnist = found(examine(store, str(data)), "dataset")["mnist"]

    assert mnist.state == "missing"
    assert "t10k-images" in mnist.detail


def test_training_does_not_work_where_no_run_can_be_written(working_framework, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")

    report = examine(RunStore(tmp_path / "file"))

    assert report.can_train is False
    assert report.exit_code == 8
    assert doctor.verdict(report) == "training does not work: no run can be written"


def test_folders_are_looked_at_before_they_exist(missing_frameworks, store, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")

    folders = found(examine(store, str(tmp_path / "file" / "data")), "folder")

    assert folders["runs"].state == "ok"
    assert str(store.root) in folders["runs"].detail
    assert "free" in folders["runs"].detail
    assert folders["datasets"].state == "missing"
    assert not store.root.exists()


def test_datasets_are_told_by_where_they_are(missing_frameworks, store, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    datasets = found(examine(store, str(tmp_path / "data")), "dataset")

    assert datasets["digits"].state == "ok"
    assert (datasets["mnist"].state, datasets["fashion-mnist"].state) == ("missing", "missing")


def test_frameworks_come_last_and_what_is_known_before_does_not_wait_for_them(working_framework, store, monkeypatch):
    monkeypatch.setattr(doctor, "_PROBE", "import time; time.sleep(600)")
    others = {*psutil.Process().children()}  # What other tests have started and nobody has asked after yet.
    looks = doctor.findings(store, None)

    known = [finding.area for finding in takewhile(lambda finding: finding.name != "log", looks)]
    assert known[0] == "program"
    assert {"device", "dataset", "folder"} <= set(known)
    assert "framework" not in known
    looks.close()
    assert {*psutil.Process().children()} <= others


def test_the_names_of_all_findings_are_of_one_width(working_framework, store, monkeypatch):
    monkeypatch.setattr(doctor, "ends_at_logout", lambda: True)
    found = list(doctor.findings(store, None))

    assert {finding.area for finding in found[-2:]} == {"framework"}
    starts = {doctor.finding_line(finding).index(finding.version or clean_text(finding.detail)) for finding in found}
    assert len(starts) == 1


def test_a_folder_whose_name_commands_a_terminal_is_named_without_that(missing_frameworks, tmp_path):
    lines = list(map(doctor.finding_line, doctor.findings(RunStore(tmp_path / "x\x1b[31m\ny"), None)))

    assert any(f"{tmp_path / 'x y'}, " in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_a_terminal_is_described(broken_frameworks):
    terminal = RealTerminal(command_line.COMMAND, "doctor", columns=200, rows=50, COLUMNS="80")

    assert terminal.end() == 6
    assert "xterm-256color, 200x50, utf-8, colours" in terminal.text, terminal.text


@pytest.mark.slow
def test_the_frameworks_of_this_machine_are_tried_for_real():
    asked = command_line.run("doctor")

    assert asked.returncode == 0
    assert asked.stdout.splitlines()[-1] == "training works"
    for name in ("PyTorch", "TensorFlow"):
        assert any(line.startswith("ok") and name in line and "trains on" in line for line in asked.stdout.splitlines())
