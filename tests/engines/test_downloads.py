"""A download ends with whole, verified files, or with the reason in words and nothing left behind."""

import os
import signal
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
import small_dataset
from lying_server import LIES, not_found, respond, serving, web_page
from small_dataset import CONTENTS, FILES, PACKED

from engines import downloads
from engines.downloads import download
from engines.part_files import part_file
from engines.problems import DatasetProblem, StorageProblem

SUPPORT = Path(small_dataset.__file__).parent
IMAGES = FILES[0]


def ignore(_done, _total, _unit):
    pass


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "READ_TIMEOUT", 0.3)
    return small_dataset.install(monkeypatch, tmp_path) / "mnist"


def use(monkeypatch, *addresses):
    monkeypatch.setattr(downloads, "mirrors", lambda _: list(addresses))


def contents(folder):
    """Give what lies in `folder`, hidden files too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


lies = pytest.mark.parametrize(("lie", "words"), LIES, ids=[lie.__name__ for lie, _ in LIES])

WHOLE = {f"{name}.gz": content for name, content in PACKED.items()}


def test_all_files_arrive_and_progress_counts_their_bytes(folder, monkeypatch):
    seen = []
    with serving() as server:
        use(monkeypatch, server.address)
        found = download("mnist", FILES, folder, lambda *progress: seen.append(progress))
    assert found == {name: folder / f"{name}.gz" for name in PACKED}
    assert contents(folder) == WHOLE
    assert {(len(content), len(content), "bytes") for content in PACKED.values()} <= set(seen)
    assert all(done <= total for done, total, _ in seen)


def test_the_variable_names_a_mirror_of_ones_own(folder, monkeypatch):
    paths = []

    def note_path(handler, body):
        paths.append(handler.path)
        respond(handler, body)

    with serving(note_path) as server:
        monkeypatch.setenv("MNIST_TUI_MIRROR", f"{server.address}/sets/")
        download("mnist", FILES[:1], folder, ignore)
    assert paths == [f"/sets/mnist/{IMAGES.name}.gz"]


@pytest.mark.timeout(30)
@lies
def test_a_lying_mirror_is_found_out_and_leaves_nothing(folder, monkeypatch, lie, words):
    with serving(lie) as server:
        use(monkeypatch, server.address)
        with pytest.raises(DatasetProblem, match=words) as raised:
            download("mnist", FILES, folder, ignore)
    assert raised.value.message.startswith("MNIST could not be downloaded: 127.0.0.1:")
    assert str(raised.value).isprintable()
    assert "-d digits" in raised.value.hint
    assert contents(folder) == {}


@pytest.mark.timeout(30)
@lies
def test_the_next_mirror_is_asked_and_the_bad_one_only_once(folder, monkeypatch, lie, words):
    with serving(lie) as bad, serving() as good:
        use(monkeypatch, bad.address, good.address)
        download("mnist", FILES, folder, ignore)
        assert {name.removesuffix(".gz") for name in bad.requested} == {IMAGES.name}
    assert contents(folder) == WHOLE


def test_a_mirror_that_is_not_there_is_passed_over(folder, monkeypatch):
    with serving() as good:
        use(monkeypatch, "http://127.0.0.1:9", "no-address", "ftp://127.0.0.1", good.address)
        download("mnist", FILES, folder, ignore)
    assert contents(folder) == WHOLE


def test_each_mirror_is_named_with_its_reason(folder, monkeypatch):
    with serving(not_found) as first, serving(web_page) as second:
        use(monkeypatch, first.address, second.address)
        with pytest.raises(DatasetProblem) as raised:
            download("mnist", FILES, folder, ignore)
    assert f"127.0.0.1:{first.server_port} answered 404" in raised.value.message
    assert f"127.0.0.1:{second.server_port} sent a file that is a web page" in raised.value.message


def test_a_body_that_the_server_has_unpacked_is_as_good(folder, monkeypatch):
    def as_encoding(handler, body):
        respond(handler, body, Content_Encoding="gzip")

    with serving(as_encoding) as server:
        use(monkeypatch, server.address)
        download("mnist", FILES, folder, ignore)
    assert set(contents(folder).values()) == set(CONTENTS.values())


def test_a_password_in_an_address_is_not_shown(folder, monkeypatch):
    use(monkeypatch, "http://me:secret@127.0.0.1:9/sets", "http://[")
    with pytest.raises(DatasetProblem, match=r"127\.0\.0\.1:9 cannot be reached") as raised:
        download("mnist", FILES, folder, ignore)
    assert "secret" not in str(raised.value)


def test_others_may_read_what_is_downloaded_but_not_write_it(folder, monkeypatch):
    umask = os.umask(0)
    try:
        with serving() as server:
            use(monkeypatch, server.address)
            download("mnist", FILES[:1], folder, ignore)
    finally:
        os.umask(umask)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, *folder.iterdir())]
    assert modes == [0o755, 0o755, 0o644]


def test_files_that_arrived_before_a_failure_are_kept(folder, monkeypatch):
    def only_images(handler, body):
        respond(handler, body) if IMAGES.name in handler.path else not_found(handler, body)

    with serving(only_images) as server:
        use(monkeypatch, server.address)
        with pytest.raises(DatasetProblem):
            download("mnist", FILES, folder, ignore)
    assert contents(folder) == {f"{IMAGES.name}.gz": PACKED[IMAGES.name]}


def test_a_caller_may_break_off_and_nothing_is_left(folder, monkeypatch):
    def break_off(_done, _total, _unit):
        raise KeyboardInterrupt

    with serving() as server:
        use(monkeypatch, server.address)
        with pytest.raises(KeyboardInterrupt):
            download("mnist", FILES, folder, break_off)
    assert contents(folder) == {}


@pytest.mark.timeout(30)
def test_two_downloads_at_once_both_end_well(folder, monkeypatch):
    both = threading.Barrier(2)

    def answer_two_at_a_time(handler, body):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + body[:100])
        both.wait(10)
        handler.wfile.write(body[100:])

    outcomes = []

    def run():
        outcomes.append(download("mnist", FILES, folder, ignore))

    monkeypatch.setattr(downloads, "READ_TIMEOUT", 10)
    with serving(answer_two_at_a_time) as server, ExitStack() as stack:
        use(monkeypatch, server.address)
        for thread in [threading.Thread(target=run) for _ in range(2)]:
            thread.start()
            stack.callback(thread.join)
    assert outcomes == [{name: folder / f"{name}.gz" for name in PACKED}] * 2
    assert contents(folder) == WHOLE


def downloading_process(folder, address, before="", **options):
    """Start a process of its own that downloads the small dataset; it prints the problem that it ends with."""
    code = f"""
