"""Output blobs become local files: the download step.

Place in the pipeline: the last step of `apply`, and the `download` command. In: what the containers hold. Out: files
below each download's folder, each written to a temporary file there, checked against the blob's size and MD5 and moved
into place, so that none is ever half there; a finished file takes the blob's Last-Modified as its time. What is there
already (same size and MD5, or time) is left alone, so it can be interrupted and run again. A blob's name never leads
out of the folder: names that could, or that can be no file, are told at the end, after everything else was fetched.

A blob that changes between listing and reading is read in its new version; one that was deleted meanwhile is told of.
"""

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from batchspec.errors import LocalIOFailed, ServiceRefused, TransferFailed
from batchspec.reconcile.clock import Clock, SystemClock
from batchspec.reconcile.concurrency import for_each
from batchspec.reconcile.local_names import PART_PREFIX, PART_SUFFIX, Places, inside
from batchspec.reconcile.plan_blobs import is_downloaded, selects
from batchspec.reconcile.ports import BlobState, Services
from batchspec.reconcile.processes import is_alive
from batchspec.reconcile.report import Advanced, Finished, Reporter, Started
from batchspec.render.model import Desired, DesiredDownload

_AT_ONCE = 8
# A process id comes again; what no one has written to for a day is nobody's.
_LEFT_AFTER_S = 86_400.0
_VERSIONS = 3


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One file to write: `folder` is the download's, `path` below it."""

    container: str
    blob: BlobState
    folder: Path
    path: Path

    @property
    def shown_as(self) -> str:
        return f"{self.container}: {self.blob.name!r}"


@dataclass(slots=True)
class _Fetch:
    """One run of the step: what is to be fetched, what cannot be, and how far it is."""

    services: Services
    report: Reporter
    places: Places = field(default_factory=Places)
    wanted: list[_Wanted] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    written: int = 0
    total_bytes: int = 0
    done_bytes: int = 0


async def download(desired: Desired, services: Services, *, report: Reporter, clock: Clock | None = None) -> int:
    """Fetch what is missing or differs, of every download of the spec; the number of files written.

    Raises LocalIOFailed when a folder or file cannot be written, TransferFailed naming every blob whose name can be no
    file below its folder or that did not arrive as it is (the others are there then), ServiceRefused,
    ServiceUnreachable.
    """
    clock = clock or SystemClock()
    began = clock.now()
    fetch = _Fetch(services, report)
    for one in desired.downloads:
        await _list(fetch, desired.containers[one.container].name, one)
    if fetch.wanted:
        fetch.total_bytes = sum(one.blob.size for one in fetch.wanted)
        report(Started("download", len(fetch.wanted), fetch.total_bytes))
        await for_each(fetch.wanted, lambda one: _fetch(fetch, one), at_once=_AT_ONCE)
        places = ", ".join(dict.fromkeys(one.shown_as for one in desired.downloads))
        noun = "file" if fetch.written == 1 else "files"
        summary = f"{fetch.written} {noun} to {places}"
        report(Finished("download", summary, clock.now() - began, fetch.done_bytes))
    if fetch.refused:
        noun = "blob was" if len(fetch.refused) == 1 else "blobs were"
        raise TransferFailed(
            f"{len(fetch.refused)} {noun} not downloaded:\n" + "\n".join(f"  {line}" for line in fetch.refused),
            fix="rename such blobs (or what is in their place here), or leave them out with the download's `pattern`; "
            "the others are here",
        )
    return fetch.written


async def _list(fetch: _Fetch, container: str, download: DesiredDownload) -> None:
    _remove_leftovers(download.to)
    async for blob in fetch.services.blobs.list_blobs(container, download.prefix):
        if not selects(download, blob):
            continue
        try:
            path = fetch.places.place(download, container, blob.name)
        except ValueError as reason:
            fetch.refused.append(f"{container}: {blob.name!r}: {reason}")
            continue
        if not is_downloaded(path, blob):
            fetch.wanted.append(_Wanted(container, blob, download.to, path))


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed run of this machine left half-written."""
    for part in folder.glob(f"{PART_PREFIX}*{PART_SUFFIX}"):
        process = part.name.removeprefix(PART_PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            dead = process.isdigit() and not is_alive(int(process))
            if dead or time.time() - part.stat().st_mtime > _LEFT_AFTER_S:
                part.unlink()


async def _fetch(fetch: _Fetch, one: _Wanted) -> None:
    reason = "it changes all the time"
    for _ in range(_VERSIONS):
        try:
            reason = await _save(fetch, one)
            break
        except ServiceRefused as error:
            if error.status not in (404, 412):
                raise
        current = await _current(fetch, one)
        if current is None:
            reason = "it was deleted meanwhile"
            break
        one = _Wanted(one.container, current, one.folder, one.path)
    if reason:
        fetch.refused.append(f"{one.shown_as}: {reason}")
        return
    fetch.written += 1
    _tell(fetch, one.blob.name)


async def _current(fetch: _Fetch, one: _Wanted) -> BlobState | None:
    async for blob in fetch.services.blobs.list_blobs(one.container, one.blob.name):
        if blob.name == one.blob.name:
            return blob
    return None


async def _save(fetch: _Fetch, one: _Wanted) -> str:
    """Write one file; why not, or "" when it is there."""
    content = fetch.services.blobs.read_blob(one.container, one.blob.name, etag=one.blob.etag)
    try:
        # Before any folder is made: a link on the way could lead anywhere.
        if not inside(one.folder, one.path):
            return f"a symbolic link leads out of {one.folder}"
        one.path.parent.mkdir(parents=True, exist_ok=True)
        return await _write(fetch, content, one)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fix = "free some space there" if full else "make the folder writable or change the download's `to`"
        raise LocalIOFailed("write", one.path, error, fix=f"{fix}, then run `batchspec download`") from error


async def _write(fetch: _Fetch, content: AsyncIterator[bytes], one: _Wanted) -> str:
    part = one.folder / f"{PART_PREFIX}{os.getpid()}-{id(content):x}{PART_SUFFIX}"
    blob, received, digest = one.blob, 0, hashlib.md5(usedforsecurity=False)
    try:
        with part.open("wb") as file:
            async for piece in content:
                file.write(piece)
                digest.update(piece)
                received += len(piece)
                fetch.done_bytes += len(piece)
                _tell(fetch, "")
        if received != blob.size:
            return f"{received} of {blob.size} bytes arrived"
        if blob.content_md5 is not None and digest.digest() != blob.content_md5:
            return "what arrived does not have the blob's MD5"
        modified = blob.last_modified.timestamp()
        os.utime(part, (modified, modified))
        part.replace(one.path)
    finally:
        part.unlink(missing_ok=True)
    return ""


def _tell(fetch: _Fetch, item: str) -> None:
    fetch.report(Advanced("download", fetch.written, len(fetch.wanted), fetch.done_bytes, fetch.total_bytes, item))
