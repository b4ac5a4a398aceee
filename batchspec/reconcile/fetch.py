"""Output blobs become local files: the download step.

Place in the pipeline: the last step of `apply`, and the `download` command. In: what the containers hold. Out: files
below each download's folder, each written to a temporary file there and moved into place, so that none is ever half
there; a finished file takes the blob's Last-Modified as its time. What is there already (same size and MD5, or time) is
left alone, so it can be interrupted and run again. A blob's name never leads out of the folder: names that could, or
that can be no file, are told at the end, after everything else was fetched.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from batchspec.errors import LocalIOFailed, TransferFailed
from batchspec.reconcile.clock import Clock, SystemClock
from batchspec.reconcile.concurrency import for_each
from batchspec.reconcile.local_names import inside, path_below
from batchspec.reconcile.plan_blobs import is_downloaded, selects
from batchspec.reconcile.ports import BlobState, Services
from batchspec.reconcile.report import Advanced, Finished, Reporter, Started
from batchspec.render.model import Desired, DesiredDownload

_AT_ONCE = 8
_PART_PREFIX = ".batchspec-"


@dataclass(slots=True)
class _Fetch:
    """One run of the step: what is to be fetched, what cannot be, and how far it is."""

    services: Services
    report: Reporter
    wanted: list[tuple[str, BlobState, Path, Path]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    written: int = 0
    total_bytes: int = 0
    done_bytes: int = 0


async def download(desired: Desired, services: Services, *, report: Reporter, clock: Clock | None = None) -> int:
    """Fetch what is missing or differs, of every download of the spec; the number of files written.

    Raises LocalIOFailed when a folder or file cannot be written, TransferFailed naming every blob whose name can be no
    file below its folder (the others are there then), ServiceRefused, ServiceUnreachable.
    """
    clock = clock or SystemClock()
    began = clock.now()
    fetch = _Fetch(services, report)
    for one in desired.downloads:
        await _list(fetch, desired.containers[one.container].name, one)
    if fetch.wanted:
        fetch.total_bytes = sum(blob.size for _, blob, _, _ in fetch.wanted)
        report(Started("download", len(fetch.wanted), fetch.total_bytes))
        await for_each(fetch.wanted, lambda item: _fetch(fetch, *item), at_once=_AT_ONCE)
        places = ", ".join(dict.fromkeys(one.shown_as for one in desired.downloads))
        noun = "file" if fetch.written == 1 else "files"
        summary = f"{fetch.written} {noun} to {places}"
        report(Finished("download", summary, clock.now() - began, fetch.done_bytes))
    if fetch.refused:
        raise TransferFailed(
            f"{len(fetch.refused)} blobs were not downloaded:\n" + "\n".join(f"  {line}" for line in fetch.refused),
            fix="rename these blobs, or leave them out with the download's `pattern`",
        )
    return fetch.written


async def _list(fetch: _Fetch, container: str, download: DesiredDownload) -> None:
    _remove_leftovers(download.to)
    taken: dict[str, str] = {}
    async for blob in fetch.services.blobs.list_blobs(container, download.prefix):
        if not selects(download, blob.name) or _is_folder_marker(blob):
            continue
        try:
            path = path_below(download.to, blob.name)
            _refuse_collision(taken, path, blob.name)
        except ValueError as reason:
            fetch.refused.append(f"{container}: {blob.name!r}: {reason}")
            continue
        if not is_downloaded(path, blob):
            fetch.wanted.append((container, blob, download.to, path))


def _is_folder_marker(blob: BlobState) -> bool:
    """Storage browsers make empty blobs that end in a slash to show empty folders."""
    return blob.size == 0 and blob.name.endswith("/") and blob.name.strip("/") != ""


def _refuse_collision(taken: dict[str, str], path: Path, name: str) -> None:
    """Two blobs whose names are one file where names ignore case must not overwrite each other there."""
    if os.path.normcase("A") == "A":
        return
    other = taken.setdefault(os.path.normcase(path), name)
    if other != name:
        raise ValueError(f"it is the same file as {other!r} here")


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed run of this machine left half-written."""
    for part in folder.glob(f"{_PART_PREFIX}*.part"):
        process = part.name.removeprefix(_PART_PREFIX).split("-")[0]
        if process.isdigit() and not _is_alive(int(process)):
            with contextlib.suppress(OSError):
                part.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


async def _fetch(fetch: _Fetch, container: str, blob: BlobState, folder: Path, path: Path) -> None:
    content = fetch.services.blobs.read_blob(container, blob.name, etag=blob.etag)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not inside(folder, path):
            fetch.refused.append(f"{container}: {blob.name!r}: a symbolic link leads out of {folder}")
            return
        await _write(fetch, content, blob, folder, path)
    except OSError as error:
        raise LocalIOFailed(
            "write", path, error, fix="make the folder writable or change the download's `to`"
        ) from error
    fetch.written += 1
    _tell(fetch, blob.name)


async def _write(fetch: _Fetch, content: AsyncIterator[bytes], blob: BlobState, folder: Path, path: Path) -> None:
    part = folder / f"{_PART_PREFIX}{os.getpid()}-{id(content):x}.part"
    try:
        with part.open("wb") as file:
            async for piece in content:
                file.write(piece)
                fetch.done_bytes += len(piece)
                _tell(fetch, "")
        modified = blob.last_modified.timestamp()
        os.utime(part, (modified, modified))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _tell(fetch: _Fetch, item: str) -> None:
    fetch.report(Advanced("download", fetch.written, len(fetch.wanted), fetch.done_bytes, fetch.total_bytes, item))
