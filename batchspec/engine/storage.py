"""Blob Storage as a node sees it: URLs that carry their own permission.

Place: below `transfer.py`, above aiohttp. In: URLs with a SAS, local files. Out: bytes in files, listings, or
`HttpFailed` with a status and a text that is safe to show. It knows nothing of tasks, and never shows the query
of a URL.

Decisions: REST by hand and not the SDK, which `cloud` uses; a misreading shared by client and engine would pass every
test. What is transient is tried again, for about four seconds, which is longer than Azurite needs to restart. Bodies
go in pieces between disk and socket; a large blob never is in memory.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import re
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree

import aiohttp
from yarl import URL

_Result = TypeVar("_Result")

API_VERSION = "2021-12-02"
PIECE_BYTES = 1 << 20
ONE_PUT_BYTES = 64 << 20
BLOCK_BYTES = 16 << 20
_MAX_BLOCKS = 50_000
_PAUSES_S = (0.1, 0.4, 1.2, 2.5)
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_CONNECTIONS = 16


class HttpFailed(Exception):
    """A request that failed for good: `status` is None when there was no answer; the text has no secret."""

    def __init__(self, reason: str, *, status: int | None = None, code: str = "", timed_out: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """The account behind `autoStorageContainerName` and identity references; `endpoint` has no slash at its end."""

    name: str
    key: str = field(repr=False)
    endpoint: str

    def signed(self, url: str) -> str:
        """The URL with an account SAS for reading, listing and writing blobs, valid for a day.

        Source: "Create an account SAS", version 2020-12-06 and later.
        """
        expiry = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = "\n".join([self.name, "rwlc", "b", "co", "", expiry, "", "", API_VERSION, "", ""])
        signature = hmac.digest(base64.b64decode(self.key), text.encode(), hashlib.sha256)
        sas = {"sp": "rwlc", "ss": "b", "srt": "co", "se": expiry, "sv": API_VERSION}
        return f"{masked(url)}?{urlencode({**sas, 'sig': base64.b64encode(signature).decode()})}"


@dataclass(frozen=True, slots=True)
class Blob:
    """A line of a container's listing."""

    name: str
    is_folder: bool


def masked(url: str) -> str:
    """A URL without its query, in which a SAS would be."""
    try:
        return urlunsplit(urlsplit(url)._replace(query="", fragment=""))
    except ValueError:
        return "(not a URL)"


def blob_url(container_url: str, name: str) -> str:
    """The address of a blob, with the permission of its container. Raises ValueError when there is no such address."""
    parts = urlsplit(container_url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name, safe='/~')}"))


