"""A server on this machine that stands in for the ones that data sets come from."""

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator


class Server:
    """Serves `files` (name -> bytes) in pieces, with `pause` seconds between them.

    announced: the length that is promised, where it is not the file's own.
    """

    def __init__(self, files: dict[str, bytes], pause: float = 0.0, announced: int = 0):
        self.files, self.pause, self.announced = files, pause, announced
        self.asked: list[str] = []
        self.address = ""

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        name = request.path.rsplit("/", 1)[1]
        self.asked.append(name)
        if name not in self.files:
            request.send_error(404)
            return
        data = self.files[name]
        request.send_response(200)
        request.send_header("Content-Length", str(self.announced or len(data)))
        request.end_headers()
        with contextlib.suppress(OSError):
            for start in range(0, len(data), 16384):
                request.wfile.write(data[start : start + 16384])
                time.sleep(self.pause)


@contextlib.contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Listens on a free port of 127.0.0.1; `server.address` is the start of its URLs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.answer(self)

        def log_message(self, *words):
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    server.address = f"http://127.0.0.1:{listening.server_address[1]}/"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
