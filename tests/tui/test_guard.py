import os
import signal
import sys
from pathlib import Path

import command_line
import mishaps
import pytest
from aftermath import check_words
from real_terminal import RealTerminal

RUN = ("-f", "rehearsal", "-m", "nn", "-d", "digits", "--epochs", "100000", "--start")

# What it draws is more than a terminal that nobody reads can hold.
FLOOD = """
from textual.app import App
from textual.widgets import Static
from tui.guard import run_app

class Flood(App):
    def compose(self):
        yield Static(id="flood")

    def on_mount(self):
        self.count = 0
        self.set_interval(0.01, self.draw)

    def draw(self):
        self.count += 1
        self.query_one(Static).update("".join(chr(33 + (self.count + at * 7) % 90) for at in range(4000)))

raise SystemExit(run_app(Flood()))
"""

CRASH = """
from tui.app import MnistTuiApp

def crash(self):
    raise ZeroDivisionError("by design")

MnistTuiApp.on_resize = crash
from tui.cli import main
main()
"""

BUSY = """
import time
from textual.app import App
from tui.guard import run_app

class Busy(App):
    def on_key(self):
        open("{mark}", "w").close()
        while True:
            time.sleep(0.01)

raise SystemExit(run_app(Busy()))
"""

PATIENT = """
import os, signal, threading
from textual.app import App
from tui.guard import run_app

class Watchdog:
    acts = []

    def __init__(self, seconds, act):
        self.acts.append(act)

    def start(self):
        pass

class Left(App):
    def on_mount(self):
        os.kill(os.getpid(), signal.{signal})

threading.Timer = Watchdog
code = run_app(Left(), is_last={is_last})
for act in Watchdog.acts:
    act()
print("the work after it is done", flush=True)
raise SystemExit(code)
"""


@pytest.fixture
def ui_log(tmp_path):
    return tmp_path / "state" / "mnist-tui" / "log" / "ui.log"


def open_app(*arguments, **variables):
    terminal = RealTerminal(command_line.COMMAND, *arguments, **variables)
    terminal.wait_for(lambda: terminal.is_the_apps() and "framework" in terminal.text, "the app")
    return terminal


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)],
)
def test_a_signal_ends_the_app_and_leaves_the_terminal_as_it_was(number, code):
    terminal = open_app()
    terminal.child.kill(number)

    assert terminal.end() == code
    terminal.assert_as_before()


def test_a_signal_that_comes_before_the_first_frame_counts_as_well():
    terminal = RealTerminal(command_line.COMMAND)
    terminal.wait_for(terminal.shows_an_app, "the app")
    terminal.child.kill(signal.SIGTERM)

    assert terminal.end() == 143
    terminal.assert_as_before()


def test_quit_writes_the_stacks_to_the_log(ui_log):
    terminal = open_app()
    terminal.child.kill(signal.SIGQUIT)

    assert terminal.end() == 131
    assert "Thread" in ui_log.read_text(encoding="utf-8")
    assert b"Thread" not in terminal.written


def test_the_run_goes_on_and_the_last_line_says_so(store):
    terminal = open_app(*RUN)
    directory = mishaps.wait_for(store.directories, "the run")[0]
    terminal.wait_for(lambda: "epoch 2" in terminal.text, "the run on the screen")
    terminal.child.kill(signal.SIGTERM)

    assert terminal.end() == 143
    terminal.assert_as_before()
    assert f"mnist-tui attach {directory.name}".encode() in terminal.written
    mishaps.wait_for_epoch(directory, 3)


def test_a_terminal_that_nobody_reads_does_not_keep_the_app_from_ending(tmp_path):
    pid, code = tmp_path / "pid", tmp_path / "code"
    # A shell that stays, as one does: a terminal's last words are lost with the session's leader.
    script = 'echo $BASHPID >"$1"; exec "$2" -c "$3"'
    shell = '(eval "$0"); echo $? >"$4"; read'
    terminal = RealTerminal("bash", "-c", shell, script, str(pid), sys.executable, FLOOD, str(code))
    terminal.wait_for(terminal.is_the_apps, "the app")
    app = int(pid.read_text(encoding="utf-8"))
    wait_until_blocked(app)
    os.kill(app, signal.SIGTERM)

    assert mishaps.wait_for(lambda: code.exists() and code.read_text(encoding="utf-8"), "the app's end") == "143\n"
    terminal.wait_for(lambda: not terminal.shows_an_app(), "the terminal back")
    terminal.assert_as_before()


