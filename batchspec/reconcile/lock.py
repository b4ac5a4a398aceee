"""One client at a time: the lease on one of the spec's own containers.

Place in the pipeline: `apply` holds it while it writes, not while it waits; `delete` and the clean-up hold it too. A
spec without own containers has no lock: there, conditions and the service's own conflicts decide.

The holder says who and where it is (user, host, process), so that the second client can tell. A client that was killed
leaves its lease for up to a minute; when that was on this very machine and its process is gone, there is nobody to
refuse for, and the lease is waited out.
"""

import getpass
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

from batchspec.errors import Locked
from batchspec.reconcile.clock import Clock, polls
from batchspec.reconcile.ports import BlobStore, Lease, Services
from batchspec.reconcile.processes import is_alive
from batchspec.reconcile.report import Noted, Reporter
from batchspec.render.model import Desired

HOLDER_KEY = "batchspec_holder"
# A lease lasts 60 s from its last renewal.
_WAIT_OUT_S = 75.0


def lock_container(desired: Desired) -> str | None:
    """The name of the container whose lease is the spec's lock; None when the spec has no container of its own.

    The first one, but rather one that `cleanup` does not remove, since with it goes the lock.
    """
    own = [(key, container.name) for key, container in desired.containers.items() if not container.existing]
    lasting = [name for key, name in own if f"container.{key}" not in desired.cleanup_after_success]
    return next(iter([*lasting, *(name for _, name in own)]), None)


def holder() -> str:
    """This client, for people and for `_is_gone`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "a user without a name"
    return f"{user} on {socket.gethostname()}, process {os.getpid()}"


@asynccontextmanager
async def locked(
    desired: Desired, services: Services, *, report: Reporter, clock: Clock
) -> AsyncIterator[Lease | None]:
    """Hold the spec's lock; None when there is none to hold. Raises Locked, naming the holder, when it is taken."""
    container = lock_container(desired)
    if container is None or await services.blobs.get_container(container) is None:
        yield None
        return
    lease = await _acquire(services.blobs, container, report, clock)
    try:
        yield lease
    finally:
        await lease.release()


async def _acquire(blobs: BlobStore, container: str, report: Reporter, clock: Clock) -> Lease:
    try:
        return await blobs.acquire(container, holder())
    except Locked:
        if not await _is_gone(blobs, container):
            raise
    report(Noted("the client that held the lock was killed; it ends within a minute", warning=True))
    refused = Locked(f"container {container} is still locked")
    async for waited in polls(clock, deadline_s=_WAIT_OUT_S + 30, what="the lock", shortest_s=1.0):
        try:
            return await blobs.acquire(container, holder())
        except Locked as error:
            refused = error
        if waited > _WAIT_OUT_S or not await _is_gone(blobs, container):
            break
    raise refused


async def _is_gone(blobs: BlobStore, container: str) -> bool:
    """Whether the holder was a process of this machine that is no more."""
    there = await blobs.get_container(container)
    name = unquote(there.metadata.get(HOLDER_KEY, "")) if there is not None else ""
    match = re.search(r" on (.+), process (\d{1,10})$", name)
    return match is not None and match[1] == socket.gethostname() and not is_alive(int(match[2]))