import sys
sys.path.insert(0, {str(SUPPORT)!r})
from pathlib import Path
from small_dataset import FILES
from engines import downloads, problems
downloads.mirrors = lambda dataset: [{address!r}]
{before}
try:
    downloads.download("mnist", FILES, Path({str(folder)!r}), lambda *progress: None)
except problems.Problem as problem:
    print(problem.kind, problem)
"""
    root = Path(downloads.__file__).parents[1]
    return subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True, **options)


@pytest.mark.timeout(60)
def test_what_a_killed_download_left_is_never_used_and_is_removed_by_the_next(folder, monkeypatch):
    half_sent = threading.Event()

    def send_half(handler, body):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + body[: len(body) // 2])
        handler.wfile.flush()
        half_sent.set()
        handler.server.closing.wait(20)

    with serving(send_half) as server:
        process = downloading_process(folder, server.address)
        assert half_sent.wait(20)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    (left,) = contents(folder)
    assert left.endswith(".part")
    with serving() as server:
        use(monkeypatch, server.address)
        download("mnist", FILES, folder, ignore)
    assert contents(folder) == WHOLE


def test_the_part_file_of_a_live_download_is_left_alone(folder, monkeypatch):
    folder.mkdir(parents=True)
    with serving() as server, part_file(folder, "other") as (_, part):
        use(monkeypatch, server.address)
        download("mnist", FILES, folder, ignore)
        assert part.exists()
    assert contents(folder) == WHOLE


@pytest.mark.timeout(60)
def test_a_disk_that_takes_no_more_is_a_storage_problem_and_no_fault_of_the_mirror(folder):
    def more_than_fits(handler, _body):
        respond(handler, bytes(20_000))

    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    with serving(more_than_fits) as server:
        process = downloading_process(folder, server.address, before=limit)
        printed, _ = process.communicate()
    assert printed.startswith(f"storage The dataset cannot be written to {folder}: File too large.")
    assert process.returncode == 0
    assert contents(folder) == {}


def test_a_folder_that_cannot_be_made_is_a_storage_problem(folder, monkeypatch):
    folder.parent.write_text("a file where the data directory should be")
    with pytest.raises(StorageProblem, match="cannot be written") as raised:
        download("mnist", FILES, folder, ignore)
    assert raised.value.exit_code == 8
    assert "--data-dir" in raised.value.hint
