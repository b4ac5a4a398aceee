"""The HTTP transport of both SDK clients: aiohttp, with a line per request for `-v`.

Place in the pipeline: below the SDKs' pipelines, so that what it tells is what went over the wire, retries included.
The line has no query secrets. Requests to this machine never go through a proxy, whatever the environment says: an
engine on loopback is not reachable from there.
"""

import io
import time
from collections.abc import Callable
from typing import Any

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from batchspec.cloud.mask import masked
from batchspec.cloud.target import is_loopback

Verbose = Callable[[str], None]

# uvicorn closes a connection that was idle for 5 s; reusing one at that moment costs a retry.
_KEEPALIVE_S = 4.0
_CONNECT_S = 10.0
# aiohttp writes raw bytes in one go, and warns of it above 1 MiB; a stream it writes in pieces.
_LARGE_BYTES = 1 << 20


class TellingTransport(AioHttpTransport):  # type: ignore[misc]
    """AioHttpTransport that tells `verbose` of each request: method, URL, status, milliseconds."""

    def __init__(self, session: aiohttp.ClientSession, verbose: Verbose | None, **settings: Any) -> None:
        super().__init__(session=session, session_owner=True, **settings)
        self._verbose = verbose

    def _get_request_data(self, request: Any) -> Any:
        content = super()._get_request_data(request)
        large = isinstance(content, bytes) and len(content) > _LARGE_BYTES
        return io.BytesIO(content) if large else content

    async def send(self, request: Any, **options: Any) -> Any:
        """Send, then tell."""
        if self._verbose is None:
            return await super().send(request, **options)
        began = time.monotonic()
        outcome = "no answer"
        try:
            response = await super().send(request, **options)
            outcome = str(response.status_code)
            return response
        finally:
            milliseconds = (time.monotonic() - began) * 1000
            self._verbose(f"{request.method} {masked(request.url)} {outcome} {milliseconds:.0f} ms")


def transport(endpoint: str, verbose: Verbose | None, *, answer_within_s: float) -> TellingTransport:
    """A transport for one endpoint; must be called in the running loop, and is closed with its client."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=64, keepalive_timeout=_KEEPALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=not is_loopback(endpoint),
    )
    return TellingTransport(session, verbose, connection_timeout=_CONNECT_S, read_timeout=answer_within_s)
