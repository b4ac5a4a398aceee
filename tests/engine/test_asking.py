"""What an engine answers is understood, and silence is too."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from batchspec.engine import asking
from batchspec.engine.ports import usable_port

KEY = "c2VjcmV0"
IDLE = {"poolId": "p", "dedicated": {"idle": 2, "running": 0, "total": 2}, "lowPriority": {"unusable": 1, "total": 1}}


class Canned(http.server.BaseHTTPRequestHandler):
    """Answers by path, and only those who sign."""

    answers: dict[str, Any]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        signed = self.headers["Authorization"].startswith("SharedKey batchspec:") and query == "api-version=2025-06-01"
        content = json.dumps(self.answers.get(path)).encode()
        self.send_response(200 if signed and path in self.answers else 403)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canned)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("state", "busy"), [("idle", False), ("running", True), ("waitingForStartTask", True), ("startTaskFailed", False)]
)
def test_an_engine_is_busy_when_a_node_is(state: str, busy: bool, port: int) -> None:
    Canned.answers = {"/nodecounts": {"value": [IDLE, {"poolId": "q", "dedicated": {state: 1, "total": 1}}]}}
    assert (asking.answers(port, KEY), asking.is_busy(port, KEY)) == (True, busy)


def test_what_an_engine_holds_is_counted(port: int) -> None:
    Canned.answers = {
        "/nodecounts": {"value": [IDLE, {"poolId": "q", "dedicated": {"running": 3, "total": 4}}]},
        "/pools": {"value": [{}, {}]},
        "/jobs": {"value": [{}]},
    }
    assert asking.counts(port, KEY) == {"pools": 2, "nodes": 7, "nodes running tasks": 3, "jobs": 1}


def test_a_refusal_and_silence_are_no_answer(port: int) -> None:
    Canned.answers = {}
    assert (asking.answers(port, KEY), asking.get(usable_port(None), KEY, "/pools")) == (False, None)
