"""Operations on the files of tasks and nodes.

Place: named by the route table. In: a `Call` and a folder on this machine. Out: listings, properties, bytes. No path
leaves the folder it belongs to: not by `..`, not by an absolute name, not by a link a task made.
"""

import asyncio
import mimetypes
import os
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from batchspec.engine.call import Call, Reply
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.folders import task_folder
from batchspec.engine.lists import FILE_FIELDS, page_of_items
from batchspec.engine.pool_api import find_pool
from batchspec.engine.task_api import find_task
from batchspec.engine.times import http_date, text_from_ticks

_CHUNK_BYTES = 1 << 20
_UNIX_EPOCH_TICKS = 621_355_968_000_000_000


@dataclass(frozen=True, slots=True)
class Folder:
    """Where files are served from: the folder, the node's root no link may leave, and the URL of the folder."""

    path: Path
    root: Path
    url: str


class FileApi:
    """File operations; `scope` is the kind of folder the routes name, a task's or a node's."""

    def __init__(self, core: Core, scope: str) -> None:
        self._core = core
        self._folder = self._task_folder if scope == "task" else self._node_folder

    async def list(self, call: Call) -> Reply:
        folder = self._folder(call)
        names = _names(folder.path, recursive=call.flag("recursive"))
        items = (item for name in names if (item := _item(folder, name)) is not None)
        return page_of_items(call, items, FILE_FIELDS, key="name", fragment="files")

    async def properties(self, call: Call) -> Response:
        folder = self._folder(call)
        name, path = _inside(folder, call.path["path"])
        status = _status(path)
        _check_time(call, status)
        return Response(headers=_headers(folder, name, status))

    async def read(self, call: Call) -> Response:
        folder = self._folder(call)
        name, path = _inside(folder, call.path["path"])
        status = _status(path)
        if not stat.S_ISREG(status.st_mode):
            raise BatchError("FileNotFound")
        _check_time(call, status)
        first, size = _range(call.headers.get("ocp-range"), status.st_size)
        headers = {**_headers(folder, name, status), "Content-Length": str(size)}
        if size <= _CHUNK_BYTES:
            return Response(_part(path, first, size), headers=headers)
        return StreamingResponse(_parts(path, first, size), headers=headers)

    async def delete(self, call: Call) -> Reply:
        folder = self._folder(call)
        _, path = _inside(folder, call.path["path"], follow=False)
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=False)
        elif call.flag("recursive"):
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
        else:
            _remove_empty(path)
        return Reply()

    def _task_folder(self, call: Call) -> Folder:
        job, task = find_task(self._core, call)
        if task["node"] is None:
            raise BatchError("TaskFilesUnavailable")
        root = self._core.nodes_dir / task["node"]
        path = task_folder(root, job["id"], task["id"])
        if not path.is_dir():
            raise BatchError("TaskFilesCleanedup" if task["cleaned"] else "TaskFilesUnavailable")
        return Folder(path, root, f"{self._core.base_url}/jobs/{job['id']}/tasks/{task['id']}/files")

    def _node_folder(self, call: Call) -> Folder:
        pool = find_pool(self._core, call.path["pool"])
        sql = "SELECT id FROM nodes WHERE pool = ? AND id = ?"
        node = self._core.store.find(sql, pool["pk"], call.path["node"])
        if node is None:
            raise BatchError("NodeNotFound")
        root = self._core.nodes_dir / pool["id"] / node["id"]
        return Folder(root, root, f"{self._core.base_url}/pools/{pool['id']}/nodes/{node['id']}/files")


def _names(folder: Path, *, recursive: bool) -> list[str]:
    """The relative names of everything in a folder, sorted; links are listed, never followed."""
    if not recursive:
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return sorted(_walked(folder))


def _walked(folder: Path) -> Iterator[str]:
    for path, folders, files in os.walk(folder):
        prefix = os.path.relpath(path, folder)
        for name in (*folders, *files):
            yield name if prefix == "." else f"{prefix}/{name}"


