"""Names, labels, log lines and messages that try to command a terminal: no byte of an attack comes out of a command."""

import json
import re
import subprocess
import sys

import command_line
import mishaps
import pytest
from held_training import held

ATTACKS = {
    "title": "\x1b]0;owned\x07",
    "clear": "\x1b[2J\x1b[H",
    "eight-bit": "\x9b31m",
    "device": "\x1bP+q544e\x1b\\",
    "cut off": "\x1b[31",
    "backspace": "safe\b\b\b\bevil",
    "carriage return": "safe\revil",
    "new line": "safe\nevil: all good",
    "bidirectional": "\u202egpj.exe",
    "isolate": "\u2066safe\u2069",
    "zero width": "sa\u200bfe",
    "markup": "[/x][bold red]$(reboot)[link=file:///etc]x[/link]",
    "delete": "\x7f\x7f",
    "separator": "a\u2028b",
    "tag": "\U000e0041",
}
COMMANDS = (
    ("runs",),
    ("runs", "--json"),
    ("show", "last"),
    ("show", "last", "--json"),
    ("attach", "last", "--no-ui"),
    (
        "attach",
        "last",
        "--no-ui",
        "--json",
    ),
)


# One process for all commands: to start it takes far longer than any of them.
EACH = """
import json, sys
from tui import cli, streams

streams.prepare_streams()
codes = [cli.run(command) for command in json.loads(sys.argv[1])]
streams.end_streams()
sys.exit(not {*codes} <= {*json.loads(sys.argv[2])})
"""


def run_each(commands, codes):
    """Run commands, each of which must end with one of `codes`; gives all that they wrote."""
    command = [sys.executable, "-c", EACH, json.dumps(commands), json.dumps(codes)]
    told = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=command_line.PATIENCE_SECONDS,
        check=False,
    )
    assert told.returncode == 0, told
    return told


def check_output(text):
    """Lines of what is printable, and nothing that is not."""
    assert all(line.isprintable() for line in text.splitlines()), ascii(text)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2066\u2028]", text), ascii(text)


def plant_events(directory, attack):
    """Say it in every text of every event, and in every name that an event gives."""

    def hostile(value):
        match value:
            case str():
                return f"{value}{attack}"
            case list():
                return [hostile(item) for item in value]
            case dict():
                return {key: hostile(item) if key not in KEPT else item for key, item in value.items()}
            case _:
                return value

    path = directory / "events.jsonl"
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    path.write_text("".join(json.dumps(hostile(line)) + "\n" for line in lines))


KEPT = {
    "type",
    "state",
    "name",
    "level",
    "kind",
    "images",
    "framework",
    "device",
    "precision",
    "on_nan",
    "recipe",
    "optimizer",
    "schedule",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_attack_in_a_runs_files_comes_out_of_a_command(crashed, attack):
    plant_events(crashed, attack)
    spec = json.loads((crashed / "spec.json").read_text())
    (crashed / "spec.json").write_text(json.dumps(spec | {"model": f"nn{attack}", "data_dir": f"/tmp/{attack}"}))
    (crashed / "worker.log").write_bytes(
        f"Traceback\n{attack}\nLast words: {attack}\n".encode("utf-8", "surrogatepass")
    )
    told = run_each(COMMANDS, [0, 12])
    assert told.stdout.count(crashed.name) >= len(COMMANDS) - 1, "a command told nothing"
    check_output(told.stdout)
    check_output(told.stderr)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_attack_in_an_argument_comes_back(crashed, attack):
    commands = [
        ("show", attack),
        ("pause", attack),
        ("-m", attack, "--no-ui"),
        ("-d", attack, "--no-ui"),
        (f"--{attack}",),
        (attack,),
    ]
    told = run_each(commands, [2, 3])
    assert not told.stdout
    assert len(told.stderr.splitlines()) >= len(commands), "a command said nothing"
    check_output(told.stderr)
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("attack", ["title", "eight-bit", "new line", "bidirectional", "tag"])
def test_no_attack_in_the_runs_folders_name_comes_out_of_a_command(tmp_path, attack):
    place = ("--runs-dir", str(tmp_path / f"x{ATTACKS[attack]}"))
    for command in (
        ("runs",),
        (*command_line.TRAIN, "--epochs", "1"),
        (*command_line.TRAIN, "--epochs", "1", "--json"),
        ("show", "last"),
        ("sweep", *command_line.TRAIN, "--epochs", "1", "--json"),
    ):
        told = command_line.run(*command[:1], *place, *command[1:])
        assert told.returncode == 0
        check_output(told.stdout)
        check_output(told.stderr)
        assert "\nevil" not in told.stdout


@pytest.mark.parametrize(
    "name", ["..", "../../x", "/etc/passwd", ".", "", "a" * 300, "x\x1b[2J", "[/x]", "\udcff", "*", "-x"], ids=ascii
)
def test_a_name_that_is_no_run_finds_none_and_touches_nothing(crashed, name):
    before = {path: path.stat().st_mtime_ns for path in crashed.parent.rglob("*")}
    told = command_line.run("stop", "--", name)
    assert told.returncode == 3
    check_output(told.stderr)
    assert {path: path.stat().st_mtime_ns for path in crashed.parent.rglob("*")} == before


@pytest.mark.parametrize("name", ["x\x1b[2J", "a b", "-rf", ".hidden", "[bold]x", "\u202exyz", "b" * 200], ids=ascii)
def test_a_folder_named_like_no_run_of_ours_is_none(crashed, store, name):
    crashed.rename(store.root / name)
    told = command_line.run("runs", "--json")
    assert (told.returncode, json.loads(told.stdout)) == (0, [])


def test_last_words_with_escape_bytes_are_told_without_them(store):
    with held(1):
        worker = mishaps.start(store)
        mishaps.wait_for_epoch(worker.run_directory, 1)
        with (worker.run_directory / "worker.log").open("ab") as log:
            log.write(b"\x1b]0;owned\x07\x1b[31mno \x9b2Jmore memory\xff\n")
        mishaps.kill(worker)
    told = command_line.run("show", "last")
    assert "memory" in told.stdout
    check_output(told.stdout)
