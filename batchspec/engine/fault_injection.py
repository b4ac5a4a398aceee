"""How the faults that were asked for happen: to requests and to files on their way.

Place: the server serves every request through `Saboteur.serve`; the engine's carrier is a `FaultyTransfer`. In: the
registry of faults. Out: other answers than the service's own, connections that end, transfers that fail.

Decision: a dropped connection ends in the transport itself, below HTTP, since that is what clients must survive. ASGI
has no word for it; uvicorn's `send` belongs to an object that holds the transport.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from batchspec.engine.call import Desk
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.faults import Fault, Faults
from batchspec.engine.transfer import Transfer
from batchspec.engine.transfer_failure import TransferFailed

OWN_HEADER: Final = "batchspec-own"
"""What the engine's own questions carry: no fault happens to them."""

_TRANSPORT: Final = "batchspec.transport"
_CODES: Final = {429: "TooManyRequests", 500: "InternalError", 503: "ServerBusy"}
_TRANSFER_CODES: Final = {"upload": "FileUploadMiscError", "download": "BlobDownloadMiscError"}


class Saboteur:
    """Serves requests, or does to them what was asked for."""

    def __init__(self, core: Core, desk: Desk) -> None:
        self._core = core
        self._desk = desk

    async def serve(self, request: Request, operation: str, serve: Callable[[], Awaitable[Response]]) -> Response:
        """The response of `serve`, unless a fault has another."""
        if OWN_HEADER in request.headers or not self._core.faults.all:
            return await serve()
        faults = self._core.faults.on_request(operation, request.method, request.url.path)
        for fault in faults:
            if fault.kind == "delay":
                await self._core.pause(fault.body["delay"])
        failing = next((fault for fault in faults if fault.kind != "delay"), None)
        if failing is None:
            return await serve()
        response = await serve() if failing.is_after else None
        if failing.kind == "drop":
            await _drop(request.scope[_TRANSPORT])
            return response or Response(status_code=500)
        return self._answer(request, failing)

    def _answer(self, request: Request, fault: Fault) -> Response:
        response = self._desk.refusal(request, Injected(fault))
        if "retryAfter" in fault.body:
            response.headers["Retry-After"] = f"{fault.body['retryAfter']:g}"
        return response


class Droppable:
    """An app whose requests know the connection they came by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await self._app(scope, receive, send)


class Injected(BatchError):
    """A refusal that was asked for."""

    def __init__(self, fault: Fault) -> None:
        status = fault.body["status"]
        super().__init__("InternalError", "This fault was asked for.")
        self.status = status
        self.code = fault.body.get("code") or _CODES.get(status, "InternalError")


class FaultyTransfer(Transfer):
    """Carries files, unless it was asked to fail."""

    faults: Faults | None = None

    async def fetch(self, resource_files: Sequence[dict[str, Any]], *, into: Path) -> None:
        """As `Transfer.fetch`."""
        self._fail("download")
        await super().fetch(resource_files, into=into)

    async def send(
        self,
        output_files: Sequence[dict[str, Any]],
        *,
        wd: Path,
        env: Mapping[str, str],
        succeeded: bool,
        log_dir: Path,
    ) -> None:
        """As `Transfer.send`."""
        self._fail("upload")
        await super().send(output_files, wd=wd, env=env, succeeded=succeeded, log_dir=log_dir)

    def _fail(self, kind: str) -> None:
        fault = self.faults.on_transfer(kind) if self.faults is not None else None
        if fault is not None:
            code = fault.body.get("code") or _TRANSFER_CODES[kind]
            raise TransferFailed(code, (("Message", "This fault was asked for."),))


async def _drop(transport: asyncio.Transport | None) -> None:
    """End a connection without a word."""
    if transport is None:
        raise RuntimeError("the server does not say which connection a request came by")
    transport.abort()
    # The server sees the end of the connection in the next turns of the loop, and then sends nothing any more.
    for _ in range(3):
        await asyncio.sleep(0)