class Storage:
    """Requests to Blob Storage (and any web server, for downloads); make and close it in one event loop."""

    def __init__(self) -> None:
        # Node closes idle connections after five seconds; one that we drop first cannot fail under a request.
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=3)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=60)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def download(self, url: str, to: Path) -> None:
        """Write what a URL answers to a file. Raises HttpFailed, or OSError when the file cannot be written."""
        await _retried(lambda: self._download(url, to))

    async def blobs(self, container_url: str, prefix: str) -> AsyncGenerator[Blob, None]:
        """The blobs of a container, by name, page by page. Raises HttpFailed. Source: List Blobs."""
        marker: str | None = ""
        while marker is not None:
            blobs, marker = await self._page(container_url, prefix, marker)
            for blob in blobs:
                yield blob

    async def upload(self, file: Path, url: str, headers: Mapping[str, str]) -> int:
        """Make a block blob of a file as large as it is now; return that size in bytes.

        Raises HttpFailed, or OSError when the file cannot be read. Source: Put Blob, Put Block, Put Block List.
        """
        size = file.stat().st_size
        if size <= ONE_PUT_BYTES:
            own = {"x-ms-blob-type": "BlockBlob", **headers}
            await _retried(lambda: self._put(url, own, file, (0, size)))
        else:
            await self._upload_blocks(file, url, headers, size)
        return size

    async def _upload_blocks(self, file: Path, url: str, headers: Mapping[str, str], size: int) -> None:
        step = max(BLOCK_BYTES, -(-size // _MAX_BLOCKS))
        ids: list[str] = []
        for start in range(0, size, step):
            ids.append(base64.b64encode(b"%08d" % len(ids)).decode())
            at = _with_query(url, comp="block", blockid=ids[-1])
            span = (start, min(step, size - start))
            await _retried(lambda at=at, span=span: self._put(at, {}, file, span))  # type: ignore[misc]
        listing = "".join(f"<Latest>{name}</Latest>" for name in ids)
        body = f"<?xml version='1.0' encoding='utf-8'?><BlockList>{listing}</BlockList>".encode()
        await _retried(lambda: self._send(_with_query(url, comp="blocklist"), headers, body))

    async def _download(self, url: str, to: Path) -> None:
        headers = {"Accept-Encoding": "identity"}
        async with self._session.get(_address(url), headers=headers, proxy=_proxy(url)) as response:
            await _accept(response)
            with to.open("wb") as file:
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    # A short write goes to memory; a long one may wait for the disk, and must not stop the engine.
                    await asyncio.to_thread(file.write, piece) if len(piece) > 65536 else file.write(piece)

    async def _page(self, container_url: str, prefix: str, marker: str) -> tuple[list[Blob], str | None]:
        query = {"restype": "container", "comp": "list", "include": "metadata", "prefix": prefix, "marker": marker}
        given = {name: value for name, value in query.items() if value}
        return _parsed(await _retried(lambda: self._get(container_url, given)))

    async def _get(self, base: str, query: Mapping[str, str]) -> bytes:
        url = _with_query(base, **query)
        headers = {"x-ms-version": API_VERSION}
        async with self._session.get(_address(url), headers=headers, proxy=_proxy(url)) as response:
            await _accept(response)
            return await response.read()

    async def _put(self, url: str, headers: Mapping[str, str], file: Path, span: tuple[int, int]) -> None:
        start, size = span
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if size <= PIECE_BYTES:
                await self._send(url, headers, await asyncio.to_thread(os.pread, opened, size, start))
            else:
                sized = {**headers, "Content-Length": str(size)}
                await self._send(url, sized, _pieces(opened, start, start + size))
        finally:
            os.close(opened)

    async def _send(self, url: str, headers: Mapping[str, str], body: bytes | AsyncIterator[bytes]) -> None:
        own = {"x-ms-version": API_VERSION, "Content-Type": "application/octet-stream", **headers}
        async with self._session.put(_address(url), data=body, headers=own, proxy=_proxy(url)) as response:
            await _accept(response)


async def _retried(once: Callable[[], Awaitable[_Result]]) -> _Result:
    for pause_s in (*_PAUSES_S, None):
        try:
            return await once()
        except HttpFailed as failure:
            failed = failure
        except (ValueError, aiohttp.NonHttpUrlClientError) as error:
            raise HttpFailed("the URL or a header is not valid") from error
        except TimeoutError as error:
            failed = HttpFailed("timed out", timed_out=True)
            failed.__cause__ = error
        except (aiohttp.ClientError, ConnectionError) as error:
            failed = HttpFailed(_reason(error))
            failed.__cause__ = error
        if pause_s is None or failed.status not in (None, *_TRANSIENT):
            break
        await asyncio.sleep(pause_s)
    raise failed


async def _accept(response: aiohttp.ClientResponse) -> None:
    if response.status < 300:
        return
    code = response.headers.get("x-ms-error-code", "")
    if not code:
        found = re.search(rb"<Code>(\w+)</Code>", await response.content.read(4096))
        code = found[1].decode() if found else ""
    answer = f"{response.status} {response.reason or ''}".strip()
    raise HttpFailed(f"the server answered {answer}{f' ({code})' if code else ''}", status=response.status, code=code)


def _reason(error: Exception) -> str:
    """What went wrong with a connection; an error's own text could hold the URL."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect to {error.host}:{error.port}: {_system_reason(error.os_error)}"
    if isinstance(error, OSError) and error.errno:
        return f"the connection failed: {_system_reason(error)}"
    return f"the connection failed ({type(error).__name__})"


def _system_reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else type(error).__name__


def _address(url: str) -> URL:
    # Escapes stay as they are; what may not stand in a URL (a space, letters beyond ASCII) is escaped.
    return URL(quote(url, safe="%/:?#[]@!$&'()*+,;=~-._"), encoded=True)


def _with_query(url: str, **values: str) -> str:
    parts = urlsplit(url)
    added = urlencode(values, quote_via=quote)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def _proxy(url: str) -> str | None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1" or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _parsed(page: bytes) -> tuple[list[Blob], str | None]:
    try:
        root = ElementTree.fromstring(page)
        blobs = [_blob(element) for element in root.iterfind("Blobs/Blob")]
    except (ElementTree.ParseError, ValueError) as error:
        raise HttpFailed("the listing of the container cannot be read") from error
    return blobs, root.findtext("NextMarker") or None


def _blob(element: ElementTree.Element) -> Blob:
    name = element.find("Name")
    text = (name.text if name is not None else "") or ""
    if name is not None and name.get("Encoded") == "true":  # characters that XML cannot hold
        text = unquote(text)
    size = int(element.findtext("Properties/Content-Length") or 0)
    # Both ways in which tools mark a folder: a name that ends so, and the metadata of hierarchical accounts.
    is_folder = size == 0 and (text.endswith("/") or element.findtext("Metadata/hdi_isfolder") == "true")
    return Blob(text, is_folder)


async def _pieces(opened: int, start: int, end: int) -> AsyncIterator[bytes]:
    while start < end:
        piece = await asyncio.to_thread(os.pread, opened, min(PIECE_BYTES, end - start), start)
        if not piece:
            raise EOFError("the file became shorter while it was sent")
        yield piece
        start += len(piece)
