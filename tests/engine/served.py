"""A real engine on a real port for tests, served from a thread of this process or by a process of its own."""

import asyncio
import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import uvicorn
from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential

from batchspec.engine.clock import Clock
from batchspec.engine.server import UVICORN_OPTIONS, Engine, Settings

VERSION = "2025-06-01"
KEY = base64.b64encode(b"a key of the tests, not a secret" * 2).decode()
DEADLINE_S = 30.0
UBUNTU = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A raw response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        return str(self.json["code"])


@dataclass(slots=True)
class Served:
    """An engine and how to reach it."""

    settings: Settings
    listener: socket.socket | None = None
    engine: Engine | None = None
    clock: Clock | None = None
    _thread: threading.Thread | None = field(default=None, repr=False)
    _stop: Callable[[], object] = field(default=lambda: None, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)

    @property
    def endpoint(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    def client(self) -> BatchClient:
        return BatchClient(self.endpoint, AzureNamedKeyCredential(self.settings.account, self.settings.key))

    def start(self) -> None:
        """Serve from a thread; returns when requests are answered."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(DEADLINE_S), "the engine did not start"

    def stop(self) -> None:
        """Stop as the daemon does."""
        self._stop()
        if self._thread is not None:
            self._thread.join(DEADLINE_S)
            assert not self._thread.is_alive(), "the engine did not stop"

    async def _serve(self, ready: threading.Event) -> None:
        over = asyncio.Event()
        loop = self._loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(over.set)
        self.engine = Engine(self.settings, clock=self.clock)
        await self.engine.start()
        # uvicorn closes the sockets it is given: the port stays ours for the next start.
        listener = self.listener.dup() if self.listener else None
        server = uvicorn.Server(uvicorn.Config(self.engine.app, **UVICORN_OPTIONS))
        serving = asyncio.create_task(server.serve([listener] if listener else None))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)
        ready.set()
        await over.wait()
        server.should_exit = True
        await serving
        await self.engine.stop()

    def idle_seconds(self) -> float:
        """What the engine says of itself, asked in its own loop as the daemon does."""
        engine, loop = self.engine, self._loop
        assert engine is not None
        assert loop is not None

        async def ask() -> float:
            return engine.idle_seconds()

        return asyncio.run_coroutine_threadsafe(ask(), loop).result(DEADLINE_S)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
        version: str = VERSION,
    ) -> Answer:
        """Send one signed request; `body` is JSON unless it is bytes, `query` comes before the api-version."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        full_query = "&".join(part for part in (query, f"api-version={version}" if version else "") if part)
        sent = {"ocp-date": formatdate(usegmt=True), **(headers or {})}
        if content or method not in ("GET", "HEAD"):
            sent["Content-Length"] = str(len(content))
        if content:
            sent["Content-Type"] = "application/json; odata=minimalmetadata; charset=utf-8"
        sent.setdefault("Authorization", self._authorization(method, path, full_query, sent, key))
        connection = http.client.HTTPConnection(self.settings.host, self.settings.port, timeout=DEADLINE_S)
        try:
            connection.request(method, f"{path}?{full_query}", body=content or None, headers=sent)
            response = connection.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, received, response.read())
        finally:
            connection.close()

    def _authorization(self, method: str, path: str, query: str, headers: Mapping[str, str], key: str | None) -> str:
        lower = {name.lower(): value for name, value in headers.items()}
        names = "content-encoding content-language content-length content-md5 content-type date if-modified-since "
        names += "if-match if-none-match if-unmodified-since range"
        text = "\n".join([method, *(lower.get(name, "") for name in names.split())]) + "\n"
        text += "".join(f"{name}:{lower[name]}\n" for name in sorted(lower) if name.startswith("ocp-"))
        text += f"/{self.settings.account}{path}"
        text += "".join(f"\n{name}:{values[0]}" for name, values in sorted(parse_qs(query).items()))
        digest = hmac.new(base64.b64decode(key or self.settings.key), text.encode(), hashlib.sha256).digest()
        return f"SharedKey {self.settings.account}:{base64.b64encode(digest).decode()}"

    # -- things most tests need

    def add_pool(self, pool_id: str = "pool", nodes: int = 1, **properties: Any) -> None:
        body = {"id": pool_id, "vmSize": "standard_d2s_v3", "virtualMachineConfiguration": UBUNTU}
        answer = self.request("POST", "/pools", {**body, "targetDedicatedNodes": nodes, **properties})
        assert answer.status == 201, answer

    def add_job(self, job_id: str = "job", pool_id: str = "pool", **properties: Any) -> None:
        answer = self.request("POST", "/jobs", {"id": job_id, "poolInfo": {"poolId": pool_id}, **properties})
        assert answer.status == 201, answer

    def add_task(self, task_id: str, command_line: str, *, job: str = "job", **properties: Any) -> None:
        body = {"id": task_id, "commandLine": command_line, **properties}
        answer = self.request("POST", f"/jobs/{job}/tasks", body)
        assert answer.status == 201, answer

    def task(self, task_id: str, job: str = "job") -> Any:
        return self.request("GET", f"/jobs/{job}/tasks/{task_id}").json

    def completed(self, task_id: str, job: str = "job") -> Any:
        """The task, once it is completed."""
        return wait_for(lambda: self.task(task_id, job), lambda task: task["state"] == "completed")

    def output(self, task_id: str, name: str = "stdout.txt", job: str = "job") -> str:
        answer = self.request("GET", f"/jobs/{job}/tasks/{task_id}/files/{name}")
        assert answer.status == 200, answer
        return answer.content.decode()

    def nodes(self, pool: str = "pool") -> list[Any]:
        return list(self.request("GET", f"/pools/{pool}/nodes").json["value"])

    def nodes_in(self, *states: str, pool: str = "pool") -> list[Any]:
        """The nodes of a pool, once each is in one of the states."""
        return wait_for(lambda: self.nodes(pool), lambda nodes: all(node["state"] in states for node in nodes))


