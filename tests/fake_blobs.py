"""A storage account in memory: the port `BlobStore`, with names no real server could hold (`../../x`, NUL).

Tests arrange state with `put` or by writing into `containers`.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from batchspec.errors import BatchspecError, LocalIOFailed, Locked, TransferFailed
from batchspec.reconcile.ports import BlobState, ContainerState
from tests.fake_calls import Calls, refused


@dataclass
class FakeBlob:
    """One blob."""

    content: bytes
    content_md5: bytes | None
    metadata: dict[str, str]
    last_modified: datetime
    etag: str


@dataclass
class FakeContainer:
    """One container; `lease` is who holds it."""

    metadata: dict[str, str]
    etag: str
    blobs: dict[str, FakeBlob] = field(default_factory=dict)
    lease: "FakeLease | None" = None


@dataclass
class FakeLease:
    """A lease; `lost` makes `check` raise."""

    blobs: "FakeBlobs"
    container: str
    holder: str
    lost: bool = False

    async def release(self) -> None:
        await self.blobs._enter("release", self.container, write=True)
        held = self.blobs.containers.get(self.container)
        if held is not None and held.lease is self:
            held.lease = None

    def check(self) -> None:
        if self.lost:
            raise Locked(f"the lock on container {self.container} was lost")


@dataclass
class FakeBlobs(Calls):
    """The account. `grants` are the (container, permissions) that `sas` works for, `closed` says why none may look.

    `key` is what a SAS is signed with.
    """

    closed: dict[str, BatchspecError] = field(default_factory=dict)
    containers: dict[str, FakeContainer] = field(default_factory=dict)
    grants: dict[tuple[str, str], timedelta] = field(default_factory=dict)
    longest_sas: timedelta | None = None
    key: str = "FAKE"
    url: str = "https://fake.blob.example"

    def put(
        self,
        container: str,
        name: str,
        content: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        with_md5: bool = True,
        last_modified: datetime | None = None,
    ) -> None:
        """Arrange a blob; the container is made if need be."""
        holder = self.containers.setdefault(container, FakeContainer({}, self._etag()))
        md5 = hashlib.md5(content, usedforsecurity=False).digest() if with_md5 else None
        holder.blobs[name] = FakeBlob(content, md5, dict(metadata or {}), last_modified or self.now(), self._etag())

    async def get_container(self, name: str) -> ContainerState | None:
        await self._enter("get_container", name, write=False)
        found = self.containers.get(name)
        return None if found is None else ContainerState(name, dict(found.metadata), found.etag)

    def unreadable(self, container: str) -> BatchspecError | None:
        return self.closed.get(container)

    async def list_containers(self) -> AsyncIterator[ContainerState]:
        await self._enter("list_containers", "", write=False)
        for name, found in sorted(self.containers.items()):
            yield ContainerState(name, dict(found.metadata), found.etag)

    async def create_container(self, name: str, metadata: Mapping[str, str]) -> bool:
        await self._enter("create_container", name, write=True)
        created = name not in self.containers
        if created:
            self.containers[name] = FakeContainer({key.lower(): value for key, value in metadata.items()}, self._etag())
        self._leave("create_container")
        return created

    async def delete_container(self, name: str) -> bool:
        await self._enter("delete_container", name, write=True)
        found = self.containers.get(name)
        if found is not None and found.lease is not None and found.lease.lost:
            raise Locked(f"container {name} is locked by {found.lease.holder}")
        self.containers.pop(name, None)
        self._leave("delete_container")
        return found is not None

    async def list_blobs(self, container: str, prefix: str = "") -> AsyncIterator[BlobState]:
        await self._enter("list_blobs", container, write=False)
        found = self.containers.get(container)
        for name, blob in sorted(found.blobs.items()) if found is not None else ():
            if name.startswith(prefix):
                size = len(blob.content)
                yield BlobState(name, size, blob.content_md5, blob.last_modified, blob.etag, dict(blob.metadata))

    async def upload(
        self,
        container: str,
        name: str,
        path: Path,
        *,
        md5: bytes,
        metadata: Mapping[str, str],
        replaces: str | None,
        on_bytes: Callable[[int], None],
    ) -> None:
        await self._enter("upload", f"{container}/{name}", write=True)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise LocalIOFailed("read", path, error) from error
        if hashlib.md5(content, usedforsecurity=False).digest() != md5:
            raise TransferFailed(f"{path} changed while it was uploaded")
        self._check_condition(container, name, replaces)
        self.containers[container].blobs[name] = FakeBlob(content, md5, dict(metadata), self.now(), self._etag())
        on_bytes(len(content))
        self._leave("upload")

    async def delete_blob(self, container: str, name: str, *, etag: str | None = None) -> bool:
        await self._enter("delete_blob", f"{container}/{name}", write=True)
        found = self.containers.get(container)
        blob = None if found is None else found.blobs.get(name)
        if blob is not None and etag not in (None, blob.etag):
            raise refused("delete blob", f"{container}/{name}", 412, "ConditionNotMet")
        there = found is not None and found.blobs.pop(name, None) is not None
        self._leave("delete_blob")
        return there

    async def read_blob(self, container: str, name: str, *, etag: str) -> AsyncIterator[bytes]:
        await self._enter("read_blob", f"{container}/{name}", write=False)
        found = self.containers.get(container)
        blob = None if found is None else found.blobs.get(name)
        if blob is None:
            code = "ContainerNotFound" if found is None else "BlobNotFound"
            raise refused("read blob", f"{container}/{name}", 404, code)
        if blob.etag != etag:
            raise refused("read blob", f"{container}/{name}", 412, "ConditionNotMet")
        for start in range(0, len(blob.content), 65536):
            yield blob.content[start : start + 65536]
        self._leave("read_blob")

    async def acquire(self, container: str, holder: str, is_gone: Callable[[str], bool]) -> FakeLease:
        await self._enter("acquire", container, write=True)
        found = self.containers.get(container)
        if found is None:
            raise refused("lock container", container, 404, "ContainerNotFound")
        if found.lease is not None and not is_gone(found.lease.holder):
            raise Locked(f"container {container} is locked by {found.lease.holder}")
        found.lease = FakeLease(self, container, holder)
        self._leave("acquire")
        return found.lease

    def container_url(self, container: str) -> str:
        return f"{self.url}/{container}"

    def blob_url(self, container: str, name: str) -> str:
        return f"{self.url}/{container}/{quote(name, safe='/')}"

    async def grant(self, container: str, permissions: str, *, lasting: timedelta, ours: bool) -> None:
        granted = self.grants.get((container, permissions))
        write = ours and (granted is None or granted < lasting)
        await self._enter("grant", f"{container}/{permissions}", write=write)
        if ours and container not in self.containers:
            raise refused("grant access to container", container, 404, "ContainerNotFound")
        self.grants[container, permissions] = max(lasting, granted or lasting)
        self._leave("grant")

    async def revoke(self, container: str) -> None:
        granted = [one for one in self.grants if one[0] == container]
        await self._enter("revoke", container, write=bool(granted))
        for one in granted:
            del self.grants[one]
        self._leave("revoke")

    def sas(self, container: str, permissions: str, *, blob: str | None = None) -> str:
        if (container, permissions) not in self.grants:
            raise LookupError(f"no grant of {permissions} on {container}")
        return f"sv=fake&sr={'c' if blob is None else 'b'}&si=batchspec-{permissions}&sig={self.key}"

    def _check_condition(self, container: str, name: str, replaces: str | None) -> None:
        if container not in self.containers:
            raise refused("upload blob", f"{container}/{name}", 404, "ContainerNotFound")
        there = self.containers[container].blobs.get(name)
        if replaces is None and there is not None:
            raise refused("upload blob", f"{container}/{name}", 409, "BlobAlreadyExists")
        if replaces is not None and (there is None or there.etag != replaces):
            raise refused("upload blob", f"{container}/{name}", 412, "ConditionNotMet")