def _item(folder: Folder, name: str) -> dict[str, Any] | None:
    """A line of a listing; None when the file has gone meanwhile or leads out of the node."""
    path = folder.path / name
    try:
        status = path.lstat() if not _stays(path, folder.root) else path.stat()
    except OSError:
        return None
    shown = os.fsencode(name).decode("utf-8", "replace")
    item: dict[str, Any] = {"name": shown, "url": f"{folder.url}/{quote(shown)}"}
    item["isDirectory"] = stat.S_ISDIR(status.st_mode)
    if not item["isDirectory"]:
        item["properties"] = {
            "creationTime": text_from_ticks(_ticks(status.st_ctime_ns)),
            "lastModified": text_from_ticks(_ticks(status.st_mtime_ns)),
            "contentLength": str(status.st_size),
            "contentType": _content_type(shown),
            "fileMode": f"0o{status.st_mode:o}",
        }
    return item


def _stays(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return False


def _inside(folder: Folder, name: str, *, follow: bool = True) -> tuple[str, Path]:
    """The file a name means. Raises BatchError FileNotFound, also for what lies outside."""
    parts = name.strip("/").split("/")
    path = folder.path.joinpath(*parts)
    if "\0" in name or ".." in parts or not path.is_relative_to(folder.path) or path == folder.path:
        raise BatchError("FileNotFound")
    real = path if follow else path.parent
    try:
        path.lstat()
    except OSError as error:
        raise BatchError("FileNotFound") from error
    if not _stays(real, folder.root):
        raise BatchError("FileNotFound")
    return "/".join(parts), path


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise BatchError("FileNotFound") from error


def _check_time(call: Call, status: os.stat_result) -> None:
    call.check_conditions(_ticks(status.st_mtime_ns))


def _headers(folder: Folder, name: str, status: os.stat_result) -> dict[str, str]:
    is_directory = stat.S_ISDIR(status.st_mode)
    return {
        "ocp-creation-time": http_date(_ticks(status.st_ctime_ns)),
        "Last-Modified": http_date(_ticks(status.st_mtime_ns)),
        "ocp-batch-file-isdirectory": str(is_directory),
        "ocp-batch-file-url": quote(f"{folder.url}/{name}", safe=""),
        "ocp-batch-file-mode": f"0o{status.st_mode:o}",
        "Content-Type": _content_type(name),
        "Content-Length": "0" if is_directory else str(status.st_size),
    }


def _range(text: str | None, size: int) -> tuple[int, int]:
    """First byte and number of bytes of an `ocp-range`; the answer is a 200 all the same."""
    if text is None:
        return 0, size
    first_text, _, last_text = text.strip().removeprefix("bytes=").partition("-")
    try:
        first = int(first_text) if first_text else max(size - int(last_text), 0)
        last = int(last_text) if last_text and first_text else size - 1
    except ValueError as error:
        raise BatchError("InvalidHeaderValue", HeaderName="ocp-range", HeaderValue=text) from error
    if size == 0 and first == 0 and not last_text:
        return 0, 0  # all of an empty file
    if first >= size > 0 or last < first:
        raise BatchError("InvalidRange")
    return first, max(min(last, size - 1) - first + 1, 0)


def _part(path: Path, first: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(first)
            return file.read(size)
    except OSError as error:
        raise BatchError("FileNotFound") from error


async def _parts(path: Path, first: int, size: int) -> AsyncIterator[bytes]:
    sent = 0
    while sent < size:
        part = await asyncio.to_thread(_part, path, first + sent, min(_CHUNK_BYTES, size - sent))
        if not part:
            return
        sent += len(part)
        yield part


def _remove_empty(path: Path) -> None:
    try:
        path.rmdir()
    except OSError as error:
        reason = "The directory is not empty; delete it with recursive=true."
        raise BatchError("OperationInvalidForCurrentState", Reason=reason) from error


def _content_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _ticks(nanoseconds: int) -> int:
    return _UNIX_EPOCH_TICKS + nanoseconds // 100