@pytest.mark.parametrize(
    ("name", "is_last", "goes_on"), [("SIGTERM", False, True), ("SIGTERM", True, False), ("SIGHUP", False, False)]
)
def test_what_is_to_be_done_after_the_app_takes_its_time_unless_the_terminal_is_gone(name, is_last, goes_on):
    terminal = RealTerminal(sys.executable, "-c", PATIENT.format(signal=name, is_last=is_last))
    assert terminal.end() == 128 + signal.Signals[name]
    assert (b"the work after it is done" in terminal.written) == goes_on
    terminal.assert_as_before()


def test_a_second_signal_ends_at_once_what_the_first_cannot(tmp_path):
    mark = tmp_path / "busy"
    terminal = RealTerminal(sys.executable, "-c", BUSY.format(mark=mark))
    terminal.wait_for(terminal.is_the_apps, "the app")
    terminal.child.send("x")
    mishaps.wait_for(mark.exists, "the app to be busy")
    terminal.child.kill(signal.SIGTERM)
    terminal.child.kill(signal.SIGINT)

    assert terminal.end() in (130, 143)
    terminal.assert_as_before()


def test_a_terminal_that_is_gone_ends_the_app_even_without_a_hang_up(tmp_path):
    script = f"trap '' HUP; {command_line.COMMAND}; echo $? >{tmp_path / 'code'}"
    terminal = RealTerminal("bash", "-c", script)
    terminal.wait_for(terminal.is_the_apps, "the app")
    terminal.take_away()

    code = mishaps.wait_for(lambda: (tmp_path / "code").exists() and (tmp_path / "code").read_text(), "the end")
    assert code == "129\n"


def test_an_error_of_the_apps_own_is_one_line_and_exit_1(ui_log):
    terminal = RealTerminal(sys.executable, "-c", CRASH)

    assert terminal.end() == 1
    terminal.assert_as_before()
    check_words(terminal.text.strip())
    assert "ZeroDivisionError: by design" in terminal.text
    assert "Traceback" in ui_log.read_text(encoding="utf-8")


def test_stopped_and_continued_the_terminal_is_given_back_and_taken_again():
    terminal = open_app()
    terminal.child.kill(signal.SIGTSTP)
    terminal.wait_for(lambda: not terminal.shows_an_app() and is_stopped(terminal.child.pid), "the terminal back")
    terminal.assert_as_before()
    terminal.screen.reset()
    terminal.child.kill(signal.SIGCONT)
    terminal.wait_for(lambda: terminal.is_the_apps() and "framework" in terminal.text, "the app again")
    terminal.child.kill(signal.SIGTERM)

    assert terminal.end() == 143
    terminal.assert_as_before()


def test_nothing_is_drawn_over_the_shells_screen_on_the_way_back_to_the_app(finished_run, store):
    terminal = RealTerminal(command_line.COMMAND, "attach", finished_run.name, "--runs-dir", str(store.root))
    terminal.wait_for(lambda: terminal.is_the_apps() and "accuracy" in terminal.text, "the app")
    for _ in range(6):
        terminal.child.send("1" + "k,,,zvz" * 40)  # More than is drawn by the time that it stops.
        terminal.child.kill(signal.SIGTSTP)
        terminal.wait_for(lambda: not terminal.shows_an_app() and is_stopped(terminal.child.pid), "the terminal back")
        terminal.assert_as_before()
        before = len(terminal.written)
        terminal.child.kill(signal.SIGCONT)
        terminal.wait_for(terminal.is_the_apps, "the app again")
        between = terminal.written[before:].partition(b"\x1b[?1049h")[0]
        assert not between
    terminal.child.kill(signal.SIGTERM)

    assert terminal.end() == 143
    terminal.assert_as_before()


