"""One client at a time: a 60 s lease on a container, renewed, with the holder's name beside it.

Place in the pipeline: `blobs.acquire` makes a `ContainerLease`, `apply` holds it while it writes. The holder stands in
the container's metadata (`batchspec_holder`, percent-encoded since headers are ASCII), so that the second client can
say who holds it, and the lease's id beside it (`batchspec_lease`). Both are written before the lease is taken, so that
a client killed at any moment has left its name.

A client that dies stops renewing, and the lease ends within 60 s. One that knows the holder to be gone need not wait:
it changes the id of the holder's lease to its own, which the service does for exactly one of those who try (Lease
Container, action change).
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
LEASE_KEY = "batchspec_lease"
MARKS = (HOLDER_KEY, LEASE_KEY)
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
            await _write_marks(self._client, self._brief_tries, {}, self._lease)
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
    client: ContainerClient,
    holder: str,
    tries: MakeTries,
    *,
    is_gone: Callable[[str], bool] = lambda _: False,
    every_s: float = _RENEW_EVERY_S,
) -> ContainerLease:
    """A new lease, renewed every `every_s`; taken over from a holder of whom `is_gone` is true.

    Raises Locked, naming the holder, when another has it.
    """
    lease = BlobLeaseClient(client)
    marks = {HOLDER_KEY: quote(holder, safe=" @:/()+,.-_=")[:_LONGEST_HOLDER], LEASE_KEY: lease.id}
    await _write_marks(client, tries, marks, None)
    if not await _take(client, lease, tries) and not await _take_over(client, lease, tries, is_gone):
        raise await locked(client, tries)
    held = ContainerLease(client, lease, tries, every_s)
    try:
        # Another client may have written its name while this one took the lease.
        await _write_marks(client, tries, marks, lease)
    except BaseException:
        await held.release()
        raise
    return held


async def _take(client: ContainerClient, lease: BlobLeaseClient, tries: MakeTries) -> bool:
    """Whether the lease was free and is taken now."""
    attempt = tries("lock container", str(client.container_name))
    try:
        # A repeated acquire with the same id is answered with success: no lease is lost with a lost answer.
        await attempt.run(lambda: lease.acquire(lease_duration=LEASE_S))
    except ServiceRefused as refused:
        if refused.code != "LeaseAlreadyPresent":
            raise
        return False
    return True


async def _take_over(
    client: ContainerClient, lease: BlobLeaseClient, tries: MakeTries, is_gone: Callable[[str], bool]
) -> bool:
    """Whether the lease of a holder that is gone became this one."""
    marks = await _marks(client, tries)
    held_as = marks.get(LEASE_KEY)
    if held_as is None or not is_gone(unquote(marks.get(HOLDER_KEY, ""))):
        return False
    mine, theirs = lease.id, BlobLeaseClient(client, lease_id=held_as)
    attempt = tries("lock container", str(client.container_name))
    try:
        await attempt.run(lambda: theirs.change(proposed_lease_id=mine))
        await attempt.run(lease.renew)
    except ServiceRefused:
        # It ended meanwhile, or another client was first.
        return await _take(client, lease, tries)
    return True


async def locked(client: ContainerClient, tries: MakeTries) -> Locked:
    """The error that says who holds the container."""
    name = str(client.container_name)
    holder = unquote((await _marks(client, tries)).get(HOLDER_KEY, ""))
    by = f"by {holder}" if holder else "by a client that has not given its name"
    return Locked(
        f"container {name} is locked {by}: this spec is being applied or deleted",
        fix=f"try again when that is done; the lock of a client that died expires within {LEASE_S} s",
    )


async def _marks(client: ContainerClient, tries: MakeTries) -> dict[str, str]:
    """The holder's marks on the container, by lower-cased name."""
    properties = await tries("look at container", str(client.container_name)).run(client.get_container_properties)
    return {key.lower(): value for key, value in (properties.metadata or {}).items() if key.lower() in MARKS}


async def _write_marks(
    client: ContainerClient, tries: MakeTries, marks: dict[str, str], lease: BlobLeaseClient | None
) -> None:
    """Make `marks` the holder's marks, keeping all other metadata; without a lease, only while nobody has one.

    The service itself would let anybody change the metadata: a container's lease only guards its deletion.
    """
    name = str(client.container_name)
    properties = await tries("look at container", name).run(client.get_container_properties)
    there = {key.lower(): value for key, value in (properties.metadata or {}).items()}
    if {key: there[key] for key in MARKS if key in there} == marks:
        return
    if lease is None and properties.lease.state == "leased":
        return
    metadata = {key: value for key, value in there.items() if key not in MARKS} | marks
    await tries("name the holder of container", name).run(lambda: client.set_container_metadata(metadata, lease=lease))
