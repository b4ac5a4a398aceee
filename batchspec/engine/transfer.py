"""Files in and out of a task: resource files before it runs, output files after.

Place: `node.py` calls it; it calls `storage.py` for the bytes and `wildcards.py` for the names. In: REST
`ResourceFile` and `OutputFile` objects, a task's folders. Out: files in the working directory, blobs in containers,
`fileuploadout.txt` and `fileuploaderr.txt`; or a `TransferFailed` in the words of the service. It never writes
outside the working directory and never shows a SAS.
"""

import asyncio
import contextlib
import itertools
import mimetypes
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from batchspec.engine.storage import HttpFailed, Storage, StorageAccount, blob_url, masked
from batchspec.engine.transfer_failure import TransferFailed as TransferFailed
from batchspec.engine.transfer_failure import download_code, listing_code, local_failure, upload_code
from batchspec.engine.wildcards import Pattern, matches, parsed

_Item = TypeVar("_Item")

_WORKERS = 4
_DEFAULT_MODE = 0o770
_TYPES = mimetypes.MimeTypes()  # the built-in table: the same on every machine


@dataclass(frozen=True, slots=True)
class _Incoming:
    url: str
    path: str
    mode: int
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class _Outgoing:
    file: Path
    blob: str
    container_url: str
    headers: Mapping[str, str]


