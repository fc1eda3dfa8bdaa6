"""Starting a worker: it comes up with the run's lock or says why not, and a spare one is used or ended, never left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mishaps
import msgspec
import pytest
import real_worker
from open_files import held_open

from engines import launch, run_lock, tensorflow_threads
from engines.events import PHASES, Phase
from engines.launch import Order, Spare, describe_exit
from engines.problems import CheckpointProblem, RunBusy, StorageProblem, UsageProblem, WorkerDied
from engines.runs import read_spec
from engines.worker_log import last_log_lines


@pytest.fixture
def ends():
    """Collect processes that no test outlives."""
    processes = []
    yield processes.append
    for process in processes:
        process.kill()
        process.wait()


def test_a_started_worker_holds_the_runs_lock_in_a_session_of_its_own(store, ends):
    worker = real_worker.start(store, epochs=real_worker.LONG)
    ends(worker.process)
    assert run_lock.holder(worker.run_directory / "lock") == worker.process.pid
    assert os.getsid(worker.process.pid) == worker.process.pid
    assert (worker.attempt, worker.offset) == (1, 0)
    assert held_open(store.root) == 0


def test_a_worker_keeps_no_stream_of_whoever_started_it(store, ends):
    worker = real_worker.start(store, epochs=real_worker.LONG)
    ends(worker.process)
    real_worker.wait_until(worker.run_directory, real_worker.in_training)
    streams = [os.readlink(f"/proc/{worker.process.pid}/fd/{fd}") for fd in range(3)]  # noqa: PTH115
    assert streams == ["/dev/null", *[str(worker.run_directory / "worker.log")] * 2]


def test_the_next_attempts_events_begin_at_its_offset(finished_run, ends):
    size = (finished_run / "events.jsonl").stat().st_size
    worker = launch.go_on(finished_run, more_epochs=1)
    assert (worker.attempt, worker.offset) == (2, size)
    run = real_worker.ended(worker)
    assert run.events[0].seq == len(real_worker.read_events(finished_run)) - len(run.events)


@pytest.fixture
def worker_does(tmp_path, monkeypatch):
    """Have each worker be a script of the shell."""

    def make(text):
        script = tmp_path / "worker"
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(script))

    return make


def test_a_worker_is_told_all_that_was_asked(store, tmp_path, worker_does):
    worker_does(f"cat >> {tmp_path}/orders\necho '{{\"attempt\": 1}}'")
    begun = launch.start(store, real_worker.spec_of(), device="cuda:1")
    more = launch.go_on(begun.run_directory, 2, more_seconds=3.0, device="cuda:2")
    assert [worker.process.wait() for worker in (begun, more)] == [0, 0]
    directory = str(begun.run_directory)
    assert [msgspec.json.decode(line, type=Order) for line in (tmp_path / "orders").read_bytes().splitlines()] == [
        Order(run_directory=directory, device="cuda:1"),
        Order(run_directory=directory, go_on=True, more_epochs=2, more_seconds=3.0, device="cuda:2"),
    ]


def test_a_second_worker_for_a_run_is_refused(store, ends):
    worker = real_worker.start(store, epochs=real_worker.LONG)
    ends(worker.process)
    with pytest.raises(RunBusy) as caught:
        launch.go_on(worker.run_directory)
    assert caught.value.exit_code == 7


def test_of_many_continuations_at_once_one_wins(finished_run, ends):
    order = b'{"type":"order","run_directory":"%s","go_on":true,"more_epochs":500}\n' % os.fsencode(finished_run)
    command = [sys.executable, "-P", "-m", "engines.worker"]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    workers = [subprocess.Popen(command, **streams) for _ in range(5)]
    for worker in workers:
        ends(worker)
        worker.stdin.write(order)
        worker.stdin.flush()
    answers = [worker.stdout.readline() for worker in workers]
    assert sorted(b'"busy"' in answer for answer in answers) == [False, True, True, True, True]


def test_a_run_that_has_done_all_its_epochs_is_wrong_usage(finished_run):
    before = (finished_run / "events.jsonl").read_bytes()
    with pytest.raises(UsageProblem, match="3 epochs"):
        launch.go_on(finished_run)
    assert (finished_run / "events.jsonl").read_bytes() == before


def test_a_run_whose_spec_is_gone_is_told_and_leaves_no_spare_behind(finished_run):
    (finished_run / "spec.json").unlink()
    spare = Spare("rehearsal")
    with pytest.raises(CheckpointProblem, match=r"spec\.json"):
        launch.go_on(finished_run, more_epochs=1, spare=spare)
    assert not spare.is_alive()


def test_a_spec_that_names_no_model_of_ours_is_told(finished_run):
    spec = finished_run / "spec.json"
    spec.write_text(spec.read_text().replace('"nn"', '"../x"'))
    assert read_spec(finished_run).model == "../x"
    with pytest.raises(CheckpointProblem, match=r"spec\.json"):
        launch.go_on(finished_run, more_epochs=1)


def test_a_worker_that_dies_as_it_comes_up_leaves_its_last_words(store, python_finds):
    python_finds("msgspec", "raise ImportError('no msgspec \\x1b[31mhere')")
    with pytest.raises(WorkerDied, match=r"exit code 1.*no msgspec here") as caught:
        real_worker.start(store)
    assert caught.value.exit_code == 12
    assert str(caught.value).isprintable()


def test_what_a_worker_prints_last_is_in_its_log_however_it_dies(store, python_finds):
    python_finds("torch", "import os\nprint('last words')\nos.kill(os.getpid(), 9)\n")
    worker = real_worker.start(store, framework="torch")
    assert worker.process.wait() == -signal.SIGKILL
    assert last_log_lines(worker.run_directory)[-1] == "last words"


def test_a_worker_that_does_not_answer_in_time_is_ended(store, worker_does, monkeypatch):
    monkeypatch.setattr(launch, "ANSWER_SECONDS", 0.05)
    worker_does("exec sleep 100")
    with pytest.raises(WorkerDied, match="killed by SIGKILL"):
        real_worker.start(store)


def test_one_that_stays_after_an_answer_that_is_none_is_ended_too(store, worker_does):
    worker_does("echo welcome\nexec sleep 100")
    with pytest.raises(WorkerDied, match="welcome"):
        real_worker.start(store)


def test_a_worker_that_cannot_be_started_is_told(store, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(WorkerDied, match="no worker could be started"):
        real_worker.start(store)


def test_a_worker_that_answers_nonsense_is_ended(store, python_finds):
    python_finds("sitecustomize", "print('welcome', flush=True)")
    with pytest.raises(WorkerDied, match="welcome"):
        real_worker.start(store)
    (directory,) = store.directories()
    assert run_lock.holder(directory / "lock") is None


def test_a_file_named_like_a_library_where_a_person_stands_is_not_imported(store, tmp_path, monkeypatch):
    for name in ("numpy", "msgspec", "engines", "psutil"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")
    monkeypatch.chdir(tmp_path)
    assert real_worker.train(store, epochs=1).exit_code == 0


def test_a_log_that_cannot_be_opened_is_a_problem_of_storage(finished_run):
    (finished_run / "worker.log").unlink()
    (finished_run / "worker.log").mkdir()
    with pytest.raises(StorageProblem) as caught:
        launch.go_on(finished_run, more_epochs=1)
    assert caught.value.exit_code == 8


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (12, "exit code 12"), (-9, "SIGKILL"), (-11, "SIGSEGV"), (-63, "signal 63")]
)
def test_an_end_is_told_in_words(code, words):
    assert words in describe_exit(code)


def test_the_last_lines_of_a_log_are_few_short_and_safe(tmp_path):
    assert last_log_lines(tmp_path) == []
    lines = [b"line %d" % i for i in range(10_000)]
    (tmp_path / "worker.log").write_bytes(b"\n".join([*lines, b"", b"\x1b[31mred\xff", b"x" * 5_000, b""]))
    assert last_log_lines(tmp_path, 3) == ["line 9999", "red\ufffd", "x" * 500]


def test_of_a_log_without_end_only_the_end_is_read(tmp_path):
    with (tmp_path / "worker.log").open("ab") as log:
        log.truncate(1 << 40)
        log.write(b"\nlast words\n")
    assert last_log_lines(tmp_path, 1) == ["last words"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/passwd")])
def test_a_log_that_is_no_file_has_no_last_lines(tmp_path, make):
    make(tmp_path / "worker.log")
    assert last_log_lines(tmp_path) == []


# Spare workers.


def test_a_spare_worker_takes_the_run_that_fits_it(store):
    spare = Spare("rehearsal")
    worker = launch.start(store, real_worker.spec_of(epochs=1), spare)
    assert worker.process is spare.process
    assert real_worker.ended(worker).exit_code == 0


def test_a_spare_for_another_framework_is_ended_and_not_used(store):
    spare = Spare("none")
    worker = launch.start(store, real_worker.spec_of(epochs=1), spare)
    assert worker.process is not spare.process
    assert not spare.is_alive()
    assert real_worker.ended(worker).exit_code == 0


def test_a_spare_that_is_ready_trains_as_one_that_is_not(store):
    spare, spec = Spare("rehearsal"), real_worker.spec_of(epochs=1)
    spare.prepare(spec)
    ready, other = (real_worker.ended(launch.start(store, spec, spare)), real_worker.train(store, epochs=1))
    assert ready.finished.test_loss == other.finished.test_loss
    assert [event.name for event in ready.events if is_end_of_phase(event)] == list(PHASES)


def test_a_spare_reads_the_dataset_of_the_run_that_is_likely(tmp_path, python_finds):
    was_read = tmp_path / "read"
    python_finds(
        "sitecustomize",
        "import os, sys\n"
        "def note(event, told):\n"
        "    if event == 'open' and str(told[0]).endswith('digits.csv.gz'):\n"
        f"        os.makedirs({str(was_read)!r}, exist_ok=True)\n"
        "sys.addaudithook(note)\n",
    )
    spare = Spare("rehearsal")
    mishaps.wait_for(spare.is_ready, "a spare that is ready")
    assert not was_read.exists()
    spare.prepare(real_worker.spec_of())
    mishaps.wait_for(was_read.exists, "the dataset to be read")
    spare.end()


def is_end_of_phase(event):
    return isinstance(event, Phase) and event.state == "finished"


@pytest.mark.parametrize(
    ("framework", "asked", "fits"),
    [
        ("torch", {"model": "lenet"}, True),
        ("tensorflow", {"epochs": 9, "seed": 1}, True),
        ("tensorflow", {"model": "lenet"}, False),
        ("tensorflow", {"device": "cpu"}, False),
        ("tensorflow", {"gpu_memory_limit": 512}, False),
        ("tensorflow", {"model": "of another version"}, False),
        ("rehearsal", {}, False),
    ],
)
def test_a_spare_fits_until_it_has_taken_other_settings(framework, asked, fits, python_finds):
    for name in ("torch", "tensorflow"):
        python_finds(name, "raise ImportError('not needed')")
    before = real_worker.spec_of(framework=framework if framework != "rehearsal" else "torch")
    spare = Spare(before.framework)
    spare.prepare(before)
    assert spare.fits(before)
    assert spare.fits(real_worker.spec_of(framework=framework, **asked)) == fits
    spare.end()


@pytest.mark.parametrize(("cores", "fits"), [(2, True), (16, False)])
def test_a_spare_fits_a_network_that_gets_the_threads_it_has(cores, fits, python_finds, monkeypatch):
    python_finds("tensorflow", "raise ImportError('not needed')")
    monkeypatch.setattr(tensorflow_threads, "core_count", lambda: cores)
    spare = Spare("tensorflow")
    spare.prepare(real_worker.spec_of(framework="tensorflow", model="lenet"))
    assert spare.fits(real_worker.spec_of(framework="tensorflow", model="lenet1")) == fits
    spare.end()


def test_a_spare_that_died_is_replaced(store):
    spare = Spare("rehearsal")
    spare.process.kill()
    spare.process.wait()
    assert real_worker.ended(launch.start(store, real_worker.spec_of(epochs=1), spare)).exit_code == 0


def test_a_spare_is_ended_at_once_when_it_is_not_needed():
    spare = Spare("rehearsal")
    assert spare.is_alive()
    spare.end()
    assert not spare.is_alive()


def test_a_spare_goes_on_with_a_run_too(finished_run):
    spare = Spare("rehearsal")
    worker = launch.go_on(finished_run, more_epochs=1, spare=spare)
    assert worker.process is spare.process
    assert real_worker.ended(worker).exit_code == 0


@pytest.mark.parametrize("end", ["exits", "is killed"])
def test_a_spare_ends_by_itself_when_whoever_prepared_it_is_gone(end):
    code = "from engines.launch import Spare; s = Spare('rehearsal'); print(s.process.pid, flush=True); input()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    assert is_running(pid)
    if end == "is killed":
        parent.send_signal(signal.SIGKILL)
    parent.communicate(b"\n")
    while is_running(pid):  # The test's own time limit ends it, should this never come.
        time.sleep(0.02)


def is_running(pid):
    """Tell whether a process is there, and no zombie that its new parent has not buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] != b"Z"
    except FileNotFoundError:
        return False


NOISY = "import os\nprint('loading')\nos.write(1, b'noise from C\\n')\nraise ImportError('not {0} today')\n"


def test_a_framework_that_prints_as_it_loads_does_not_garble_a_spares_answer(store, python_finds):
    python_finds("torch", NOISY.format("torch"))
    worker = launch.start(store, real_worker.spec_of(framework="torch"), Spare("torch"))
    run = real_worker.ended(worker)
    assert run.exit_code == 6
    assert "not torch today" in run.finished.error.message


def test_what_a_framework_prints_as_a_spare_loads_it_is_on_no_screen(python_finds, capfd):
    python_finds("torch", "import os\nos.write(2, b'noise from C')\n")
    spare = Spare("torch")
    mishaps.wait_for(spare.is_ready, "a spare that is ready")
    spare.end()
    assert capfd.readouterr() == ("", "")


def test_a_run_in_a_folder_that_cannot_be_told_as_text_is_refused_in_words(finished_run):
    moved = finished_run.parent.rename(finished_run.parent.with_name(os.fsdecode(b"runs\xff")))
    with pytest.raises(UsageProblem, match="not UTF-8"):
        launch.go_on(moved / finished_run.name, more_epochs=1)
