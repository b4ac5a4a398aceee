"""`BlobStore` over the official SDK: the adapter to Blob Storage, real or Azurite.

Place in the pipeline: `clients` makes it, `reconcile` uses it through its port. ETags come out quoted, as headers carry
them, wherever the service left the quotes off. Directory markers of hierarchical accounts (`hdi_isfolder`) are not
blobs here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from azure.core import MatchConditions
from azure.storage.blob.aio import BlobClient, BlobServiceClient, ContainerClient

from batchspec.cloud import lease
from batchspec.cloud.others import OtherContainer
from batchspec.cloud.retry import Sleep, Tries
from batchspec.cloud.sas import Sas
from batchspec.cloud.target import StorageAccount
from batchspec.cloud.upload import PIECE_BYTES, Upload, send
from batchspec.errors import BatchspecError, ServiceRefused, TransferFailed
from batchspec.reconcile.ports import BlobState, ContainerState

_PIECES_IN_FLIGHT = 8
_DYING_FOR_S = 120.0
_ASK_EVERY_S = 2.0
_GONE = ("ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled", "ResourceNotFound")
_NOT_SATISFIABLE = 416


class AzureBlobs:
    """One storage account's blobs, and containers of `others` by the names they go by."""

    def __init__(
        self,
        service: BlobServiceClient,
        account: StorageAccount,
        sas: Sas,
        *,
        others: Mapping[str, tuple[OtherContainer, ContainerClient]] | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._service = service
        self._others = others or {}
        self._account = account
        self._sas = sas
        self._sleep = sleep
        self._leases: dict[str, lease.ContainerLease] = {}
        self._pieces = asyncio.Semaphore(_PIECES_IN_FLIGHT)

    # containers

    async def get_container(self, name: str) -> ContainerState | None:
        """Get Container Properties; of a container of another account see `others`."""
        if name in self._others:
            return await self._other_state(name)
        client = self._service.get_container_client(name)
        try:
            found = await self._tries("look at container", name).run(client.get_container_properties)
        except ServiceRefused as refused:
            if _is_gone(refused):
                return None
            raise
        return _container_state(name, found)

    def unreadable(self, container: str) -> BatchspecError | None:
        """See `others`; None for one of the account itself."""
        other = self._others.get(container)
        return other[0].unreadable if other is not None else None

    async def list_containers(self) -> AsyncIterator[ContainerState]:
        """List Containers, with metadata."""
        async for found in self._listed(
            self._tries("list containers", ""), lambda: self._service.list_containers(include_metadata=True)
        ):
            if not found.deleted:
                yield _container_state(found.name, found)

    async def create_container(self, name: str, metadata: Mapping[str, str]) -> bool:
        """Create Container; waits for one of that name that is still being deleted (on Azure 30 s and more)."""
        client, waited = self._service.get_container_client(name), 0.0
        while True:
            tries = self._tries("create container", name)
            try:
                await tries.run(lambda: client.create_container(metadata=dict(metadata)))
                return True
            except ServiceRefused as refused:
                if refused.code == "ContainerAlreadyExists":
                    return tries.repeated and await self._is_just_made(name, metadata)
                if refused.code != "ContainerBeingDeleted" or waited >= _DYING_FOR_S:
                    raise
            await self._sleep(_ASK_EVERY_S)
            waited += _ASK_EVERY_S

    async def delete_container(self, name: str) -> bool:
        """Delete Container, with our lease if we hold one. Raises Locked when somebody else does."""
        client, tries = self._service.get_container_client(name), self._tries("delete container", name)
        held = self._leases.get(name)
        options: dict[str, Any] = {"lease": held.id} if held is not None and held.id else {}
        try:
            await tries.run(lambda: client.delete_container(**options))
        except ServiceRefused as refused:
            if refused.code.startswith("LeaseId"):
                raise await lease.locked(client, self._tries) from refused
            if not _is_gone(refused):
                raise
            return tries.repeated or refused.code == "ContainerBeingDeleted"
        return True

    async def acquire(self, container: str, holder: str, is_gone: Callable[[str], bool]) -> lease.ContainerLease:
        """Lease Container for 60 s, renewed until it is released."""
        client = self._service.get_container_client(container)
        held = await lease.acquire(client, holder, self._tries, is_gone=is_gone)
        self._leases[container] = held
        return held

    async def close(self) -> None:
        """Give back every lease that is still held."""
        for held in self._leases.values():
            await held.release()

    # blobs

    async def list_blobs(self, container: str, prefix: str = "") -> AsyncIterator[BlobState]:
        """List Blobs, with metadata."""
        client = self._container(container)
        listing = self._listed(
            self._tries("list blobs of container", container),
            lambda: client.list_blobs(name_starts_with=prefix or None, include=["metadata"]),
        )
        try:
            async for found in listing:
                state = _blob_state(found)
                if state.metadata.get("hdi_isfolder") != "true":
                    yield state
        except ServiceRefused as refused:
            if not _is_gone(refused):
                raise

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
        """Put Blob, or Put Block and Put Block List; see `upload`."""
        shown_as, expected = f"{container}/{name}", None if replaces is None else _quoted(replaces)
        blob = self._blob(container, name)
        await send(Upload(blob, shown_as, path, md5, metadata, expected, on_bytes, self._tries, self._pieces))

    async def delete_blob(self, container: str, name: str, *, etag: str | None = None) -> bool:
        """Delete Blob, its snapshots too, under If-Match where a version is named."""
        only: dict[str, Any] = {}
        if etag is not None:
            only = {"etag": _quoted(etag), "match_condition": MatchConditions.IfNotModified}
        tries, blob = self._tries("delete blob", f"{container}/{name}"), self._blob(container, name)
        try:
            await tries.run(lambda: blob.delete_blob(delete_snapshots="include", **only))
        except ServiceRefused as refused:
            if refused.status == 404:
                return tries.repeated
            raise
        return True

    async def read_blob(self, container: str, name: str, *, etag: str) -> AsyncIterator[bytes]:
        """Get Blob, a range at a time, each under If-Match and retried by itself."""
        blob, shown_as, start = self._blob(container, name), f"{container}/{name}", 0
        while True:
            tries = self._tries("read blob", shown_as)
            try:
                piece = await tries.run(lambda offset=start: _piece(blob, offset, _quoted(etag)))  # type: ignore[misc]
            except ServiceRefused as refused:
                if refused.status == _NOT_SATISFIABLE:
                    return
                raise
            yield piece
            start += len(piece)
            if len(piece) < PIECE_BYTES:
                return

    # addresses and access

    def container_url(self, container: str) -> str:
        """The URL without SAS."""
        other = self._others.get(container)
        return other[0].url if other is not None else f"{self._account.endpoint}/{container}"

    def blob_url(self, container: str, name: str) -> str:
        """The URL without SAS; only letters, digits, `-._~` and `/` stand for themselves."""
        return f"{self.container_url(container)}/{quote(name, safe='/~')}"

    async def grant(self, container: str, permissions: str, *, lasting: timedelta, ours: bool) -> None:
        """See `sas`; of a container of another account only whether its SAS allows this."""
        if container in self._others:
            self._others[container][0].refuse_unreadable()
            self._others[container][0].check(permissions)
        else:
            await self._sas.grant(container, permissions, lasting=lasting, ours=ours)

    async def revoke(self, container: str) -> None:
        """See `sas`."""
        await self._sas.revoke(container)

    def sas(self, container: str, permissions: str, *, blob: str | None = None) -> str:
        """See `sas`; of a container of another account the one that was given, which covers its blobs too."""
        if container in self._others:
            return self._others[container][0].sas
        return self._sas.sas(container, permissions, blob=blob)

    @property
    def longest_sas(self) -> timedelta | None:
        """7 days with Entra, None with a key."""
        return self._sas.longest

    # inside

    def _blob(self, container: str, name: str) -> BlobClient:
        # HTTP clients resolve such segments, and the service turns a backslash into a slash: either way the request
        # would be for another blob.
        if "\\" in name or any(segment in (".", "..") for segment in name.split("/")):
            raise TransferFailed(
                f"blob {container}/{name!r} cannot be requested: its name has a backslash, or a part '.' or '..'",
                fix="rename it",
            )
        return self._container(container).get_blob_client(name)

    def _container(self, name: str) -> ContainerClient:
        """The client of a container. Raises UsageError for one of another account whose SAS is not there."""
        if name not in self._others:
            return self._service.get_container_client(name)
        other, client = self._others[name]
        other.refuse_unreadable()
        return client

    async def _other_state(self, name: str) -> ContainerState | None:
        other, client = self._others[name]
        if other.may_list:
            tries = self._tries("list blobs of container", name)
            try:
                await tries.run(lambda: _page(lambda: client.list_blobs(results_per_page=1), None))
            except ServiceRefused as refused:
                if _is_gone(refused):
                    return None
                raise
        return ContainerState(name, {}, "")

    def _tries(self, operation: str, resource: str) -> Tries:
        return Tries(operation, resource, where=self._account.endpoint, sleep=self._sleep)

    async def _listed(self, tries: Tries, listing: Callable[[], Any]) -> AsyncIterator[Any]:
        token: str | None = None
        while True:
            items, token = await tries.run(lambda after=token: _page(listing, after))  # type: ignore[misc]
            for item in items:
                yield item
            if not token:
                return

    async def _is_just_made(self, name: str, metadata: Mapping[str, str]) -> bool:
        there = await self.get_container(name)
        return there is not None and there.metadata == {key.lower(): value for key, value in metadata.items()}


async def _page(listing: Callable[[], Any], after: str | None) -> tuple[list[Any], str | None]:
    pages = listing().by_page(after)
    items = [item async for item in await anext(pages)]
    return items, pages.continuation_token


async def _piece(blob: BlobClient, offset: int, etag: str) -> bytes:
    stream = await blob.download_blob(
        offset, PIECE_BYTES, etag=etag, match_condition=MatchConditions.IfNotModified, max_concurrency=1
    )
    return bytes(await stream.readall())


def _container_state(name: str, found: Any) -> ContainerState:
    metadata = {key.lower(): value for key, value in (found.metadata or {}).items() if key.lower() not in lease.MARKS}
    return ContainerState(name, metadata, _quoted(found.etag))


def _blob_state(found: Any) -> BlobState:
    content_md5 = found.content_settings.content_md5
    modified: datetime = found.last_modified
    return BlobState(
        name=found.name,
        size=found.size,
        content_md5=bytes(content_md5) if content_md5 else None,
        last_modified=modified if modified.tzinfo else modified.replace(tzinfo=UTC),
        etag=_quoted(found.etag),
        metadata={key.lower(): value for key, value in (found.metadata or {}).items()},
    )


def _quoted(etag: str) -> str:
    return etag if etag.startswith('"') else f'"{etag}"'


def _is_gone(refused: ServiceRefused) -> bool:
    return refused.code in _GONE
