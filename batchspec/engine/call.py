"""One request: from HTTP to a `Call`, from a `Reply` to HTTP, and every check that is the same for all operations.

Place: between the ASGI server and the handlers. In: a Starlette request and its route. Out: a response with the
service's headers. Order of the checks: host, signature, version, query, body. One place turns `BatchError` into a
response. It never touches the database.
"""

import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from batchspec.engine import auth
from batchspec.engine.clock import Clock
from batchspec.engine.core import Settings
from batchspec.engine.errors import BatchError, bad_query, error_body
from batchspec.engine.times import (
    etag_from_ticks,
    http_date,
    text_from_ticks,
    ticks_from_datetime,
    ticks_from_text,
)
from batchspec.engine.validate import checked

_log = logging.getLogger("batchspec.engine")

VERSIONS = (
    "2025-06-01",
    "2024-07-01.20.0",
    "2024-02-01.19.0",
    "2023-11-01.18.0",
    "2023-05-01.17.0",
    "2022-10-01.16.0",
    "2022-01-01.15.0",
    "2021-06-01.14.0",
)
MAX_BODY_BYTES = 1_048_576
# What is read of a body that is too large, so that a client still sending gets its answer.
_MAX_DRAINED_BYTES = 64 * MAX_BODY_BYTES
_JSON = "application/json; odata=minimalmetadata"
_ODATA_OPTIONS = frozenset({"$filter", "$select", "$expand", "$skiptoken"})
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the checks; names in `query` and `headers` are lower case."""

    method: str
    url: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: dict[str, Any]
    version: str

    def limit(self, most: int = 1000) -> int:
        """`maxresults`: how many items a page may have. Raises BatchError."""
        text = self.query.get("maxresults", str(most))
        try:
            value = int(text)
        except ValueError as error:
            raise bad_query("maxresults", text, "not a number") from error
        if not 1 <= value <= most:
            raise BatchError(
                "OutOfRangeQueryParameterValue",
                QueryParameterName="maxresults",
                QueryParameterValue=text,
                MinimumAllowed="1",
                MaximumAllowed=str(most),
            )
        return value

    @property
    def select(self) -> list[str]:
        """The properties asked for; empty means all."""
        return [name.strip() for name in self.query.get("$select", "").split(",") if name.strip()]

    @property
    def expands_stats(self) -> bool:
        """Whether `$expand=stats` was asked for, the only one there is. Raises BatchError."""
        names = {name.strip() for name in self.query.get("$expand", "").split(",") if name.strip()}
        if names - {"stats"}:
            raise bad_query("$expand", self.query["$expand"], "only stats can be expanded")
        return bool(names)

    def flag(self, name: str) -> bool:
        """A boolean query parameter."""
        return self.query.get(name, "false").lower() == "true"

    def check_conditions(self, modified: int) -> None:
        """Obey If-Match and its kin for a resource last modified then (ticks). Raises BatchError; 304 when reading."""
        present = [name for name in _CONDITIONS if name in self.headers]
        if "if-match" in present and "if-none-match" in present:
            raise BatchError("MultipleConditionHeadersNotSupported")
        failed = [name for name in present if not self._holds(name, self.headers[name], modified)]
        if failed and self.method in ("GET", "HEAD") and failed[0] in ("if-none-match", "if-modified-since"):
            raise NotModified
        if failed:
            raise BatchError("ConditionNotMet")

    def _holds(self, name: str, value: str, modified: int) -> bool:
        if name in ("if-match", "if-none-match"):
            wanted = [item.strip().removeprefix("W/").strip('"') for item in value.split(",")]
            is_same = "*" in wanted or etag_from_ticks(modified) in wanted
            return is_same == (name == "if-match")
        try:
            # Headers have whole seconds.
            since = ticks_from_text(value) // 10_000_000
        except ValueError as error:
            raise BatchError("InvalidHeaderValue", HeaderName=name, HeaderValue=value) from error
        is_later = modified // 10_000_000 > since
        return is_later == (name == "if-modified-since")


class NotModified(Exception):
    """The answer to a read whose condition does not hold: 304, without a body."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers; `fragment` names the body's metadata, `stamp` gives ETag and Last-Modified."""

    body: dict[str, Any] | None = None
    fragment: str = ""
    stamp: int | None = None
    is_change: bool = False
    location: str | None = None
    skip_token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def changed(stamp: int, *, location: str | None = None) -> Reply:
    """The answer to a change: no body, the resource's new ETag, and where it is when it is new."""
    return Reply(stamp=stamp, is_change=True, location=location)


