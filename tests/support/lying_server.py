"""An HTTP server on 127.0.0.1 that gives the small dataset, or does with a request whatever a test says."""

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from small_dataset import CONTENTS, PACKED

from engines.dataset_files import TRAIN_IMAGES


class LyingServer(ThreadingHTTPServer):
    """`answer` takes a request's handler and the honest body; `requested` lists the names asked for, in order."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.requested = []
        self.closing = threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        self.server.requested.append(name)
        self.server.answer(self, PACKED[name.removesuffix(".gz")])

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


def respond(handler, body, status=200, **headers):
    handler.send_response(status)
    for name, value in ({"Content_Length": len(body)} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    if handler.command == "GET":
        handler.wfile.write(body)


@contextmanager
def serving(answer=respond):
    server = LyingServer(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def cut(handler, body):
    respond(handler, body[: len(body) // 2], Content_Length=len(body))


def cut_without_a_length(handler, body):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + body[: len(body) // 2])


def too_short(handler, body):
    respond(handler, body[:-8])


def length_too_small(handler, body):
    respond(handler, body, Content_Length=len(body) // 2)


def no_number(handler, body):
    respond(handler, body, Content_Length="long")


def flipped(handler, _body):
    content = bytearray(CONTENTS[TRAIN_IMAGES])
    content[1_000] ^= 1
    respond(handler, gzip.compress(content))


def not_found(handler, _body):
    respond(handler, b"no such file", status=404)


def broken(handler, _body):
    respond(handler, b"", status=500)


def web_page(handler, _body):
    respond(handler, b"<!DOCTYPE html><title>Log in</title>", Content_Type="text/html")


def empty(handler, _body):
    respond(handler, b"")


def silent(handler, _body):
    handler.server.closing.wait(20)


def silent_in_the_middle(handler, body):
    cut(handler, body)
    handler.wfile.flush()
    handler.server.closing.wait(20)


def endless(handler, _body):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    while not handler.server.closing.is_set():
        handler.wfile.write(bytes(1 << 16))


def no_http(handler, _body):
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


def in_circles(handler, _body):
    respond(handler, b"", status=302, Location=handler.path)


def escapes(handler, _body):
    handler.wfile.write(b"HTTP/1.0 404 \x1b[2Jgone\r\n\r\n")


LIES = [
    (cut, "broke off"),
    (cut_without_a_length, "cut short"),
    (too_short, "cut short"),
    (length_too_small, "cut short"),
    (no_number, "no usable answer"),
    (flipped, "not the official file"),
    (not_found, "answered 404"),
    (broken, "answered 500"),
    (web_page, "web page"),
    (empty, "is empty"),
    (silent, "did not answer in time"),
    (silent_in_the_middle, "fell silent"),
    (endless, "more than the file should hold"),
    (no_http, "cannot be reached"),
    (in_circles, "no usable answer"),
    (escapes, "answered 404"),
]
"""Answers that are no whole file, each with words of what a download says of it."""
