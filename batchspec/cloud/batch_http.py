"""Plain JSON over the SDK's own client: one request, one page after another.

Place in the pipeline: below `batch`. The official BatchClient signs, sends and checks; bodies stay plain JSON since
building the SDK's models costs 48 times as much. In comes method, path, query and body, out goes a `Reply`, or an error
of ours through `Tries`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from azure.batch.aio import BatchClient
from azure.core.rest import HttpRequest
from yarl import URL

from batchspec.cloud.faults import clock_ahead
from batchspec.cloud.retry import Sleep, Tries

API_VERSION = "2025-06-01"
_JSON = "application/json; odata=minimalmetadata"
_PAGE = 1000

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of 2xx: `headers` ignore case, `body` is {} when there was none."""

    headers: Mapping[str, str]
    body: Body


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: `path` below the endpoint, already percent-encoded; `headers` besides the usual ones."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Body | None = None
    headers: tuple[tuple[str, str], ...] = ()


class BatchHttp:
    """Sends requests to one account's endpoint."""

    def __init__(self, client: BatchClient, endpoint: str, *, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._endpoint = endpoint
        self.sleep = sleep
        self.clock_ahead: timedelta | None = None

    def tries(self, operation: str, resource: str) -> Tries:
        """The attempts at one operation on this account."""
        return Tries(operation, resource, where=self._endpoint, sleep=self.sleep)

    async def send(self, tries: Tries, ask: Ask) -> Reply:
        """One request, repeated as `tries` allows."""
        return await tries.run(lambda: self._once(ask))

    async def read(self, tries: Tries, ask: Ask) -> bytes:
        """The raw content of a file: never decoded, whatever its type says."""
        return await tries.run(lambda: self._read_once(ask))

    async def pages(self, operation: str, resource: str, path: str, **query: str) -> AsyncIterator[Body]:
        """The items of a list, page by page."""
        options = [(f"${key}" if key in ("filter", "select") else key, value) for key, value in query.items() if value]
        ask = Ask("GET", path, (("maxresults", str(_PAGE)), *options))
        while True:
            reply = await self.send(self.tries(operation, resource), ask)
            for item in reply.body.get("value", []):
                yield item
            following = reply.body.get("odata.nextLink")
            if not following:
                return
            ask = self._following(following)

    def _following(self, link: str) -> Ask:
        # Only path and query are taken from the link: our signature never goes to another host.
        parts = urlsplit(link)
        below = urlsplit(self._endpoint).path
        return Ask("GET", f"{parts.path.removeprefix(below)}?{parts.query}")

    async def _once(self, ask: Ask) -> Reply:
        response = await self._client.send_request(self._request(ask))
        self.clock_ahead = clock_ahead(response.headers, datetime.now(UTC))
        content = response.content
        return Reply(response.headers, json.loads(content) if content else {})

    async def _read_once(self, ask: Ask) -> bytes:
        response = await self._client.send_request(self._request(ask), stream=True)
        try:
            return bytes(await response.read())
        finally:
            await response.close()

    def _request(self, ask: Ask) -> HttpRequest:
        url = f"{self._endpoint}{ask.path}"
        if "?" not in ask.path:
            url += "?" + urlencode([("api-version", API_VERSION), *ask.query], quote_via=quote)
        headers = {"Accept": "application/json", "DataServiceVersion": "3.0", **dict(ask.headers)}
        content = None
        if ask.body is not None:
            headers["Content-Type"] = _JSON
            content = json.dumps(ask.body, ensure_ascii=False, separators=(",", ":")).encode()
        # aiohttp would bring the URL into this form after it was signed.
        return HttpRequest(ask.method, str(URL(url)), headers=headers, content=content)