class Transfer:
    """Carries files of tasks; make and close it in one event loop.

    `auto_storage` is the account of `autoStorageContainerName` and of identity references; without it these fail.
    """

    def __init__(self, auto_storage: StorageAccount | None = None) -> None:
        self._auto_storage = auto_storage
        self._opened: Storage | None = None
        self._part_names = (f".{os.getpid()}-{number}.part" for number in itertools.count())

    async def close(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.close()

    async def fetch(self, resource_files: Sequence[dict[str, Any]], *, into: Path) -> None:
        """Bring REST ResourceFile objects into a working directory. Raises TransferFailed for the first that fails."""

        async def place(item: _Incoming) -> None:
            await self._place(item, into)

        async with contextlib.aclosing(self._incoming(resource_files)) as incoming:
            await _each(incoming, place)

    async def send(
        self,
        output_files: Sequence[dict[str, Any]],
        *,
        wd: Path,
        env: Mapping[str, str],
        succeeded: bool,
        log_dir: Path,
    ) -> None:
        """Upload the REST OutputFile objects whose condition holds; log that in `log_dir`.

        All are tried before TransferFailed is raised for the first that failed. A wildcard that matches nothing is
        no error; a missing file named without wildcards is one.
        """
        due = [output for output in output_files if _is_due(output, succeeded)]
        if not due:
            return
        log = _Log()
        try:
            for output in due:
                with log.noting():
                    outgoing = await self._outgoing(output, wd=wd, env=env)
                    log.out.append(f"{output.get('filePattern')}: {len(outgoing)} file(s)")
                    await _each(_as_stream(outgoing), lambda item: self._upload(item, log))
        finally:
            log.write(log_dir)
        if log.failures:
            raise log.failures[0]

    @property
    def _storage(self) -> Storage:
        if self._opened is None:
            self._opened = Storage()
        return self._opened

    async def _incoming(self, resource_files: Sequence[dict[str, Any]]) -> AsyncGenerator[_Incoming, None]:
        for resource in resource_files:
            mode = _mode(resource)
            path = str(resource.get("filePath") or "")
            if resource.get("httpUrl"):
                yield _Incoming(self._permitted(str(resource["httpUrl"]), resource), path, mode)
                continue
            container = self._container(resource)
            async with contextlib.aclosing(self._listed(container, resource)) as blobs:
                async for name, is_folder in blobs:
                    below = f"{path.rstrip('/')}/{name}" if path else name
                    yield _Incoming(blob_url(container, name), below, mode, is_folder)

    async def _listed(self, container: str, resource: Mapping[str, Any]) -> AsyncGenerator[tuple[str, bool], None]:
        try:
            async with contextlib.aclosing(
                self._storage.blobs(container, str(resource.get("blobPrefix") or ""))
            ) as blobs:
                async for blob in blobs:
                    yield blob.name, blob.is_folder
        except HttpFailed as error:
            details = (("StorageContainerUrl", masked(container)), ("Message", str(error)))
            raise TransferFailed(listing_code(error), details) from error

    def _container(self, resource: Mapping[str, Any]) -> str:
        if resource.get("storageContainerUrl"):
            return self._permitted(str(resource["storageContainerUrl"]), resource)
        name = resource.get("autoStorageContainerName")
        if not name:
            message = "one of httpUrl, storageContainerUrl and autoStorageContainerName is needed"
            raise TransferFailed("BlobDownloadMiscError", (("Message", message),), category="usererror")
        if self._auto_storage is None:
            message = "the account has no auto-storage account"
            details = (("AutoStorageContainerName", str(name)), ("Message", message))
            raise TransferFailed("ResourceContainerAccessDenied", details)
        return self._auto_storage.signed(f"{self._auto_storage.endpoint}/{name}")

    def _permitted(self, url: str, reference: Mapping[str, Any]) -> str:
        """The URL, with the permission that a node's managed identity has on the engine's own storage."""
        account = self._auto_storage
        if account is None or not reference.get("identityReference") or not url.startswith(f"{account.endpoint}/"):
            return url
        return account.signed(url)

    async def _place(self, item: _Incoming, into: Path) -> None:
        details = (("FilePath", item.path), ("HttpUrl", masked(item.url)))
        target = _target(item.path, into, details)
        folder = target if item.is_folder else target.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise local_failure("ResourceDirectoryCreateFailed", error, details) from error
        if item.is_folder:
            return
        part = target.parent / next(self._part_names)
        try:
            await self._download(item, part, details)
            try:
                part.chmod(item.mode)
                part.replace(target)
            except OSError as error:
                raise local_failure("ResourceFileCreateFailed", error, details) from error
        finally:
            part.unlink(missing_ok=True)

    async def _download(self, item: _Incoming, part: Path, details: Sequence[tuple[str, str]]) -> None:
        try:
            await self._storage.download(item.url, part)
        except HttpFailed as error:
            raise TransferFailed(download_code(error), (*details, ("Message", str(error)))) from error
        except OSError as error:
            raise local_failure("ResourceFileWriteFailed", error, details) from error

    async def _outgoing(self, output: Mapping[str, Any], *, wd: Path, env: Mapping[str, str]) -> list[_Outgoing]:
        written = str(output.get("filePattern") or "")
        container = (output.get("destination") or {}).get("container") or {}
        try:
            pattern = parsed(written, wd=wd, env=env)
            _confine(pattern, wd, env)
        except ValueError as error:
            details = (("FilePattern", written), ("Message", str(error)))
            raise TransferFailed("FileUploadMiscError", details, category="usererror") from error
        url = self._permitted(str(container.get("containerUrl") or ""), container)
        headers = {str(each["name"]): str(each.get("value", "")) for each in container.get("uploadHeaders") or ()}
        path = str(container.get("path") or "")
        if pattern.is_literal:
            file = pattern.literal()
            return [_Outgoing(file, path or file.name, url, headers)]
        prefix = f"{path.rstrip('/')}/" if path else ""
        found = await asyncio.to_thread(matches, pattern)
        return [_Outgoing(each.path, prefix + each.relative, url, headers) for each in found]

    async def _upload(self, item: _Outgoing, log: "_Log") -> None:
        blob = f"{masked(item.container_url)}/{item.blob}"
        details = (("FilePath", str(item.file)), ("BlobUrl", blob))
        with log.noting():
            try:
                if not item.file.is_file():
                    reason = "is not a regular file" if item.file.exists() else "does not exist"
                    message = f"the output file {item.file.name} {reason}"
                    raise TransferFailed("FileUploadMiscError", (*details, ("Message", message)), category="usererror")
                url = blob_url(item.container_url, item.blob)
                size = await self._storage.upload(item.file, url, _upload_headers(item))
            except HttpFailed as error:
                raise TransferFailed(upload_code(error), (*details, ("Message", str(error)))) from error
            except (OSError, ValueError) as error:  # such as a name that is not valid UTF-8
                message = getattr(error, "strerror", None) or "the blob's address is not valid"
                raise TransferFailed("FileUploadMiscError", (*details, ("Message", message))) from error
            log.out.append(f"{item.file} -> {blob} ({size} bytes)")


class _Log:
    """What `fileuploadout.txt` and `fileuploaderr.txt` will say."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.failures: list[TransferFailed] = []

    @contextlib.contextmanager
    def noting(self) -> Iterator[None]:
        try:
            yield
        except TransferFailed as failure:
            self.failures.append(failure)

    def write(self, folder: Path) -> None:
        """Write both files, as far as the disk lets us: what is to be reported is the upload."""
        errors = [
            "\n".join([str(failure), *(f"    {name}: {value}" for name, value in failure.details)])
            for failure in self.failures
        ]
        for name, lines in (("fileuploadout.txt", self.out), ("fileuploaderr.txt", errors)):
            with contextlib.suppress(OSError):
                (folder / name).write_text("".join(f"{line}\n" for line in lines), "utf-8", "backslashreplace")


async def _each(items: AsyncIterator[_Item], work: Callable[[_Item], Awaitable[None]]) -> None:
    """Work on a stream of items, a few at a time; the first failure ends all and is raised."""
    turn = asyncio.Lock()

    async def worker() -> None:
        while True:
            async with turn:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_WORKERS):
                group.create_task(worker())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures.exceptions[0].__cause__


async def _as_stream(items: Sequence[_Item]) -> AsyncIterator[_Item]:
    for item in items:
        yield item


def _is_due(output: Mapping[str, Any], succeeded: bool) -> bool:
    condition = str((output.get("uploadOptions") or {}).get("uploadCondition") or "taskcompletion").lower()
    return condition == "taskcompletion" or condition == ("tasksuccess" if succeeded else "taskfailure")


def _mode(resource: Mapping[str, Any]) -> int:
    try:
        return int(str(resource.get("fileMode") or oct(_DEFAULT_MODE)), 8) & 0o7777
    except ValueError as error:
        details = (("FilePath", str(resource.get("filePath"))), ("Message", "fileMode is not an octal number"))
        raise TransferFailed("ResourceFileCreateFailed", details, category="usererror") from error


def _target(path: str, into: Path, details: Sequence[tuple[str, str]]) -> Path:
    """Where a resource file goes, which is always in the working directory, through symbolic links too."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    target = into.joinpath(*names) if names and "\0" not in path else into
    is_inside = not path.startswith("/") and ".." not in names and target != into
    if not is_inside or not target.parent.resolve().is_relative_to(into.resolve()):
        message = "the path is not one inside the working directory"
        raise TransferFailed("ResourceFileCreateFailed", (*details, ("Message", message)), category="usererror")
    return target


def _confine(pattern: Pattern, wd: Path, env: Mapping[str, str]) -> None:
    """A pattern stays in the node's folders, and in the folder for temporary files, which tasks share."""
    roots = [os.path.normpath(wd.parent), env.get("AZ_BATCH_NODE_ROOT_DIR"), tempfile.gettempdir()]
    if not any(root and pattern.base.is_relative_to(root) for root in roots):
        raise ValueError("the pattern leaves the node's folders")


def _upload_headers(item: _Outgoing) -> dict[str, str]:
    guessed = _TYPES.guess_type(item.blob)[0] or "application/octet-stream"
    given = {name.lower(): value for name, value in item.headers.items()}
    return {"x-ms-blob-content-type": given.pop("content-type", guessed), **given}
