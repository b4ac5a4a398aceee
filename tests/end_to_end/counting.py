"""A reverse proxy that counts: what a client really asked of a service, seen from outside of the client.

Shared Key signs the path and the account, not the address, so a client may be pointed at a proxy; the engine wants its
own address in `Host`, so that header is rewritten.
"""

import http.client
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

_READS = ("GET", "HEAD")
_OF_THE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "host")
DEADLINE_S = 60


class Proxy(ThreadingHTTPServer):
    """Forwards to `target`, and counts the requests by method."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.target = urlsplit(target)
        self.counts: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """Where this proxy listens, with the path of the target."""
        return f"http://127.0.0.1:{self.server_port}{self.target.path}"

    @property
    def writes(self) -> int:
        """How many requests were neither GET nor HEAD."""
        return sum(count for method, count in self.counts.items() if method not in _READS)


class _Forward(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _forward(self) -> None:
        self.server.counts[self.command] += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.server.target
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=DEADLINE_S)
        try:
            connection.request(self.command, self.path, body, headers)
            self._answer(connection.getresponse())
        finally:
            connection.close()

    def _answer(self, response: http.client.HTTPResponse) -> None:
        content = response.read()
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in (*_OF_THE_CONNECTION, "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", response.headers.get("Content-Length") or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _forward


@contextmanager
def counted(target: str) -> Iterator[Proxy]:
    """A proxy in front of `target` while the block runs."""
    with Proxy(target) as proxy:
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join(DEADLINE_S)
