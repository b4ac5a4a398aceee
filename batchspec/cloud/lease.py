"""One client at a time: a 60 s lease on a container, renewed, with the holder's name beside it.

Place in the pipeline: `blobs.acquire` makes a `ContainerLease`, `apply` holds it while it writes. The holder stands in
the container's metadata (`batchspec_holder`, percent-encoded since headers are ASCII), so that the second client can
say who holds it. A client that dies stops renewing, and the lease ends within 60 s.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote, unquote

from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from batchspec.cloud.retry import Tries
from batchspec.errors import BatchspecError, Locked, ServiceRefused, ServiceUnreachable

HOLDER_KEY = "batchspec_holder"
LEASE_S = 60
_RENEW_EVERY_S = 20.0
_LONGEST_HOLDER = 400

MakeTries = Callable[[str, str], Tries]


class ContainerLease:
    """A lease that is being renewed."""

    def __init__(self, client: ContainerClient, lease: BlobLeaseClient, tries: MakeTries, every_s: float) -> None:
        self._client = client
        self._lease = lease
        self._tries = tries
        self._renewed = time.monotonic()
        self._lost = ""
        self._released = False
        self._every_s = every_s
        self._renewing = asyncio.create_task(self._renew_for_ever())

    @property
    def id(self) -> str | None:
        """The lease's id while it is ours, for the requests that need it."""
        return None if self._released or self._lost else self._lease.id

    def check(self) -> None:
        """Raise Locked when the lease was lost, or could not be renewed for as long as it lasts."""
        if not self._lost and not self._released and time.monotonic() - self._renewed > LEASE_S:
            self._lost = f"it could not be renewed for {LEASE_S} s"
        if self._lost:
            raise Locked(
                f"the lock on container {self._name} was lost: {self._lost}",
                fix="another client may be applying this spec; run the command again",
            )

    async def release(self) -> None:
        """Take the name off and give the lease back; safe to repeat, and fine when container or lease are gone."""
        if self._released:
            return
        self._released = True
        self._renewing.cancel()
        with suppress(asyncio.CancelledError):
            await self._renewing
        # Not worth waiting for a service that is gone: the lease ends by itself.
        with suppress(ServiceRefused, ServiceUnreachable):
            await write_holder(self._client, self._lease, self._brief_tries, None)
            await self._brief_tries("unlock container", self._name).run(self._lease.release)

    @property
    def _name(self) -> str:
        return str(self._client.container_name)

    def _brief_tries(self, operation: str, resource: str) -> Tries:
        return self._tries(operation, resource).briefly()

    async def _renew_for_ever(self) -> None:
        while not self._lost:
            await asyncio.sleep(self._every_s)
            began = time.monotonic()
            try:
                await self._tries("renew the lock on container", self._name).run(self._lease.renew)
                self._renewed = began
            except ServiceUnreachable:
                continue
            except BatchspecError as error:
                self._lost = str(error)


async def acquire(
    client: ContainerClient, holder: str, tries: MakeTries, *, every_s: float = _RENEW_EVERY_S
) -> ContainerLease:
    """A new lease, renewed every `every_s`. Raises Locked, naming the holder, when another has it."""
    lease = BlobLeaseClient(client)
    attempt = tries("lock container", str(client.container_name))
    try:
        # A repeated acquire with the same id is answered with success: no lease is lost with a lost answer.
        await attempt.run(lambda: lease.acquire(lease_duration=LEASE_S))
    except ServiceRefused as refused:
        if refused.code != "LeaseAlreadyPresent":
            raise
        raise await locked(client, tries) from refused
    held = ContainerLease(client, lease, tries, every_s)
    try:
        await write_holder(client, lease, tries, holder)
    except BaseException:
        await held.release()
        raise
    return held


async def locked(client: ContainerClient, tries: MakeTries) -> Locked:
    """The error that says who holds the container."""
    name = str(client.container_name)
    metadata = (await tries("look at container", name).run(client.get_container_properties)).metadata or {}
    holder = unquote(next((value for key, value in metadata.items() if key.lower() == HOLDER_KEY), ""))
    by = f"by {holder}" if holder else "by a client that has not given its name"
    return Locked(
        f"container {name} is locked {by}: this spec is being applied or deleted",
        fix=f"try again when that is done; the lock of a client that died expires within {LEASE_S} s",
    )


async def write_holder(client: ContainerClient, lease: BlobLeaseClient, tries: MakeTries, holder: str | None) -> None:
    """Write, or with None remove, the holder's name, keeping all other metadata."""
    name = str(client.container_name)
    properties = await tries("look at container", name).run(client.get_container_properties)
    metadata = {key: value for key, value in (properties.metadata or {}).items() if key.lower() != HOLDER_KEY}
    if holder is not None:
        metadata[HOLDER_KEY] = quote(holder, safe=" @:/()+,.-_=")[:_LONGEST_HOLDER]
    await tries("name the holder of container", name).run(lambda: client.set_container_metadata(metadata, lease=lease))
