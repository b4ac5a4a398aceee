"""One client at a time: the lease on one of the spec's own containers.

Place in the pipeline: `apply` holds it while it writes, not while it waits; `delete` and the clean-up hold it too. A
spec without own containers has no lock: there, conditions and the service's own conflicts decide.

The holder says who and where it is (user, host, process), so that the second client can tell. A client that was killed
leaves its lease for up to a minute; when that was on this machine and its process is gone, the lease is taken over.
"""

import getpass
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from batchspec.reconcile.ports import Lease, Services
from batchspec.reconcile.processes import is_alive
from batchspec.render.model import Desired


def lock_container(desired: Desired) -> str | None:
    """The name of the container whose lease is the spec's lock; None when the spec has no container of its own.

    The first one, but rather one that `cleanup` does not remove, since with it goes the lock.
    """
    own = [(key, container.name) for key, container in desired.containers.items() if not container.existing]
    lasting = [name for key, name in own if f"container.{key}" not in desired.cleanup_after_success]
    return next(iter([*lasting, *(name for _, name in own)]), None)


def holder() -> str:
    """This client, for people and for `is_gone`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "a user without a name"
    return f"{user} on {socket.gethostname()}, process {os.getpid()}"


@asynccontextmanager
async def locked(desired: Desired, services: Services) -> AsyncIterator[Lease | None]:
    """Hold the spec's lock; None when there is none to hold. Raises Locked, naming the holder, when it is taken."""
    container = lock_container(desired)
    if container is None or await services.blobs.get_container(container) is None:
        yield None
        return
    lease = await services.blobs.acquire(container, holder(), is_gone)
    try:
        yield lease
    finally:
        await lease.release()


def is_gone(name: str) -> bool:
    """Whether the holder of this name was a process of this machine that is no more."""
    match = re.search(r" on (.+), process (\d{1,10})$", name)
    return match is not None and match[1] == socket.gethostname() and not is_alive(int(match[2]))
