"""What goes over the wire: both official clients with every exchange judged, and requests made by hand."""

import asyncio
import base64
import hashlib
import hmac
import http.client
import inspect
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from azure.batch import BatchClient
from azure.batch.aio import BatchClient as AioBatchClient
from azure.core.async_paging import AsyncItemPaged
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.core.polling import AsyncLROPoller

from tests.conformance.account import PATIENCE_S, Account
from tests.conformance.openapi import Exchange, problems

VERSION = "2025-06-01"


@dataclass(slots=True)
class Wire:
    """What was said, and what was wrong with it."""

    exchanges: list[Exchange] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def note(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.problems += problems(exchange)

    @property
    def last(self) -> Exchange:
        return self.exchanges[-1]


class JudgedTransport(RequestsTransport):  # type: ignore[misc]  # loaded lazily by azure-core, so it has no type
    """The SDK's own transport; what comes back is noted."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def send(self, request: Any, **kwargs: Any) -> Any:
        response = super().send(request, **kwargs)
        content = response.internal_response.content if _is_json(response.headers) else b""
        self._wire.note(_exchange(request, response.status_code, response.headers, content))
        return response


class JudgedAioTransport(AioHttpTransport):  # type: ignore[misc]  # likewise
    """The SDK's own asynchronous transport; what comes back is noted."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    async def send(self, request: Any, **kwargs: Any) -> Any:
        response = await super().send(request, **kwargs)
        content = await response.read() if _is_json(response.headers) else b""
        self._wire.note(_exchange(request, response.status_code, response.headers, content))
        return response


def _is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("application/json; odata")


def _exchange(request: Any, status: int, headers: Mapping[str, str], content: bytes) -> Exchange:
    url = urlsplit(request.url)
    return Exchange(
        method=request.method,
        path=url.path,
        query={name.lower(): value for name, value in parse_qsl(url.query)},
        asked=_lower(request.headers),
        status=status,
        headers=_lower(headers),
        body=json.loads(content) if content else None,
    )


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


# -- the two clients


@contextmanager
def sync_client(account: Account, wire: Wire) -> Iterator[BatchClient]:
    """`azure.batch.BatchClient`; it does not repeat what failed, so that nothing is hidden."""
    credential = AzureNamedKeyCredential(account.name, account.key)
    with BatchClient(account.endpoint, credential, transport=JudgedTransport(wire), retry_total=0) as client:
        yield client


@contextmanager
def aio_client(account: Account, wire: Wire) -> Iterator[BatchClient]:
    """`azure.batch.aio.BatchClient`, driven from outside of its loop as if it were the other one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def opened() -> AioBatchClient:
        credential = AzureNamedKeyCredential(account.name, account.key)
        return AioBatchClient(account.endpoint, credential, transport=JudgedAioTransport(wire), retry_total=0)

    client = asyncio.run_coroutine_threadsafe(opened(), loop).result(PATIENCE_S)
    try:
        yield cast(BatchClient, _Driven(client, loop))
    finally:
        asyncio.run_coroutine_threadsafe(client.close(), loop).result(PATIENCE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()


class _Driven:
    """An asynchronous client whose methods return when they are done: lists as lists, bytes as chunks."""

    def __init__(self, client: AioBatchClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        async def run(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if inspect.iscoroutine(result):
                result = await result
            if isinstance(result, AsyncItemPaged) or hasattr(result, "__anext__"):
                return [item async for item in result]
            return result

        def call(*args: Any, **kwargs: Any) -> Any:
            result = self._wait(run(*args, **kwargs))
            return _Poller(result, self._wait) if isinstance(result, AsyncLROPoller) else result

        return call

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)


class _Poller:
    """A long-running operation of the asynchronous client."""

    def __init__(self, poller: AsyncLROPoller[Any], wait: Callable[[Any], Any]) -> None:
        self._poller = poller
        self._wait = wait

    def result(self) -> Any:
        return self._wait(self._poller.result())


# -- by hand


@dataclass(frozen=True, slots=True)
class Raw:
    """Requests that no SDK would send, signed as the documentation says."""

    account: Account
    wire: Wire

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        version: str = VERSION,
        key: str | None = None,
    ) -> Exchange:
        """Send one request; `body` is JSON unless it is bytes. A header with an empty value is not sent."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        full_query = "&".join(part for part in (query, f"api-version={version}" if version else "") if part)
        sent = {"ocp-date": formatdate(usegmt=True), "Content-Length": str(len(content))}
        if content:
            sent["Content-Type"] = "application/json; odata=minimalmetadata"
        elif method in ("GET", "HEAD"):
            del sent["Content-Length"]
        sent |= headers or {}
        sent.setdefault("Authorization", self._authorization(method, path, full_query, sent, key))
        exchange = self._sent(method, f"{path}?{full_query}", content, {k: v for k, v in sent.items() if v})
        self.wire.note(exchange)
        return exchange

    def _sent(self, method: str, target: str, content: bytes, headers: Mapping[str, str]) -> Exchange:
        url = urlsplit(self.account.endpoint)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.netloc, timeout=PATIENCE_S)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(content or None)
            response = connection.getresponse()
            received, answered = response.read(), _lower(dict(response.getheaders()))
        finally:
            connection.close()
        parts = urlsplit(target)
        query = {name.lower(): value for name, value in parse_qsl(parts.query)}
        body = json.loads(received) if received and _is_json(answered) else received or None
        return Exchange(method, parts.path, query, _lower(headers), response.status, answered, body)

    def _authorization(self, method: str, path: str, query: str, headers: Mapping[str, str], key: str | None) -> str:
        lower = _lower(headers)
        names = "content-encoding content-language content-length content-md5 content-type date if-modified-since "
        names += "if-match if-none-match if-unmodified-since range"
        text = "\n".join([method, *(lower.get(name, "") for name in names.split())]) + "\n"
        text += "".join(f"{name}:{lower[name]}\n" for name in sorted(lower) if name.startswith("ocp-"))
        text += f"/{self.account.name}{path}"
        text += "".join(f"\n{name}:{value}" for name, value in sorted(parse_qsl(query)))
        digest = hmac.new(base64.b64decode(key or self.account.key), text.encode(), hashlib.sha256).digest()
        return f"SharedKey {self.account.name}:{base64.b64encode(digest).decode()}"
