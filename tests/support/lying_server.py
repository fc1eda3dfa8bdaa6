"""An HTTP server on 127.0.0.1 that gives the small dataset, or does with a request whatever a test says."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from small_dataset import PACKED


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
