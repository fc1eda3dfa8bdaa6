"""The way back to a live run: what is asked comes into force once, with the asker's name, and never a second time."""

import fcntl
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
import real_worker

from engines import control
from engines.control import MAX_BYTES, Inbox
from engines.events import CheckpointSaved, ControlApplied, Log
from engines.problems import StorageProblem


def answered(directory, request):
    """Wait for the event that acknowledges `request`, and give the state that it is part of."""
    return real_worker.wait_until(directory, lambda state: any(done.id == request.id for done in state.controls))


def write(directory, content):
    (directory / "control.json").write_bytes(content)


def request_of(number, action="pause", **fields):
    return json.dumps({"id": str(number), "action": action} | fields).encode()


# The file.


def test_a_request_says_who_asked_for_what_in_a_private_file(tmp_path):
    request = control.ask(tmp_path, "lr", 0.5)
    written = json.loads((tmp_path / "control.json").read_bytes())
    assert written == {"id": request.id, "action": "lr", "value": 0.5, "by": request.by, "repeats": "", "earlier": []}
    assert request.by
    assert stat.S_IMODE((tmp_path / "control.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["control.json"]


def test_every_request_has_an_id_of_its_own(tmp_path):
    assert len({control.ask(tmp_path, "pause").id for _ in range(100)}) == 100


def test_a_folder_that_takes_no_file_is_a_problem_of_storage(tmp_path):
    with pytest.raises(StorageProblem):
        control.ask(tmp_path / "gone", "stop")


def test_a_link_in_the_files_place_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "control.json").symlink_to(tmp_path / "precious")
    control.ask(tmp_path, "stop")
    assert (tmp_path / "precious").read_text() == "keep"
    assert not (tmp_path / "control.json").is_symlink()


def test_an_id_may_be_a_number(tmp_path):
    inbox = Inbox(tmp_path)
    write(tmp_path, b'{"id":1,"action":"pause"}')
    assert (inbox.take().id, inbox.take()) == ("1", None)
    write(tmp_path, b'{"id":2,"action":"resume"}')
    assert (inbox.take().action, inbox.take()) == ("resume", None)


def test_each_request_is_taken_once(tmp_path):
    inbox = Inbox(tmp_path)
    assert inbox.take() is None
    first = control.ask(tmp_path, "pause")
    assert inbox.take() == first
    assert inbox.take() is None
    second = control.ask(tmp_path, "pause")
    assert inbox.take() == second


def test_a_request_that_was_made_again_is_taken_once_whichever_of_them_is_seen(tmp_path):
    inbox = Inbox(tmp_path)
    first = control.ask(tmp_path, "epochs", 2)
    assert inbox.take() == first
    control.ask(tmp_path, "epochs", 2, repeats=first.id)
    assert inbox.take() is None
    unseen = control.ask(tmp_path, "epochs", 3)
    (tmp_path / "control.json").unlink()
    again = control.ask(tmp_path, "epochs", 3, repeats=unseen.id)
    assert inbox.take() == again
    control.ask(tmp_path, "epochs", 3, repeats=unseen.id)
    assert inbox.take() is None


def test_requests_between_two_looks_are_all_taken_in_the_order_asked(tmp_path):
    inbox = Inbox(tmp_path)
    asked = [control.ask(tmp_path, action) for action in ("pause", "checkpoint", "resume")]
    assert [inbox.take() for _ in range(4)] == [*asked, None]
    asked = [control.ask(tmp_path, "lr", 0.1), control.ask(tmp_path, "stop")]
    assert [inbox.take() for _ in range(3)] == [*asked, None]


def test_a_request_that_was_made_again_keeps_its_place(tmp_path):
    inbox = Inbox(tmp_path)
    first, second = control.ask(tmp_path, "lr", 0.1), control.ask(tmp_path, "lr", 0.2)
    for _ in range(3):
        control.ask(tmp_path, "lr", 0.1, repeats=first.id)
    assert [inbox.take() for _ in range(3)] == [first, second, None]
    assert len(json.loads((tmp_path / "control.json").read_bytes())["earlier"]) == 2


def test_a_request_of_a_program_that_knows_of_no_earlier_ones_is_taken_with_ours_after_it(tmp_path):
    inbox = Inbox(tmp_path)
    write(tmp_path, request_of(1, "pause", by="a script", reason="lunch"))
    ours = control.ask(tmp_path, "lr", 0.5)
    taken = [inbox.take() for _ in range(3)]
    assert [(request.id, request.by) for request in taken[:2]] == [("1", "a script"), (ours.id, ours.by)]
    assert taken[2] is None


def test_the_file_stays_small_enough_to_be_read_however_often_is_asked(tmp_path):
    inbox = Inbox(tmp_path)
    asked = [control.ask(tmp_path, "lr", n / 7) for n in range(1, 61)]
    assert (tmp_path / "control.json").stat().st_size <= MAX_BYTES
    taken = list(iter(inbox.take, None))
    assert 15 <= len(taken) < 60
    assert taken == asked[-len(taken) :]


def test_many_askers_at_once_overwrite_nothing_of_each_other(tmp_path):
    inbox = Inbox(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda n: control.ask(tmp_path, "lr", float(n)), range(1, 13)))
    assert {request.id for request in iter(inbox.take, None)} == {request.id for request in asked}


def test_an_asker_that_was_halted_in_the_middle_keeps_nobody_from_asking(tmp_path):
    inbox = Inbox(tmp_path)
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    request = control.ask(tmp_path, "stop")
    os.close(held)
    assert inbox.take() == request