def wait_for(read: Callable[[], T], is_done: Callable[[T], bool], deadline_s: float = DEADLINE_S) -> T:
    """Read until it is as wanted; fail with what was read last."""
    end = time.monotonic() + deadline_s
    while not is_done(value := read()):
        assert time.monotonic() < end, f"still not so after {deadline_s} s: {value!r}"
        time.sleep(0.01)
    return value


def settings(state_dir: Path, port: int, *, task_limit: int = 4) -> Settings:
    return Settings(
        state_dir=state_dir,
        host="127.0.0.1",
        port=port,
        account="batchspec",
        key=KEY,
        task_limit=task_limit,
        version="0",
    )


@contextmanager
def serving(state_dir: Path, *, task_limit: int = 4, clock: Clock | None = None) -> Iterator[Served]:
    """An engine in this process, on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        served = Served(settings(state_dir, listener.getsockname()[1], task_limit=task_limit), listener)
        served.clock = clock
        served.start()
        try:
            yield served
        finally:
            served.stop()


class Process:
    """An engine in a process of its own, that can be killed."""

    def __init__(self, state_dir: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.served = Served(settings(state_dir, port))
        root = Path(__file__).parents[2]
        self._popen = subprocess.Popen([sys.executable, __file__, str(state_dir), str(port)], cwd=root)
        wait_for(self._answers, bool)

    def kill(self) -> None:
        """`kill -9`, by its id."""
        os.kill(self._popen.pid, signal.SIGKILL)
        self._popen.wait(DEADLINE_S)

    def _answers(self) -> bool:
        assert self._popen.poll() is None, "the engine's process ended"
        try:
            return self.served.request("GET", "/pools").status == 200
        except OSError:
            return False


def vm() -> models.VirtualMachineConfiguration:
    """The image of the tests as the SDK has it."""
    return models.VirtualMachineConfiguration(UBUNTU)


async def _serve_for_ever(state_dir: Path, port: int) -> None:
    engine = Engine(settings(state_dir, port))
    await engine.start()
    await uvicorn.Server(uvicorn.Config(engine.app, host="127.0.0.1", port=port, **UVICORN_OPTIONS)).serve()


if __name__ == "__main__":
    asyncio.run(_serve_for_ever(Path(sys.argv[1]), int(sys.argv[2])))