class Operation(Protocol):
    """What dispatch needs of a line of the route table."""

    @property
    def name(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def shape(self) -> str | None: ...
    @property
    def strict(self) -> bool: ...


Handler = Callable[[Call], Awaitable[Reply | Response]]


class Desk:
    """Takes requests in and gives responses out."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._base_url = f"http://{settings.host}:{settings.port}"
        self._hosts = {f"{name}:{settings.port}" for name in (*_LOOPBACK, settings.host)}

    async def serve(self, request: Request, operation: Operation, handler: Handler) -> Response:
        """Answer a request for a known operation."""
        request_id = uuid.uuid4()
        try:
            call = await self._read(request, operation)
            answer = await handler(call)
            response = answer if isinstance(answer, Response) else self._written(call, operation, answer)
        except NotModified:
            response = Response(status_code=304)
        except BatchError as error:
            response = self._refusal(error, request, request_id)
        except ClientDisconnect:
            response = Response(status_code=400)
        except Exception:  # noqa: BLE001 - the boundary: a fault of ours is a 500, with the trace in the log
            _log.exception("%s failed (request %s)", operation.name, request_id)
            response = self._refusal(BatchError("InternalError"), request, request_id)
        return self._stamped(response, request, request_id)

    async def refuse(self, request: Request, error: BatchError) -> Response:
        """Answer a request that has no operation; an unsigned one learns nothing but that."""
        request_id = uuid.uuid4()
        try:
            self._admit(request)
        except BatchError as refusal:
            error = refusal
        return self._stamped(self._refusal(error, request, request_id), request, request_id)

    def refusal(self, request: Request, error: BatchError) -> Response:
        """The service's answer with this error, whatever was asked."""
        request_id = uuid.uuid4()
        return self._stamped(self._refusal(error, request, request_id), request, request_id)

    # -- in

    def _admit(self, request: Request) -> dict[str, str]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("host", "").lower() not in self._hosts:
            raise BatchError("InvalidHeaderValue", HeaderName="Host", HeaderValue=headers.get("host", ""))
        auth.verify(
            request.method,
            request.scope["raw_path"].decode("latin-1"),
            request.scope["query_string"].decode("latin-1"),
            headers,
            account=self._settings.account,
            key=self._settings.key,
            now=self._clock.now(),
        )
        return headers

    async def _read(self, request: Request, operation: Operation) -> Call:
        headers = self._admit(request)
        query: dict[str, str] = {}
        for name, value in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True):
            query.setdefault(name.lower(), value)
        _check_query(query)
        version = _version(query)
        content = await _content(request)
        return Call(
            method=request.method,
            url=f"{self._base_url}{request.scope['raw_path'].decode('latin-1')}",
            path=request.path_params,
            query=query,
            headers=headers,
            body=_body(content, operation, version),
            version=version,
        )

    # -- out

    def _written(self, call: Call, operation: Operation, reply: Reply) -> Response:
        headers = dict(reply.headers)
        if reply.stamp is not None:
            headers["ETag"] = etag_from_ticks(reply.stamp)
            headers["Last-Modified"] = http_date(reply.stamp)
        if reply.is_change:
            headers["DataServiceId"] = reply.location or call.url
        if reply.location is not None:
            headers["Location"] = reply.location
        if reply.body is None or call.method == "HEAD":
            return Response(status_code=operation.status, headers=headers)
        body = {"odata.metadata": f"{self._base_url}/$metadata#{reply.fragment}", **reply.body}
        if reply.skip_token is not None:
            body["odata.nextLink"] = self._next_link(call, reply.skip_token)
        return Response(_encoded(body), operation.status, headers, media_type=_JSON)

    def _next_link(self, call: Call, token: str) -> str:
        kept = [(name, value) for name, value in call.query.items() if name != "$skiptoken"]
        return f"{call.url}?{urlencode([*kept, ('$skiptoken', token)], safe='$', quote_via=quote)}"

    def _refusal(self, error: BatchError, request: Request, request_id: uuid.UUID) -> Response:
        if request.method == "HEAD":
            return Response(status_code=error.status)
        time = text_from_ticks(ticks_from_datetime(self._clock.now()))
        body = error_body(error, base_url=self._base_url, request_id=request_id, time=time)
        return Response(_encoded(body), error.status, media_type=_JSON)

    def _stamped(self, response: Response, request: Request, request_id: uuid.UUID) -> Response:
        response.headers["DataServiceVersion"] = "3.0"
        response.headers["request-id"] = str(request_id)
        response.headers["Server"] = "Microsoft-HTTPAPI/2.0"
        response.headers["X-Content-Type-Options"] = "nosniff"
        wanted = request.headers.get("return-client-request-id", "").lower() == "true"
        if wanted and (client_id := request.headers.get("client-request-id")):
            response.headers["client-request-id"] = client_id
        return response


def _check_query(query: Mapping[str, str]) -> None:
    """OData has options that Batch does not. Others are let through: clients and proxies add their own."""
    for name in query:
        if name.startswith("$") and name not in _ODATA_OPTIONS:
            raise BatchError("UnsupportedQueryParameter", QueryParameterName=name)


def _version(query: Mapping[str, str]) -> str:
    version = query.get("api-version")
    if not version:
        raise BatchError("MissingRequiredQueryParameter", QueryParameterName="api-version")
    if version not in VERSIONS:
        raise BatchError("UnsupportedRequestVersion", SupportedVersions=", ".join(VERSIONS))
    return version


async def _content(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        elif size > _MAX_DRAINED_BYTES:
            break
    if size > MAX_BODY_BYTES:
        raise BatchError("RequestBodyTooLarge", MaxLimit=str(MAX_BODY_BYTES))
    return b"".join(parts)


def _body(content: bytes, operation: Operation, version: str) -> dict[str, Any]:
    if operation.shape is None:
        return {}
    try:
        body = json.loads(content) if content.strip() else {}
        # Half a surrogate pair is JSON, but no text: the database could not keep it.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BatchError("InvalidRequestBody", Reason=f"The body is not JSON: {error}") from error
    return checked(body, operation.shape, version=version, strict=operation.strict)


def _encoded(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
