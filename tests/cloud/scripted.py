"""A server on loopback that answers what a test tells it to: for answers that no well-behaved service gives."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from batchspec.cloud.clients import opened
from batchspec.cloud.target import BatchAccount, StorageAccount
from batchspec.reconcile.ports import Services

KEY = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA=="


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived; `path` is still percent-encoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer; `drop` closes the connection instead, after the request was read."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


Script = Callable[[Seen], Answer]


def refusal(status: int, code: str) -> Answer:
    """An error body of Azure Batch."""
    return Answer(status, {"code": code, "message": {"lang": "en-US", "value": f"{code} it is.\nRequestId:1"}})


def in_turn(*answers: Answer) -> Script:
    """One answer after the other; the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


async def no_sleep(seconds: float) -> None:
    """Waits nothing."""
    await asyncio.sleep(0)


@asynccontextmanager
async def served(script: Script) -> AsyncIterator[tuple[str, list[Seen]]]:
    """The server's address, and the requests it has seen."""
    seen: list[Seen] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        one = Seen(
            request.method,
            request.raw_path.partition("?")[0],
            dict(request.query),
            dict(request.headers),
            await request.read(),
        )
        seen.append(one)
        answer = script(one)
        if answer.drop:
            assert request.transport is not None
            request.transport.abort()
        content = (
            answer.body
            if isinstance(answer.body, bytes)
            else b""
            if answer.body is None
            else json.dumps(answer.body).encode()
        )
        headers = {"Content-Type": "application/json; odata=minimalmetadata", "request-id": "r-1"} | answer.headers
        return web.Response(status=answer.status, body=content, headers=headers)

    runner = web.AppRunner(_application(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


@asynccontextmanager
async def scripted(
    script: Script, *, verbose: Callable[[str], None] | None = None
) -> AsyncIterator[tuple[Services, list[Seen]]]:
    """Adapters whose two services are the scripted server, and the requests it has seen."""
    async with served(script) as (endpoint, seen):
        accounts = BatchAccount(endpoint, "acct", KEY), StorageAccount(f"{endpoint}/stor", "stor", KEY)
        async with opened(*accounts, shown_as="the script", verbose=verbose, sleep=no_sleep) as services:
            yield services, seen


def _application(handle: Callable[[web.Request], Any]) -> web.Application:
    application = web.Application(client_max_size=1 << 26)
    application.router.add_route("*", "/{anything:.*}", handle)
    return application