def test_what_an_earlier_attempt_was_asked_is_never_obeyed_by_a_later_one(tmp_path):
    control.ask(tmp_path, "pause")
    control.ask(tmp_path, "stop")
    inbox = Inbox(tmp_path)
    assert inbox.take() is None
    asked = [control.ask(tmp_path, "resume"), control.ask(tmp_path, "checkpoint")]
    assert [inbox.take() for _ in range(3)] == [*asked, None]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"null",
        b"\xff\xfe",
        b"[" * 4_000,
        b'{"x":' + b"[" * 4_000,
        request_of(1, "explode"),
        request_of(1, value="fast"),
        b'{"action":"stop"}',
        request_of(1, by="x" * MAX_BYTES),
        request_of(1, earlier=[{"action": "stop"}]),
    ],
    ids=lambda content: content[:12],
)
def test_garbage_asks_for_nothing_and_hides_nothing_that_comes_after_it(tmp_path, garbage):
    inbox = Inbox(tmp_path)
    write(tmp_path, garbage)
    assert inbox.take() is None
    write(tmp_path, request_of(2))
    assert inbox.take().id == "2"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/passwd")])
def test_what_is_no_file_asks_for_nothing_and_is_not_waited_for(tmp_path, make):
    inbox = Inbox(tmp_path)
    make(tmp_path / "control.json")
    assert inbox.take() is None


def test_an_askers_name_is_made_safe_to_show(tmp_path):
    inbox = Inbox(tmp_path)
    write(tmp_path, request_of("\x1b[2J1", by="\u202eann\x1b]0;x\x07"))
    request = inbox.take()
    assert request.id.isprintable()
    assert request.by == "\ufffdann"


# The worker.


def test_a_pause_holds_until_a_resume_and_both_are_acknowledged(running):
    directory = running.run_directory
    request = control.ask(directory, "pause")
    state = answered(directory, request)
    assert state.paused
    assert state.controls[-1].by == request.by
    at = state.batch_count
    state = answered(directory, control.ask(directory, "checkpoint"))  # It still answers, and has not trained on.
    assert state.batch_count == at
    assert state.paused
    resumed = answered(directory, control.ask(directory, "resume"))
    assert not resumed.paused
    assert real_worker.wait_until(directory, lambda state: state.batch_count > at)


def test_a_new_rate_is_in_force_from_the_next_step_and_stays(running):
    directory = running.run_directory
    state = answered(directory, control.ask(directory, "lr", 0.0125))
    assert state.lr == 0.0125
    told = state.batch_count
    assert real_worker.wait_until(directory, lambda state: state.batch_count > told + 1).batch.lr == 0.0125


@pytest.mark.parametrize("rate", [None, 0.0, -1.0])
def test_a_rate_that_is_none_is_refused_in_words(running, rate):
    control.ask(running.run_directory, "lr", rate)
    state = real_worker.wait_until(running.run_directory, lambda state: state.logs)
    assert "learning rate" in state.logs[-1].message
    assert state.lr == 0.001


def test_a_checkpoint_is_written_when_asked_for(running):
    directory = running.run_directory
    paused = answered(directory, control.ask(directory, "pause"))  # so that the place where it is asked for is known
    state = answered(directory, control.ask(directory, "checkpoint"))
    newest = state.checkpoints[-1]
    assert (directory / newest.path).exists()
    assert (newest.epoch, newest.step) >= (paused.batch.epoch, paused.batch.step)


def test_a_stop_saves_a_checkpoint_is_acknowledged_and_ends_with_its_own_code(running):
    request = control.ask(running.run_directory, "stop")
    run = real_worker.ended(running)
    assert run.exit_code == 10
    assert run.finished.state == "stopped"
    assert [event.id for event in run.events if isinstance(event, ControlApplied)] == [request.id]
    saved = [event for event in run.events if isinstance(event, CheckpointSaved)]
    assert (run.directory / saved[-1].path).exists()


def test_stopped_while_paused(running):
    answered(running.run_directory, control.ask(running.run_directory, "pause"))
    control.ask(running.run_directory, "stop")
    assert real_worker.ended(running).finished.state == "stopped"


def test_stopped_now_saves_nothing_more(running):
    answered(running.run_directory, control.ask(running.run_directory, "pause"))
    before = len(list((running.run_directory / "checkpoints").iterdir()))
    request = control.ask(running.run_directory, "stop-now")
    run = real_worker.ended(running)
    assert run.exit_code == 10
    assert request.id in [event.id for event in run.events if isinstance(event, ControlApplied)]
    assert len(list((run.directory / "checkpoints").iterdir())) == before


def test_garbage_does_not_disturb_a_run(running):
    for content in (b"\x00" * 100, b"{", b"[" * 4_000):
        write(running.run_directory, content)
        told = real_worker.wait_until(running.run_directory, real_worker.in_training).batch_count
        real_worker.wait_until(running.run_directory, lambda state, told=told: state.batch_count > told)
    control.ask(running.run_directory, "stop")
    run = real_worker.ended(running)
    assert run.exit_code == 10
    assert not [event for event in run.events if isinstance(event, Log)]


def test_what_is_asked_in_one_breath_all_comes_into_force(running):
    directory = running.run_directory
    asked = [control.ask(directory, "pause"), control.ask(directory, "lr", 0.25), control.ask(directory, "checkpoint")]
    state = answered(directory, asked[-1])
    assert [done.id for done in state.controls] == [request.id for request in asked]
    assert (state.paused, state.lr) == (True, 0.25)


def test_a_stop_that_a_killed_worker_never_saw_does_not_stop_the_next_attempt(running):
    running.process.kill()
    running.process.wait()
    control.ask(running.run_directory, "stop")
    assert real_worker.go_on(running.run_directory, more_epochs=1).finished.state == "completed"