def test_ctrl_z_goes_back_to_the_shell_and_fg_to_the_app(tmp_path):
    before, within = tmp_path / "before", tmp_path / "within"
    terminal = RealTerminal("bash", "--norc", "--noprofile", "-i", PS1="$ ", PAGER="cat")
    terminal.child.send(f"stty -a >{before}; {command_line.COMMAND}\n")
    terminal.wait_for(lambda: terminal.is_the_apps() and "framework" in terminal.text, "the app")
    terminal.child.send("\x1a")
    terminal.wait_for(lambda: not terminal.shows_an_app(), "the shell")
    terminal.child.send(f"stty -a >{within}; fg\n")
    terminal.wait_for(lambda: terminal.is_the_apps() and "framework" in terminal.text, "the app again")
    terminal.child.send("q")
    terminal.wait_for(lambda: not terminal.shows_an_app(), "the shell at the end")
    terminal.child.send("exit 7\n")

    assert terminal.end() == 7
    assert within.read_text(encoding="utf-8") == before.read_text(encoding="utf-8")


def test_stopped_without_warning_it_still_gives_the_terminal_back_at_the_end():
    terminal = open_app()
    terminal.child.kill(signal.SIGSTOP)
    mishaps.wait_for(lambda: is_stopped(terminal.child.pid), "the stop")
    terminal.child.kill(signal.SIGCONT)
    terminal.wait_for(lambda: terminal.written.count(b"\x1b[?1049h") == 2, "the app again")
    terminal.child.send("?")
    terminal.wait_for(lambda: "eys" in terminal.text, "the answer to a key")
    terminal.child.kill(signal.SIGTERM)

    assert terminal.end() == 143
    terminal.assert_as_before()


def test_a_paste_whose_end_comes_in_two_pieces_leaves_the_keys_what_they_are():
    terminal = open_app(ESCDELAY="1")
    terminal.child.send("\x1b[200~words\x1b[20")
    terminal.wait_for(terminal.is_quiet, "time to pass")
    terminal.child.send("1~?")
    terminal.wait_for(lambda: "Keys" in terminal.text, "the answer to a key")
    terminal.child.send("\x03")
    assert terminal.end() == 0
    terminal.assert_as_before()


def test_the_app_is_drawn_on_the_terminal_where_stderr_is_a_file(tmp_path):
    error = tmp_path / "error"
    terminal = RealTerminal("bash", "-c", f"exec {command_line.COMMAND} 2>{error}")
    terminal.wait_for(lambda: terminal.is_the_apps() and "framework" in terminal.text, "the app")
    terminal.child.send("q")

    assert terminal.end() == 0
    terminal.assert_as_before()
    assert not error.read_bytes()


def test_the_size_is_the_terminals_whatever_a_shell_has_set():
    terminal = open_app(COLUMNS="40", LINES="10")
    assert "framework" in terminal.text
    terminal.screen.resize(30, 100)
    terminal.child.setwinsize(30, 100)
    terminal.wait_for(lambda: len(terminal.text.splitlines()[1]) > 90, "the app at its new size")
    terminal.child.send("q")

    assert terminal.end() == 0


def test_in_the_c_locale_nothing_but_ascii_is_drawn():
    terminal = open_app(LC_ALL="C")
    terminal.child.send("q")

    assert terminal.end() == 0
    assert terminal.written.isascii()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_be_drawn_on_is_exit_6_with_the_way_out(term):
    terminal = RealTerminal(command_line.COMMAND, TERM=term)

    assert terminal.end() == 6
    assert "--no-ui" in terminal.text
    assert b"\x1b" not in terminal.written


@pytest.mark.parametrize("redirected", ["</dev/null", "| cat"])
def test_without_a_terminal_the_app_is_exit_6_and_draws_nothing(redirected):
    terminal = RealTerminal("bash", "-c", f"{command_line.COMMAND} {redirected}; exit ${{PIPESTATUS[0]}}")

    assert terminal.end() == 6
    assert "--no-ui" in terminal.text
    assert b"\x1b" not in terminal.written


def is_stopped(pid):
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def wait_until_blocked(pid):
    """Wait until the app writes no more, because what it wrote is not read."""
    seen = ["", "-"]

    def is_blocked():
        seen.append(Path(f"/proc/{pid}/io").read_text(encoding="utf-8").partition("wchar: ")[2].split()[0])
        return len(set(seen[-200:])) == 1

    mishaps.wait_for(is_blocked, "the terminal to be full")
